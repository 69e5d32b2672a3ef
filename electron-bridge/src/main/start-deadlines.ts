// How long a start may take: each process may be silent for a while, and all of them together have a time in all.

import { type Clock, Countdown, Timers } from "./clock.js";
import type { Policy } from "./policy.js";

/** Stages whose time does not count against the start: they take as long as the data is large. */
const UNCOUNTED_STAGES: readonly string[] = ["migrating", "backing_up", "recovering"];

export class StartDeadlines {
  readonly #timers: Timers<"silence">;
  readonly #total: Countdown;

  constructor(
    clock: Clock,
    private readonly policy: Policy,
    private readonly on: { readonly silent: () => void; readonly overdue: () => void },
  ) {
    this.#timers = new Timers(clock);
    this.#total = new Countdown(clock, on.overdue);
  }

  /** A start begins, whatever becomes of the processes that it takes. */
  begin(): void {
    this.#total.start(this.policy.startTotalMs);
  }

  /** The start goes on with another process, or is about to. */
  goOn(): void {
    this.#total.run();
  }

  /** A process has been launched, or has said something. */
  heard(): void {
    this.#timers.set("silence", this.policy.startSilenceMs, () => this.on.silent());
  }

  /** A process says what it is doing. */
  heardOf(stage: string): void {
    if (UNCOUNTED_STAGES.includes(stage)) this.#total.pause();
    else this.#total.run();
  }

  /** The process is not waited for any more; the start may go on with another. */
  endSilence(): void {
    this.#timers.clearAll();
  }

  end(): void {
    this.#timers.clearAll();
    this.#total.pause();
  }
}
