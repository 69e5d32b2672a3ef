// Where a sidecar is looked for, in which order. Pure: what it looks at is handed in.

import { executableName, type Platform, pathsOf, venvPython } from "../platform.js";

/** The variable that names the sidecar's program, or its Python, for an app that is not packaged. */
export const COMMAND_VARIABLE = "SIDECAR_COMMAND";

/** A program that may be the sidecar. */
export interface Candidate {
  readonly command: string;
  /** Arguments before those that every sidecar gets. */
  readonly args: readonly string[];
  /** `packaged`: part of the app, as its user has it. */
  readonly origin: "option" | "environment" | "packaged" | "project";
}

/** A place in which a sidecar may be: what is there, or a sentence that nothing is. */
export type Place = { readonly candidate: Candidate } | { readonly nothing: string };

export interface Surroundings {
  readonly platform: Platform;
  readonly isPackaged: boolean;
  /** The folder of Electron's resources; undefined outside of Electron. */
  readonly resourcesPath: string | undefined;
  /** The folder of the app, from which a project's `.venv` is looked for upwards. */
  readonly appPath: string;
  /** The value of SIDECAR_COMMAND. */
  readonly environmentCommand: string | undefined;
  /** Whether there is a file, folder or link of this path, even a broken one. */
  readonly exists: (path: string) => boolean;
}

/**
 * The places in which a sidecar may be, the first to be tried first.
 *
 * What somebody has named, by the option or the variable, is the only one: another program in its place would be a
 * surprise. A packaged app has what its maker has put into it, and nothing else: neither a variable nor a folder of the
 * machine may choose the program that gets the data.
 */
export function placesToTry(
  { command, args }: { readonly command?: string | undefined; readonly args?: readonly string[] | undefined },
  surroundings: Surroundings,
): readonly Place[] {
  if (command !== undefined) {
    return [{ candidate: { command, args: args ?? defaultArgs(command), origin: "option" } }];
  }
  const { isPackaged, environmentCommand, platform } = surroundings;
  if (isPackaged) return packaged(surroundings);
  if (environmentCommand) {
    const program = pathsOf(platform).resolve(environmentCommand);
    return [{ candidate: { command: program, args: defaultArgs(program), origin: "environment" } }];
  }
  const unset = { nothing: `${COMMAND_VARIABLE} is not set.` };
  return [unset, ...packaged(surroundings), ...project(surroundings)];
}

/** Whether the program is a Python, by its name. */
export function isPython(program: string): boolean {
  return /^(python|pypy)[\d.]*w?(\.exe)?$/i.test(program.split(/[\\/]/).pop() ?? "");
}

function defaultArgs(program: string): readonly string[] {
  return isPython(program) ? ["-m", "sidecar"] : [];
}

/** The frozen sidecar among the resources of a packaged app. */
function packaged({ resourcesPath, platform, exists }: Surroundings): readonly Place[] {
  if (resourcesPath === undefined) return [];
  const command = pathsOf(platform).join(resourcesPath, "sidecar", executableName("sidecar", platform));
  if (!exists(command)) return [{ nothing: `${command} does not exist.` }];
  return [{ candidate: { command, args: [], origin: "packaged" } }];
}

/** The virtual environments of the app's folder and of those above it, as in a repository of several packages. */
function project({ appPath, platform, exists }: Surroundings): readonly Place[] {
  const paths = pathsOf(platform);
  const venvs = withParents(appPath, paths)
    .map((folder) => paths.join(folder, ".venv"))
    .filter(exists);
  if (venvs.length === 0) return [{ nothing: `There is no .venv in ${appPath} or a folder above it.` }];
  return venvs.map((venv) => {
    const command = venvPython(venv, platform);
    return { candidate: { command, args: defaultArgs(command), origin: "project" } };
  });
}

/** The folder and those above it, the nearest first. */
export function withParents(folder: string, paths: ReturnType<typeof pathsOf>): readonly string[] {
  const parent = paths.dirname(folder);
  return parent === folder ? [folder] : [folder, ...withParents(parent, paths)];
}
