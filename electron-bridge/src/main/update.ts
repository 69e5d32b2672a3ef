// The order of an update: the sidecar stops, its end is confirmed, and only then may its files be replaced.

import { setTimeout as delay } from "node:timers/promises";
import { SidecarError } from "../shared/errors.js";
import type { State } from "../shared/status.js";
import type { Sidecar } from "./sidecar.js";

export interface UpdateOptions {
  /** Milliseconds within which the app quits once the updater has been called; 60,000 by default. */
  readonly quitWithinMs?: number;
}

const QUIT_WITHIN_MS = 60_000;

/** The states of a sidecar that the app has started and not stopped. */
const WANTED: readonly State[] = ["starting", "ready", "unresponsive", "restarting"];

const underWay = new WeakMap<Sidecar, Promise<never>>();

/**
 * Installs an update of the app: stops the sidecar, and calls `install`, such as `() => autoUpdater.quitAndInstall()`, once
 * nothing of the sidecar's process tree is left. On Windows, files of a program that runs cannot be replaced; elsewhere
 * a sidecar whose files change under it loads parts of two versions.
 *
 * In the good case the app quits, and the promise stays pending. If it rejects, the app continues as before: a sidecar
 * that ran has been started again. Called again meanwhile, the same promise.
 *
 * @throws SidecarError `update_refused` if the sidecar's end is not confirmed, or the app started it again meanwhile;
 * `update_failed` if the updater throws, or the app still runs after `quitWithinMs`
 */
export function installUpdate(
  sidecar: Sidecar,
  install: () => unknown,
  { quitWithinMs = QUIT_WITHIN_MS }: UpdateOptions = {},
): Promise<never> {
  const running = underWay.get(sidecar);
  if (running) return running;
  const update = stopAndInstall(sidecar, install, quitWithinMs).finally(() => underWay.delete(sidecar));
  underWay.set(sidecar, update);
  return update;
}

async function stopAndInstall(
  sidecar: Sidecar,
  install: () => unknown,
  quitWithinMs: number,
): Promise<never> {
  const wasWanted = WANTED.includes(sidecar.snapshot.state);
  try {
    await confirmStop(sidecar);
    await callUpdater(install);
    await delay(quitWithinMs);
    throw new SidecarError(
      "update_failed",
      `The updater was called, but the app still runs after ${quitWithinMs / 1_000} s; see the updater's log, and try again.`,
    );
  } catch (error) {
    // Its failure is in the status, as after any other start.
    if (wasWanted) sidecar.start().catch(() => undefined);
    throw error;
  }
}

async function confirmStop(sidecar: Sidecar): Promise<void> {
  const { confirmed } = await sidecar.stop();
  if (!confirmed) {
    throw new SidecarError(
      "update_refused",
      "The update was not installed, because a process of the sidecar has not ended; try again, or restart the machine.",
      { retryable: true },
    );
  }
  if (sidecar.snapshot.state !== "stopped") {
    throw new SidecarError(
      "update_refused",
      "The update was not installed, because the app started the sidecar again; call start() only after installUpdate() has failed.",
      { retryable: true },
    );
  }
}

async function callUpdater(install: () => unknown): Promise<void> {
  try {
    await install();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new SidecarError("update_failed", `The updater could not install the update: ${message}`, {
      cause: error,
    });
  }
}
