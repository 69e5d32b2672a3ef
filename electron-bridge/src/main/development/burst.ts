// Events that come in bursts, as one event after each burst. Pure: the clock is handed in.

import { type Clock, Timers } from "../supervision/clock.js";

/** Files that are saved together come within this time of each other. */
const QUIET_MS = 100;
/** Events that never cease must not put the end off for ever. */
const LONGEST_MS = 1_000;

export class Burst {
  readonly #timers: Timers<"quiet" | "longest">;

  constructor(
    clock: Clock,
    private readonly onEnd: () => void,
  ) {
    this.#timers = new Timers(clock);
  }

  /** Notes an event: the burst ends when none has come for a moment, or at the latest a second after its first. */
  note(): void {
    this.#timers.set("quiet", QUIET_MS, () => this.#end());
    this.endLater();
  }

  /** Ends the burst within a second, whether events come or not. */
  endLater(): void {
    if (!this.#timers.isSet("longest")) this.#timers.set("longest", LONGEST_MS, () => this.#end());
  }

  cancel(): void {
    this.#timers.clearAll();
  }

  #end(): void {
    this.#timers.clearAll();
    this.onEnd();
  }
}
