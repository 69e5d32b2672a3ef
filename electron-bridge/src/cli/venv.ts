// The virtual environment of the project, found where the bridge finds it.

import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { withParents } from "../main/child/candidates.js";
import { pathsOf, venvPython } from "../main/platform.js";

/** The nearest `.venv` in the folder or above it, relative to the folder; `.venv` itself where there is none. */
export function projectVenv(folder = process.cwd()): string {
  const venvs = withParents(folder, pathsOf()).map((parent) => join(parent, ".venv"));
  return relative(folder, venvs.find((venv) => existsSync(venv)) ?? join(folder, ".venv"));
}

/** The Python of the project, there or not. */
export function projectPython(): string {
  return venvPython(projectVenv());
}
