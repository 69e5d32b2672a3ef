// What decides where a sidecar is looked for: the process, Electron, and the file system.

import { lstatSync } from "node:fs";
import { runningElectron } from "../electron.js";
import { PLATFORM } from "../platform.js";
import { COMMAND_VARIABLE, type Surroundings } from "./candidates.js";
import { isPackaged } from "./environment.js";

export function surroundings(): Surroundings {
  return {
    platform: PLATFORM,
    isPackaged: isPackaged(),
    resourcesPath: (process as { resourcesPath?: string }).resourcesPath,
    // Nothing in the process itself says it reliably: `process.argv` begins with switches of any number, and `require.main`
    // is Electron's default app or, in an app of ES modules, undefined.
    appPath: runningElectron()?.app.getAppPath() ?? process.cwd(),
    environmentCommand: process.env[COMMAND_VARIABLE],
    exists,
  };
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
