// What a person can do about a candidate that is no sidecar, as the end of a sentence. Pure.

import { missingProgramAdvice, type Platform, pythonLauncher, shellWord, venvPython } from "../platform.js";
import { type Candidate, COMMAND_VARIABLE, isPython } from "./candidates.js";
import { BRIDGE_VERSION } from "./versions.js";

/** What is at the path of a program. */
export interface ProgramFile {
  /** `unknown` for a name that is looked for on PATH. */
  readonly kind: "missing" | "broken link" | "folder" | "file" | "unknown";
  /** Where a broken link leads. */
  readonly target?: string;
  /** It is a program for another system or processor. */
  readonly isForeign?: boolean;
  /** The program that runs it, from its first line, and whether that is there. */
  readonly interpreter?: { readonly path: string; readonly exists: boolean };
  /** The virtual environment that it is in. */
  readonly venv?: Venv;
}

export interface Venv {
  readonly folder: string;
  readonly pythonVersion: string | undefined;
  /** uv makes environments without pip. */
  readonly isOfUv: boolean;
}

/** A candidate that failed, with what is known of its file. */
export interface Failed {
  readonly candidate: Candidate;
  readonly file: ProgramFile;
  readonly platform: Platform;
}

/** For a program that is missing. */
export function adviseMissing(failed: Failed): string {
  const { candidate, platform } = failed;
  switch (candidate.origin) {
    case "packaged":
      return missingProgramAdvice(platform);
    case "environment":
      return `correct ${COMMAND_VARIABLE}, or unset it`;
    case "project":
      return adviseNewEnvironment(failed);
    case "option":
      return "correct `command`, or leave it out to have the sidecar found";
  }
}

/** For a virtual environment that has lost its Python. */
export function adviseNewEnvironment({ file: { venv }, platform }: Failed): string {
  if (!venv) return "install it again";
  const folder = shellWord(venv.folder, platform);
  const make = venv.isOfUv
    ? `uv venv --clear ${folder}`
    : `${pythonLauncher(platform)} -m venv --clear ${folder}`;
  const python = venvPython(venv.folder, platform);
  return `make the environment again: \`${make}\`, then \`${installCommand(python, venv.isOfUv, platform)}\``;
}

/** For an environment whose package is missing, incomplete or of another version. */
export function adviseInstall(failed: Failed): string {
  const { file, platform } = failed;
  const python = pythonOf(failed);
  if (python === undefined) return "freeze it again with `npx electron-sidecar freeze`";
  return `run \`${installCommand(python, file.venv?.isOfUv === true, platform)}\``;
}

/** For a sidecar that is newer than the bridge. */
export function adviseNewerBridge(failed: Failed, version: string): string {
  return `${adviseInstall(failed)}, or install the newer npm package with \`npm install electron-sidecar@${version}\``;
}

/** Where nothing was found that could be tried. */
export function adviseNothingFound(platform: Platform, isPackaged: boolean): string {
  if (isPackaged) {
    return `the app was packaged without a sidecar, as PACKAGING.md of electron-sidecar shows, or has lost it: ${missingProgramAdvice(platform)}`;
  }
  const install = installCommand(venvPython(".venv", platform), false, platform);
  return `make one in the app's folder: \`${pythonLauncher(platform)} -m venv .venv\`, then \`${install}\``;
}

/** The Python that runs a candidate; undefined for a frozen sidecar. */
function pythonOf({ candidate, file }: Failed): string | undefined {
  if (isPython(candidate.command)) return candidate.command;
  return file.interpreter && isPython(file.interpreter.path) ? file.interpreter.path : undefined;
}

function installCommand(python: string, isOfUv: boolean, platform: Platform): string {
  const word = shellWord(python, platform);
  const install = isOfUv ? `uv pip install --python ${word}` : `${word} -m pip install`;
  return `${install} electron-sidecar==${BRIDGE_VERSION}`;
}
