"""The extension of the self-test of a frozen sidecar: a job in a process that imports the modules named to it."""

from importlib import import_module

from sidecar.extension import Extension, Job, Jobs, Running

probe = Extension("freezing_probe")


@probe.job(run_in="process")
def import_modules(job: Running, modules: list[str]) -> list[str]:
    """Import the modules; return their names."""
    return [import_module(module).__name__ for module in modules]


@probe.router.post("/imports", status_code=202)
async def start_imports(jobs: Jobs, modules: list[str]) -> Job:
    """Start the job."""
    return await jobs.start(import_modules, modules=modules)
