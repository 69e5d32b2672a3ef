// Electron's own module, for the little that the app does not hand in.

import nodeModule from "node:module";
import type { ElectronLike } from "./electron-types.js";

/** Electron, and its path of the app: the folder that was named on its command line. */
type RunningElectron = ElectronLike & { readonly app: { getAppPath(): string } };

/**
 * The Electron in whose main process this code runs; undefined elsewhere, where the bridge works without it.
 *
 * It is required at run time, by a path that no bundler follows: Electron answers for its name, wherever it is asked
 * from. By the full name of the function: webpack takes an imported `createRequire` for its own, and leaves nothing of
 * it.
 */
export function runningElectron(): RunningElectron | undefined {
  if ((process as { type?: string }).type !== "browser") return undefined;
  return nodeModule.createRequire(process.execPath)("electron");
}
