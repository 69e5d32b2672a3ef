// One stop of a sidecar: it is asked to stop, then terminated, then killed; a report says what was confirmed.

import type { Child, Exit } from "../child/child.js";
import { type Clock, Timers } from "./clock.js";
import type { Policy } from "./policy.js";

/** The result of a stop. */
export interface StopReport {
  /** The mildest step that was enough. */
  readonly outcome: "not_running" | "graceful" | "terminated" | "killed";
  /** True if nothing of the process tree is left; false only if the operating system did not remove it in time. */
  readonly confirmed: boolean;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly durationMs: number;
}

export const NOTHING_TO_STOP: StopReport = Object.freeze({
  outcome: "not_running",
  confirmed: true,
  exitCode: null,
  signal: null,
  durationMs: 0,
});

export class Stopping {
  /** Resolves when nothing of the process tree is left, or it has not gone in time. */
  readonly report: Promise<StopReport>;
  readonly #timers: Timers<"next">;
  readonly #startedAt: number;
  #outcome: StopReport["outcome"] = "graceful";
  #resolve!: (report: StopReport) => void;

  /** With `isToBeKilled`, it is killed at once. */
  constructor(
    private readonly child: Child,
    private readonly policy: Policy,
    private readonly clock: Clock,
    isToBeKilled: boolean,
  ) {
    this.report = new Promise((resolve) => (this.#resolve = resolve));
    this.#timers = new Timers(clock);
    this.#startedAt = clock.now();
    if (isToBeKilled) this.#kill();
    else this.#ask();
  }

  /** Notes that the process has ended; others of its tree may live. */
  exited(exit: Exit): void {
    this.#timers.set("next", this.policy.stopConfirmMs, () => this.#end(exit, false));
  }

  /** Notes that nothing of its tree is left. */
  gone(exit: Exit): void {
    this.#timers.clearAll();
    this.#end(exit, true);
  }

  #ask(): void {
    this.child.shutdown();
    this.#timers.set("next", this.policy.stopGraceMs, () => this.#terminate());
  }

  #terminate(): void {
    this.#outcome = "terminated";
    this.child.terminate();
    this.#timers.set("next", this.policy.stopTerminateMs, () => this.#kill());
  }

  #kill(): void {
    this.#outcome = "killed";
    this.child.kill();
    this.exited({ code: null, signal: null });
  }

  #end({ code, signal }: Exit, confirmed: boolean): void {
    const durationMs = this.clock.now() - this.#startedAt;
    this.#resolve({ outcome: this.#outcome, confirmed, exitCode: code, signal, durationMs });
  }
}
