// The Pythons of this machine, and uv, which brings its own.

import { spawnSync } from "node:child_process";
import { CommandError } from "./errors.js";
import { type Program, pythonAdvice, pythonCandidates } from "../main/platform.js";

/** The oldest Python that electron-sidecar runs on. */
export const OLDEST_PYTHON = "3.11";

/** Works in every Python, also in one that is too old. */
const VERSION = "import platform; print(platform.python_version())";

export interface Python {
  readonly program: Program;
  readonly version: string;
}

/** The version of a Python, such as `3.12.1`; undefined if the program cannot be run or is none. */
export function versionOf([command, ...args]: Program): string | undefined {
  const { status, stdout } = spawnSync(command, [...args, "-c", VERSION], {
    encoding: "utf8",
    windowsHide: true,
  });
  return status === 0 && /^\d+\.\d+/.test(stdout) ? stdout.trim() : undefined;
}

export function isAtLeast(version: string, oldest: string): boolean {
  const [found, wanted] = [version, oldest].map((text) => text.split(".").map((part) => parseInt(part, 10)));
  for (const [index, number] of (wanted ?? []).entries()) {
    const own = found?.[index] ?? 0;
    if (own !== number) return own > number;
  }
  return true;
}

/**
 * A Python that electron-sidecar runs on: the one that is named, or the first of the machine's.
 *
 * @throws CommandError that says which were found and what to do
 */
export function requirePython(named?: string, candidates = pythonCandidates()): Python {
  const tried: Python[] = [];
  for (const program of named === undefined ? candidates : [[named] as const]) {
    const version = versionOf(program);
    if (version === undefined) continue;
    if (isAtLeast(version, OLDEST_PYTHON)) return { program, version };
    tried.push({ program, version });
  }
  throw new CommandError(complaint(named, tried));
}

function complaint(named: string | undefined, tried: readonly Python[]): string {
  const [first] = tried;
  if (named !== undefined) {
    const what = first ? `is Python ${first.version}` : "cannot be run as a Python";
    return `Python ${OLDEST_PYTHON} or newer is needed, and ${named} ${what}; name another one with --python`;
  }
  const found = tried.map(({ program, version }) => `${program.join(" ")} is ${version}`).join(", ");
  const what = first ? `this machine has an older one only (${found})` : "this machine has none";
  return `Python ${OLDEST_PYTHON} or newer is needed, and ${what}; ${pythonAdvice()}, or install uv, which brings its own`;
}

/** The version of uv; undefined where it is not installed. */
export function uvVersion(): string | undefined {
  const { status, stdout } = spawnSync("uv", ["--version"], { encoding: "utf8", windowsHide: true });
  return status === 0 ? stdout.replace(/^uv (\S+).*$/s, "$1") : undefined;
}
