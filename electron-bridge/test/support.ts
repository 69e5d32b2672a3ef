// Real sidecars for the tests: made, waited for, and cleaned up after.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { Sidecar, type SidecarOptions } from "../src/main/index.js";
import type { Policy } from "../src/main/supervision/policy.js";

/** Short enough for a test, in the proportions of the default. */
export const QUICK: Partial<Policy> = {
  startSilenceMs: 3_000,
  startTotalMs: 10_000,
  probeIntervalMs: 100,
  probeTimeoutMs: 80,
  restartFirstMs: 20,
  restartMaxMs: 100,
  stopGraceMs: 300,
  stopTerminateMs: 300,
  stacksWaitMs: 100,
  callTimeoutMs: 5_000,
};

export function fixturePath(name: string): string {
  return join(__dirname, "fixtures", `${name}.mjs`);
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "bridge-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A Sidecar that is stopped when the test has ended. */
export function makeSidecar(options: SidecarOptions): Sidecar {
  const sidecar = new Sidecar(options);
  onTestFinished(async () => {
    await sidecar.stop();
  });
  return sidecar;
}

export function fixtureOptions(name: string, options: Partial<SidecarOptions> = {}): SidecarOptions {
  return {
    command: process.execPath,
    args: [fixturePath(name)],
    dataDir: temporaryFolder(),
    ...options,
    policy: { ...QUICK, ...options.policy },
  };
}

export function fixtureSidecar(name: string, options: Partial<SidecarOptions> = {}): Sidecar {
  return makeSidecar(fixtureOptions(name, options));
}

/** Resolves when the condition holds; fails when it does not within the time. */
export async function until(condition: () => boolean, what: string, timeoutMs = 5_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await delay(5);
  }
}

/** Whether a process runs. One that has ended but whose parent has not looked yet does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
