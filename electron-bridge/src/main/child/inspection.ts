// Looks at a program that failed: at its file, and at its answer to `--version`.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
} from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { isForeignProgram, treeOptions } from "../platform.js";
import type { ProgramFile, Venv } from "./advice.js";
import type { Candidate } from "./candidates.js";
import { takeAnotherTurn } from "./event-loop.js";
import { signalTree } from "./process-tree.js";
import type { VersionAnswer } from "./refusals.js";

/** Ten times as long as a slow disk needs. */
const ANSWER_WITHIN_MS = 5_000;
/** More than any answer to `--version` and any traceback has. */
const MAX_ANSWER = 100_000;
/** More than the first line of a script and the facts at the beginning of a program have. */
const HEAD_BYTES = 1_024;

/** What is at the path of a program. */
export function programFile(command: string): ProgramFile {
  if (!isAbsolute(command) && basename(command) === command) return { kind: "unknown" };
  const path = resolve(command);
  const venv = venvOf(path);
  const more = venv ? { venv } : {};
  try {
    const link = lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
    if (link !== undefined && !existsSync(path)) return { kind: "broken link", target: link, ...more };
    if (statSync(path).isDirectory()) return { kind: "folder" };
    const head = headOf(path);
    const interpreter = interpreterIn(head);
    const isForeign = isForeignProgram(head);
    return { kind: "file", ...more, ...(interpreter && { interpreter }), ...(isForeign && { isForeign }) };
  } catch (error) {
    return isMissing(error) ? { kind: "missing", ...more } : { kind: "file", ...more };
  }
}

function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ERR_INVALID_ARG_VALUE"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function headOf(path: string): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES);
  const descriptor = openSync(path, "r");
  try {
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** The program that a script's first line names (`#!`). */
function interpreterIn(head: Buffer): ProgramFile["interpreter"] {
  const named = /^#!\s*(\S+)/.exec(head.toString("utf8"))?.[1];
  return named === undefined ? undefined : { path: named, exists: existsSync(named) };
}

/** The virtual environment of a program: `bin` and `Scripts` lie beside its configuration. */
function venvOf(program: string): Venv | undefined {
  const folder = dirname(dirname(program));
  const text = textOf(join(folder, "pyvenv.cfg"));
  if (text === undefined) return undefined;
  // venv writes `version`, uv and virtualenv write `version_info`.
  const pythonVersion = /^version(?:_info)?\s*=\s*(\d+\.\d+(?:\.\d+)?)/m.exec(text)?.[1];
  return { folder, pythonVersion, isOfUv: /^uv\s*=/m.test(text) };
}

/** The text of a file; undefined if it is missing or may not be read. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/**
 * The answer of a program to `--version`, which every sidecar has. Undefined if it cannot be had: it is not run, does not
 * end in time, or the signal says that nobody waits for it any more.
 */
export async function askVersion(
  { command, args }: Candidate,
  env: Readonly<NodeJS.ProcessEnv>,
  signal: AbortSignal,
): Promise<VersionAnswer | undefined> {
  let child;
  try {
    const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
    child = spawn(command, [...args, "--version"], { env, stdio, ...treeOptions() });
  } catch {
    return undefined;
  }
  takeAnotherTurn();
  return answerOf(child, signal);
}

function answerOf(child: ChildProcessByStdio<null, Readable, Readable>, signal: AbortSignal) {
  return new Promise<VersionAnswer | undefined>((resolveAnswer) => {
    const answer = { stdout: "", stderr: "" };
    let isGivenUp = false;
    let hasExited = false;
    const end = (result: VersionAnswer | undefined): void => {
      clearTimeout(deadline);
      signal.removeEventListener("abort", giveUp);
      resolveAnswer(result);
    };
    const giveUp = (): void => {
      isGivenUp = true;
      // What holds its pipes open after its end has escaped it, and is not waited for.
      if (hasExited) end(undefined);
      else if (child.pid !== undefined) signalTree(child.pid, "SIGKILL");
    };
    const deadline = setTimeout(giveUp, ANSWER_WITHIN_MS);
    signal.addEventListener("abort", giveUp);
    for (const pipe of ["stdout", "stderr"] as const) {
      child[pipe].setEncoding("utf8");
      child[pipe].on("data", (text: string) => (answer[pipe] = (answer[pipe] + text).slice(-MAX_ANSWER)));
    }
    child.on("error", () => end(undefined));
    child.on("exit", () => {
      hasExited = true;
      if (isGivenUp) end(undefined);
    });
    child.on("close", (code, killer) => end(killer === null ? { code, ...answer } : undefined));
  });
}
