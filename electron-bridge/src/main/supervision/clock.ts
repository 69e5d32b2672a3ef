// Time, as far as the bridge needs it: the time now, and actions that happen later unless they are cancelled.

/** Time that only moves forward, in milliseconds. `after` returns a function that cancels. */
export interface Clock {
  now(): number;
  after(ms: number, action: () => void): () => void;
}

/** A longer time overflows in timers, which then fire at once. Nothing waits for 24 days: it means for ever. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, action) => {
    const timer = setTimeout(action, Math.min(ms, LONGEST_MS));
    return () => clearTimeout(timer);
  },
};

/**
 * A clock that stands still while the machine sleeps. After the sleep every pending wait begins again with its full
 * time, because a status line or an answer may have come that has not been read.
 */
export class AwakeClock implements Clock {
  readonly #waits = new Set<Wait>();
  #asleepSince: number | undefined;
  #sleptMs = 0;

  constructor(private readonly clock: Clock) {}

  now(): number {
    return (this.#asleepSince ?? this.clock.now()) - this.#sleptMs;
  }

  after(ms: number, action: () => void): () => void {
    const wait: Wait = { ms, action, cancel: () => undefined };
    this.#waits.add(wait);
    if (this.#asleepSince === undefined) this.#begin(wait);
    return () => {
      wait.cancel();
      this.#waits.delete(wait);
    };
  }

  suspend(): void {
    this.#asleepSince ??= this.clock.now();
    for (const { cancel } of this.#waits) cancel();
  }

  resume(): void {
    if (this.#asleepSince === undefined) return;
    this.#sleptMs += this.clock.now() - this.#asleepSince;
    this.#asleepSince = undefined;
    for (const wait of this.#waits) this.#begin(wait);
  }

  #begin(wait: Wait): void {
    wait.cancel = this.clock.after(wait.ms, () => {
      this.#waits.delete(wait);
      wait.action();
    });
  }
}

interface Wait {
  readonly ms: number;
  readonly action: () => void;
  cancel: () => void;
}

/** Timers with names. A name has one timer at most: setting it again cancels the earlier one. */
export class Timers<Name extends string> {
  readonly #cancels = new Map<Name, () => void>();

  constructor(private readonly clock: Clock) {}

  set(name: Name, ms: number, action: () => void): void {
    this.clear(name);
    const cancel = this.clock.after(ms, () => {
      this.#cancels.delete(name);
      action();
    });
    this.#cancels.set(name, cancel);
  }

  isSet(name: Name): boolean {
    return this.#cancels.has(name);
  }

  clear(...names: Name[]): void {
    for (const name of names) {
      this.#cancels.get(name)?.();
      this.#cancels.delete(name);
    }
  }

  clearAll(): void {
    this.clear(...this.#cancels.keys());
  }
}

/** A countdown that can be paused, and continues with the time that was left. */
export class Countdown {
  #leftMs = 0;
  #running: { readonly since: number; readonly cancel: () => void } | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly onEnd: () => void,
  ) {}

  /** Sets the time that is left, in milliseconds, and runs. */
  start(ms: number): void {
    this.pause();
    this.#leftMs = ms;
    this.run();
  }

  run(): void {
    if (this.#running) return;
    const cancel = this.clock.after(this.#leftMs, () => {
      this.pause();
      this.onEnd();
    });
    this.#running = { since: this.clock.now(), cancel };
  }

  pause(): void {
    if (!this.#running) return;
    this.#running.cancel();
    this.#leftMs -= this.clock.now() - this.#running.since;
    this.#running = undefined;
  }
}
