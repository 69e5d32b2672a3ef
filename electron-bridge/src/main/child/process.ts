// The sidecar as an operating system's process: spawning it, its pipes, and its end. The supervisor decides when.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { Child, ChildEvents, Exit } from "./child.js";
import { takeAnotherTurn } from "./event-loop.js";
import { treeOptions } from "../platform.js";
import { LineSplitter, parseStatusLine, StacksReader } from "./output.js";
import { signalTree, treeGone } from "./process-tree.js";

export interface ProcessSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** The first line of the control pipe, before it is made JSON. */
  readonly bootstrap: { readonly token: string } & Readonly<Record<string, unknown>>;
  /** Called with each line of the log: standard error, and lines of standard output that are no status lines. */
  readonly onLog: (line: string) => void;
}

/** How long a pipe may stay open after the process has ended. */
const DRAIN_MS = 250;

const NO_CHILD: Child = { shutdown: ignore, askForStacks: ignore, terminate: ignore, kill: ignore };

/** Starts a sidecar and sends its bootstrap. A failure to start is reported as its end. */
export function launchProcess(spec: ProcessSpec, events: ChildEvents): Child {
  let child: ChildProcessWithoutNullStreams;
  try {
    child = spawn(spec.command, [...spec.args, "serve", "--host-pipe"], {
      env: spec.env,
      stdio: "pipe",
      ...treeOptions(),
    });
  } catch (error) {
    setImmediate(() => endBeforeStart(error as NodeJS.ErrnoException, events));
    return NO_CHILD;
  }
  readPipes(child, spec, events);
  takeAnotherTurn();
  const { pid } = child;
  if (pid === undefined) {
    child.on("error", (error) => endBeforeStart(error, events));
    return NO_CHILD;
  }
  child.on("error", ignore);
  child.on("exit", (code, signal) => {
    const exit = { code, signal };
    events.exited(exit);
    void confirmedGone(child, pid).then(() => events.gone(exit));
  });
  const send = (line: object): void => {
    if (child.stdin.writable) child.stdin.write(`${JSON.stringify(line)}\n`);
  };
  send(spec.bootstrap);
  return {
    shutdown: () => send({ command: "shutdown" }),
    askForStacks: () => send({ command: "stacks" }),
    terminate: () => signalTree(pid, "SIGTERM"),
    kill: () => signalTree(pid, "SIGKILL"),
  };
}

function endBeforeStart({ code: errno = "", message }: NodeJS.ErrnoException, events: ChildEvents): void {
  const exit: Exit = { code: null, signal: null, spawnError: { errno, message } };
  events.exited(exit);
  events.gone(exit);
}

/** Reads both pipes for as long as they are open: a pipe that nobody drains stops the process that writes to it. */
function readPipes(child: ChildProcessWithoutNullStreams, spec: ProcessSpec, events: ChildEvents): void {
  const log = (line: string): void => spec.onLog(line.split(spec.bootstrap.token).join("[token]"));
  const statusLines = new LineSplitter((text) => {
    const line = parseStatusLine(text);
    if (line) events.line(line);
    else log(text);
  });
  const stacks = new StacksReader(log, (lines) => events.stacks(lines));
  const logLines = new LineSplitter((line) => stacks.push(line));
  for (const [pipe, lines] of [
    [child.stdout, statusLines],
    [child.stderr, logLines],
  ] as const) {
    pipe.setEncoding("utf8");
    pipe.on("data", (text: string) => lines.push(text));
    pipe.on("end", () => lines.end());
  }
  child.stderr.on("end", () => stacks.end());
  // A pipe breaks when the process ends, which `exit` reports; without a listener the error would end the host.
  for (const pipe of child.stdio) pipe?.on("error", ignore);
}

/** The rest of the tree is gone, and what it wrote has been read, unless one that escaped it holds a pipe open. */
async function confirmedGone(child: ChildProcessWithoutNullStreams, pid: number): Promise<void> {
  const drained = new Promise((resolve) => child.once("close", resolve));
  await treeGone(pid);
  await Promise.race([drained, delay(DRAIN_MS)]);
}

function ignore(): void {
  // Nothing to do: the child's exit, which always follows, is what counts.
}
