// Runs a task when it was asked for: never twice at a time, and once for everything that was asked meanwhile.

/** Between two runs, in milliseconds: about a frame, so that a page does not work for what nobody can see. */
const SHORTEST_PAUSE_MS = 16;
/** A slow run does not put off the next one for longer than this. */
const LONGEST_PAUSE_MS = 1_000;

export class Coalesced {
  #isWanted = false;
  #isBusy = false;
  #isEnded = false;

  constructor(private readonly task: () => Promise<void>) {}

  /** Runs the task: now, or as soon as the present run is over. */
  request(): void {
    this.#isWanted = true;
    this.#next();
  }

  /** Begins no run any more. */
  end(): void {
    this.#isEnded = true;
  }

  #next(): void {
    if (this.#isEnded || this.#isBusy || !this.#isWanted) return;
    this.#isWanted = false;
    this.#isBusy = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    const began = performance.now();
    try {
      await this.task();
    } finally {
      // As long as the run took: a flood of commits has readers use half of the time at most.
      const pauseMs = Math.max(SHORTEST_PAUSE_MS, performance.now() - began);
      setTimeout(
        () => {
          this.#isBusy = false;
          this.#next();
        },
        Math.min(pauseMs, LONGEST_PAUSE_MS),
      );
    }
  }
}
