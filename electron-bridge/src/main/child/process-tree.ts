// Signals a process together with everything that it has started, and confirms that nothing of it is left.

import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { killTarget, processTable, treeKiller, type TreeSignal } from "../platform.js";

const POLL_MS = 10;

/** Signals the tree; does nothing if there is none. Where the system knows no signals that ask, both end it. */
export function signalTree(pid: number, signal: TreeSignal): void {
  const killer = treeKiller(pid);
  if (!killer) return void signalGroup(pid, signal);
  const [program, ...args] = killer;
  spawn(program, args, { windowsHide: true, stdio: "ignore" }).on("error", () => undefined);
}

/**
 * Kills what is left of an ended process's tree, and resolves when nothing is. Where a tree can only be found by its
 * root, nothing is left to be done once that has ended.
 */
export async function treeGone(pid: number): Promise<void> {
  if (treeKiller(pid)) return;
  while (signalGroup(pid, "SIGKILL") && !isGroupDead(pid)) await delay(POLL_MS);
}

/** Whether the group still has an entry in the process table. */
function signalGroup(pid: number, signal: TreeSignal): boolean {
  try {
    process.kill(killTarget(pid), signal);
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
  const table = processTable();
  if (table === undefined) return false;
  return readdirSync(table).every((entry) => !/^\d+$/.test(entry) || !isAliveIn(`${table}/${entry}`, pid));
}

function isAliveIn(entry: string, group: number): boolean {
  try {
    // pid (name) state ppid pgrp …; a name may hold anything, parentheses and spaces included.
    const stat = readFileSync(`${entry}/stat`, "latin1");
    const [state = "", , processGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return processGroup === String(group) && !["Z", "X"].includes(state);
  } catch {
    return false;
  }
}
