// Signals a process together with everything that it has started, and confirms that nothing of it is left.

import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

export type TreeSignal = "SIGTERM" | "SIGKILL";

const IS_WINDOWS = process.platform === "win32";
const POLL_MS = 10;

/** Options for `spawn` on which the rest of this file relies: on POSIX, a process group of the child's own. */
export const treeOptions = { detached: !IS_WINDOWS, windowsHide: true } as const;

/** Signals the tree; does nothing if there is none. Windows knows no signals that ask: there, both end it. */
export function signalTree(pid: number, signal: TreeSignal): void {
  if (!IS_WINDOWS) return void signalGroup(pid, signal);
  const taskkill = spawn("taskkill", ["/pid", String(pid), "/t", "/f"], {
    windowsHide: true,
    stdio: "ignore",
  });
  taskkill.on("error", () => undefined);
}

/**
 * Kills what is left of an ended process's tree, and resolves when nothing is. On Windows a tree can only be found by
 * its root, so that nothing is left to be done once that has ended.
 */
export async function treeGone(pid: number): Promise<void> {
  if (IS_WINDOWS) return;
  while (signalGroup(pid, "SIGKILL") && !isGroupDead(pid)) await delay(POLL_MS);
}

/** Whether the group still has an entry in the process table. */
function signalGroup(pid: number, signal: TreeSignal): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether all that is left of the group are zombies: ended, but not yet collected by a parent. Under an init process
 * that is slow to do so, as in many containers, they would be waited for in vain.
 */
function isGroupDead(pid: number): boolean {
  if (process.platform !== "linux") return false;
  return readdirSync("/proc").every((entry) => !/^\d+$/.test(entry) || !isAliveIn(entry, pid));
}

function isAliveIn(entry: string, group: number): boolean {
  try {
    // pid (name) state ppid pgrp …; a name may hold anything, parentheses and spaces included.
    const stat = readFileSync(`/proc/${entry}/stat`, "latin1");
    const [state = "", , processGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return processGroup === String(group) && !["Z", "X"].includes(state);
  } catch {
    return false;
  }
}
