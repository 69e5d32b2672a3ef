// The health checks of a ready sidecar: it is probed at an interval, and may miss a limited number of probes in a row.

import type { Ready } from "../../shared/status.js";
import { type Clock, Timers } from "./clock.js";
import type { Policy } from "./policy.js";

/** Sends `GET /health/live` to the sidecar and resolves with its answer. */
export type AskHealth = (ready: Ready, signal: AbortSignal) => Promise<unknown>;

/**
 * Whether the sidecar answers in time, and is the very instance that said `ready`: another process that has taken its
 * port answers too. Never rejects.
 */
export async function isAlive(
  ready: Ready,
  timeoutMs: number,
  clock: Clock,
  ask: AskHealth,
): Promise<boolean> {
  const controller = new AbortController();
  const stopTimer = clock.after(timeoutMs, () => controller.abort());
  try {
    const answer = await ask(ready, controller.signal);
    return (answer as { instance?: unknown } | null | undefined)?.instance === ready.instance;
  } catch {
    return false;
  } finally {
    stopTimer();
  }
}

export class HealthWatch {
  readonly #timers: Timers<"probe">;
  #watched: Ready | undefined;
  #misses = 0;
  #isSuspended = false;

  constructor(
    clock: Clock,
    private readonly policy: Policy,
    /** Whether this very instance answers its health check. Never rejects. */
    private readonly probe: (ready: Ready) => Promise<boolean>,
    private readonly onUnresponsive: (misses: number) => void,
  ) {
    this.#timers = new Timers(clock);
  }

  begin(ready: Ready): void {
    this.#watched = ready;
    this.#misses = 0;
    this.#scheduleProbe(ready);
  }

  end(): void {
    this.#watched = undefined;
    this.#timers.clearAll();
  }

  /** Ignores the results of probes until `resume`: they say nothing about the sidecar. */
  suspend(): void {
    this.#isSuspended = true;
  }

  resume(): void {
    this.#isSuspended = false;
    this.#misses = 0;
  }

  #scheduleProbe(ready: Ready): void {
    this.#timers.set("probe", this.policy.probeIntervalMs, () => {
      this.#scheduleProbe(ready);
      void this.#probe(ready);
    });
  }

  async #probe(ready: Ready): Promise<void> {
    const isAlive = await this.probe(ready);
    if (ready !== this.#watched || this.#isSuspended) return;
    this.#misses = isAlive ? 0 : this.#misses + 1;
    if (this.#misses >= this.policy.probeMisses) this.onUnresponsive(this.#misses);
  }
}
