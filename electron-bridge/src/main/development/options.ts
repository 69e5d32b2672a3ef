// The options of the development loop, and what they mean for the supervision.

import { statSync } from "node:fs";
import { resolve } from "node:path";
import { SidecarError } from "../../shared/errors.js";
import type { Policy } from "../supervision/policy.js";

export interface DevelopmentOptions {
  /**
   * Folders with Python of the app's own, such as `backend`; relative ones lie in the current directory. When a Python
   * file below them changes, the sidecar is stopped and started again, and calls wait meanwhile.
   */
  readonly watch?: readonly string[];
  /**
   * The port of 127.0.0.1 at which a debugger can attach by way of debugpy, which the sidecar's Python must have. A
   * sidecar that stands at a breakpoint is not killed, and calls have no time limit, unless `policy` sets one.
   */
  readonly debugpy?: number;
}

/** A sidecar that a person steps through may be silent for as long as that takes. */
const DEBUGGED: Partial<Policy> = Object.freeze({
  startSilenceMs: Infinity,
  startTotalMs: Infinity,
  probeMisses: Infinity,
  callTimeoutMs: Infinity,
  eventSilenceMs: Infinity,
});

/**
 * The absolute paths of the folders to watch.
 *
 * @throws SidecarError `invalid_configuration` in a packaged app, for a path that is no folder, and for a wrong port
 */
export function watchedFolders({ watch = [], debugpy }: DevelopmentOptions, isPackaged: boolean): string[] {
  if (isPackaged) throw invalid("dev is not for a packaged app; leave it out when app.isPackaged is true");
  if (debugpy !== undefined && !(Number.isInteger(debugpy) && debugpy > 0 && debugpy < 65_536)) {
    throw invalid(`dev.debugpy must be a port from 1 to 65535, not ${String(debugpy)}`);
  }
  const folders = watch.map((folder) => resolve(folder));
  const missing = folders.find((folder) => !statSync(folder, { throwIfNoEntry: false })?.isDirectory());
  if (missing !== undefined) throw invalid(`dev.watch must name folders; ${missing} is none`);
  return folders;
}

/** What development changes in the policy; the numbers that the app gives itself win. */
export function developmentPolicy({ debugpy }: DevelopmentOptions = {}): Partial<Policy> {
  return debugpy === undefined ? {} : DEBUGGED;
}

function invalid(what: string): SidecarError {
  return new SidecarError("invalid_configuration", `The sidecar cannot be set up: ${what}.`);
}
