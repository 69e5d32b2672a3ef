// The order of an update, with real sidecars whose program lies in a folder that an updater replaces.

import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { installUpdate, type Sidecar } from "../../src/main/index.js";
import { errorOf, fixtureSidecar, isRunning, temporaryFolder, until } from "../support.js";

/** So soon that a test sees the end of the wait for the app's quit. */
const SOON = { quitWithinMs: 1 };

interface Installed {
  readonly sidecar: Sidecar;
  /** The processes that the sidecar has: itself, and what it has started. */
  readonly pids: readonly number[];
  /** Replaces the folder of the program. */
  readonly updater: () => void;
  /** For each call of the updater, the processes of the old sidecar that were still there. */
  readonly met: readonly (readonly number[])[];
  readonly isNew: () => boolean;
}

/** A running sidecar, of which the program, a Node, lies in a folder of its own. */
async function installed(fixture: string, ownChildren: number, policy = {}): Promise<Installed> {
  const folder = join(temporaryFolder(), "sidecar");
  const program = join(folder, process.platform === "win32" ? "sidecar.exe" : "sidecar");
  const put = (version: string): void => {
    mkdirSync(folder);
    copyFileSync(process.execPath, program);
    writeFileSync(join(folder, version), "");
  };
  put("old");
  const sidecar = fixtureSidecar(fixture, { command: program, policy });
  const log: string[] = [];
  sidecar.on("log", (line) => log.push(line));
  const { pid } = await sidecar.start();
  const children = (): number[] =>
    log.flatMap((line) => (line.startsWith("grandchild ") ? [Number(line.split(" ")[1])] : []));
  await until(() => children().length >= ownChildren, "its own children");
  const pids = [pid, ...children()];
  const met: number[][] = [];
  const updater = (): void => {
    met.push(pids.filter(isRunning));
    rmSync(folder, { recursive: true });
    put("new");
  };
  return { sidecar, pids, updater, met, isNew: () => existsSync(join(folder, "new")) };
}

describe("an update", () => {
  test.each([
    ["well-behaved", 0],
    ["ignores-shutdown", 0],
    ["leaves-a-child", 1],
    ["ignores-signals", 1],
  ])("replaces the folder only when no process of the old sidecar lives (%s)", async (fixture, children) => {
    const { sidecar, pids, updater, met, isNew } = await installed(fixture, children);
    expect(pids.filter(isRunning)).toEqual(pids);
    // The updater of a test does not end the process: the wait for the quit is over at once.
    expect(await errorOf(installUpdate(sidecar, updater, SOON))).toMatchObject({ code: "update_failed" });
    expect(met).toEqual([[]]);
    expect(isNew()).toBe(true);
    const { pid } = await sidecar.start();
    expect(pids).not.toContain(pid);
  });

  test("is refused while the end of the sidecar is not confirmed; the folder stays, and the sidecar is back", async () => {
    const { sidecar, pids, updater, met, isNew } = await installed("leaves-a-child", 1, { stopConfirmMs: 0 });
    expect(await errorOf(installUpdate(sidecar, updater, SOON))).toMatchObject({
      code: "update_refused",
      retryable: true,
    });
    expect(met).toEqual([]);
    expect(isNew()).toBe(false);
    const { pid } = await sidecar.start();
    expect(pids).not.toContain(pid);
  });

  test("is refused if the app starts the sidecar again meanwhile", async () => {
    const { sidecar, updater, met } = await installed("ignores-shutdown", 0);
    const update = errorOf(installUpdate(sidecar, updater, SOON));
    const restarted = sidecar.start();
    expect(await update).toMatchObject({ code: "update_refused" });
    expect(met).toEqual([]);
    await restarted;
  });

  test("that the updater cannot install leaves the app with a sidecar, and names the reason", async () => {
    const { sidecar } = await installed("well-behaved", 0);
    const cause = new Error("the disk is full");
    const update = installUpdate(sidecar, () => Promise.reject(cause));
    expect(await errorOf(update)).toMatchObject({
      code: "update_failed",
      message: "The updater could not install the update: the disk is full",
      cause,
    });
    await sidecar.start();
  });

  test("asked for twice is installed once", async () => {
    const { sidecar, updater, met } = await installed("well-behaved", 0);
    const updates = [installUpdate(sidecar, updater, SOON), installUpdate(sidecar, updater, SOON)];
    const errors = await Promise.all(updates.map(errorOf));
    expect(errors[0]).toBe(errors[1]);
    expect(met).toEqual([[]]);
  });

  test("of an app that has stopped its sidecar does not start it", async () => {
    const { sidecar, updater, met } = await installed("well-behaved", 0);
    await sidecar.stop();
    await errorOf(installUpdate(sidecar, updater, SOON));
    expect(met).toEqual([[]]);
    expect(sidecar.snapshot.state).toBe("stopped");
  });
});
