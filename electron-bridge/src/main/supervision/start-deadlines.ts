// The time limits of a start: one on the silence of each process, and one on all of its processes together.

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

  /** Begins a start, which may take several processes. */
  begin(): void {
    this.#total.start(this.policy.startTotalMs);
  }

  /** Continues the start with another process. */
  goOn(): void {
    this.#total.run();
  }

  /** Notes that a process was launched, or has written a status line. */
  heard(): void {
    this.#timers.set("silence", this.policy.startSilenceMs, () => this.on.silent());
  }

  /** Notes the stage that a process reported. */
  heardOf(stage: string): void {
    if (UNCOUNTED_STAGES.includes(stage)) this.#total.pause();
    else this.#total.run();
  }

  /** Ends the wait for the current process; the start may continue with another. */
  endSilence(): void {
    this.#timers.clearAll();
  }

  end(): void {
    this.#timers.clearAll();
    this.#total.pause();
  }
}
