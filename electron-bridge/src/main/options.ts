// The options of a Sidecar, and what its process gets of them: the environment, and the bootstrap over the control pipe.

import { isAbsolute } from "node:path";
import { SidecarError } from "../shared/errors.js";
import type { OperationTable } from "../shared/operations.js";
import { isPackaged, sidecarEnvironment } from "./child/environment.js";
import type { ProcessSpec } from "./child/process.js";
import type { DevelopmentOptions } from "./development/options.js";
import type { Policy } from "./supervision/policy.js";

const PROTOCOL = 1;
/** Python takes a compiled file for current that was saved twice within a second, with the same length. */
const WHILE_FILES_CHANGE = { PYTHONDONTWRITEBYTECODE: "1" };

export interface SidecarOptions {
  /**
   * The program: a frozen sidecar, or a Python that has the package. Never run through a shell. Without it, the sidecar is
   * found: the program that the variable SIDECAR_COMMAND names, then `sidecar/sidecar` among the app's resources, then
   * the Python of the `.venv` in the app's folder or one above it. A packaged app has that of its resources, and nothing
   * of the machine's; a `command` must be an absolute path there.
   */
  readonly command?: string | undefined;
  /** Arguments of `command` before `serve --host-pipe`; by default `-m sidecar` for a Python, and none for others. */
  readonly args?: readonly string[] | undefined;
  /** The absolute path of the data directory. One sidecar at a time can have it. */
  readonly dataDir: string;
  /** Settings that take precedence over the sidecar's own files. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The app's own Python: names of extension modules, such as `my_app.backend`. */
  readonly extensions?: readonly string[];
  /** Absolute paths of the directories in which the extension modules are looked for first. */
  readonly pythonPath?: readonly string[];
  /** The operations of the extensions, from the file that `electron-sidecar generate` writes. */
  readonly operations?: OperationTable;
  /** Environment variables on top of the app's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly policy?: Partial<Policy>;
  /** For development only: restarts when Python files change, and a debugger. A packaged app cannot have it. */
  readonly dev?: DevelopmentOptions | undefined;
}

/** @throws SidecarError `invalid_configuration` */
export function checkOptions({ command, args, dataDir, pythonPath }: SidecarOptions): void {
  if (!isAbsolute(dataDir)) {
    throw new SidecarError("invalid_configuration", `dataDir must be an absolute path, not '${dataDir}'.`);
  }
  if (command !== undefined && isPackaged() && !isAbsolute(command)) {
    throw new SidecarError(
      "invalid_configuration",
      `In a packaged app, command must be an absolute path, not '${command}'; without it, the packaged sidecar is found.`,
    );
  }
  if (command === undefined && args !== undefined) {
    throw new SidecarError("invalid_configuration", "args are arguments of a command, but there is none.");
  }
  const relative = pythonPath?.find((path) => !isAbsolute(path));
  if (relative !== undefined) {
    throw new SidecarError(
      "invalid_configuration",
      `pythonPath must hold absolute paths, not '${relative}'.`,
    );
  }
}

export function environmentOf({ env, dev }: SidecarOptions): NodeJS.ProcessEnv {
  return sidecarEnvironment(process.env, { ...(dev?.watch && WHILE_FILES_CHANGE), ...env });
}

/** The first line of the control pipe. */
export function bootstrapOf(options: SidecarOptions, token: string): ProcessSpec["bootstrap"] {
  const { dataDir, settings, extensions, pythonPath, operations, dev } = options;
  return {
    protocol: PROTOCOL,
    token,
    data_dir: dataDir,
    ...(settings && { settings }),
    ...(extensions && { extensions }),
    ...(pythonPath && { python_path: pythonPath }),
    ...(operations && { operations: fingerprintsOf(operations) }),
    ...(dev?.debugpy !== undefined && { debugpy: dev.debugpy }),
    packaged: isPackaged(),
  };
}

/** What the sidecar compares with its own operations. A table that has none of its own is not compared. */
function fingerprintsOf(table: OperationTable): Record<string, string> {
  const rows = Object.entries(table).filter(([, { fingerprint }]) => fingerprint !== undefined);
  return Object.fromEntries(rows.map(([id, { fingerprint = "" }]) => [id, fingerprint]));
}
