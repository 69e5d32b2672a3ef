// The environment of the sidecar's process.

/**
 * The host's environment without what would change how Python starts. Each of the PYTHON* variables (PYTHONHOME,
 * PYTHONPATH, PYTHONSTARTUP, PYTHONWARNINGS, …) is meant for the Pythons of the person at the machine and can break
 * the app's own; the launcher's variable does the same on macOS. What the app sets itself, in `extra`, stays.
 */
export function sidecarEnvironment(host: NodeJS.ProcessEnv, extra: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(host).filter(([name]) => !/^(PYTHON|__PYVENV_LAUNCHER__$)/i.test(name));
  return {
    ...Object.fromEntries(kept),
    // Log lines arrive when they are written, and in UTF-8 whatever the locale.
    PYTHONUNBUFFERED: "1",
    PYTHONUTF8: "1",
    // Python must not import modules from the folder in which the app was started.
    PYTHONSAFEPATH: "1",
    ...extra,
  };
}

/**
 * Whether this process is an app that was packaged: then only its own code names Python to load. `electron FOLDER`, as in
 * development, sets `defaultApp`; plain Node has no resources.
 */
export function isPackaged(process_: object = process): boolean {
  const { resourcesPath, defaultApp } = process_ as { resourcesPath?: string; defaultApp?: boolean };
  return resourcesPath !== undefined && defaultApp !== true;
}
