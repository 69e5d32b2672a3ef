"""The declaration of jobs: what cannot be a job is refused where it is written."""

from pathlib import Path

import pytest

from sidecar.errors import ExtensionRefused, InvalidInput
from sidecar.extension import Extension, Running
from sidecar.extension.loading import load

HEAD = """
from sidecar.extension import Extension, Running

wrong = Extension('wrong')

@wrong.job({options})
{function}
"""


@pytest.mark.parametrize(
    ("options", "function", "reason"),
    [
        ("", "def f(): ...", "the job wrong.f needs a first parameter, which is the running job"),
        ("", "def f(job, *rest): ...", "the job wrong.f must name each of its parameters"),
        ("run_in='loop'", "def f(job): ...", "the job wrong.f cannot run in the loop"),
        ("run_in='thread'", "async def f(job): ...", "the job wrong.f cannot run in the thread"),
        (
            "run_in='orbit'",
            "def f(job): ...",
            "the job wrong.f can run in the loop, in a thread or in a process, not in 'orbit'",
        ),
        ("", "def f(job): ...\n@wrong.job()\ndef f(job): ...", "there are two jobs with the name wrong.f"),
    ],
)
def test_a_function_that_cannot_be_a_job_ends_the_start_with_its_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: str,
    function: str,
    reason: str,
) -> None:
    name = f"wrong_{abs(hash(options + function))}"
    file = tmp_path / f"{name}.py"
    file.write_text(HEAD.format(options=options, function=function), encoding="utf-8")
    monkeypatch.setattr("sys.path", ["."])
    with pytest.raises(ExtensionRefused) as refused:
        load([name], [tmp_path])
    assert reason in refused.value.message
    assert f"({file}, line " in refused.value.message


def test_an_annotation_without_its_type_ends_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "unresolved.py"
    file.write_text(
        HEAD.format(options="", function="def f(job: Running, deck: 'Deck') -> None: ..."), encoding="utf-8"
    )
    monkeypatch.setattr("sys.path", ["."])
    with pytest.raises(ExtensionRefused) as refused:
        load(["unresolved"], [tmp_path])
    assert refused.value.message == (
        f"The job wrong.f of unresolved ({file}) has an annotation that cannot be resolved: name 'Deck' is not defined."
    )


def test_a_function_inside_another_cannot_run_in_a_process() -> None:
    notes = Extension("notes")
    with pytest.raises(ValueError, match="must find its function in its module"):

        @notes.job(run_in="process")
        def inner(job: Running) -> None: ...


def test_a_job_is_called_like_its_function() -> None:
    notes = Extension("notes")

    @notes.job()
    def double(job: Running, number: int) -> int:
        """Return twice the number."""
        return 2 * number

    assert double(Running(1, "notes.double"), 4) == 8
    assert (double.name, double.__doc__) == ("notes.double", "Return twice the number.")


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, object(), "x" * 300_000])
def test_arguments_that_json_does_not_hold_are_refused(value: object) -> None:
    from sidecar.models.jobs import MAX_JOB_JSON_BYTES
    from sidecar.storage.resources.rows.validation import json_text

    notes = Extension("notes")

    @notes.job()
    def take(job: Running, value: object) -> None: ...

    with pytest.raises(InvalidInput):
        json_text("arguments", take.to_stored(value), MAX_JOB_JSON_BYTES)
