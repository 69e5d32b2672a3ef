// A transport whose sidecar is a few variables: every operation answers the same value.

import { vi } from "vitest";
import type { Transport } from "../../src/shared/client.js";
import { SidecarError } from "../../src/shared/errors.js";
import type { Notice } from "../../src/shared/events.js";
import { builtInOperations } from "../../src/shared/operations.js";
import type { State, Status } from "../../src/shared/status.js";

export interface Opened {
  readonly topics: readonly string[];
  tell: (notices: readonly Notice[]) => void;
  isStopped: boolean;
}

/** A sidecar whose only todo is a number that the test changes. */
export class FakeSidecar {
  value: unknown = 1;
  failure: unknown;
  state: State = "ready";
  refusal: unknown;
  /** While set, reading waits for it. */
  gate: Promise<void> | undefined;
  readonly reads: unknown[] = [];
  readonly opened: Opened[] = [];
  readonly #statusListeners = new Set<(status: Status) => void>();

  readonly transport: Transport<{ readonly signal?: AbortSignal }> = {
    call: async (operation, input) => {
      this.reads.push([operation, input]);
      const { value, failure } = this;
      await this.gate;
      if (failure !== undefined) throw failure as Error;
      return value;
    },
    status: () => Promise.resolve(this.#status),
    onStatus: (listener) => {
      this.#statusListeners.add(listener);
      return () => void this.#statusListeners.delete(listener);
    },
    topics: (operation) => {
      const { topics } = builtInOperations[operation] ?? {};
      return topics ? Promise.resolve(topics) : Promise.reject(new SidecarError("invalid_call", "not live"));
    },
    subscribe: (topics, listener) => {
      if (this.refusal !== undefined) throw this.refusal as Error;
      const opened = { topics, tell: listener, isStopped: false };
      this.opened.push(opened);
      return { stop: () => void (opened.isStopped = true), accepted: Promise.resolve() };
    },
  };

  get #status(): Status {
    return { state: this.state, stage: null, failure: null };
  }

  get listening(): readonly Opened[] {
    return this.opened.filter(({ isStopped }) => !isStopped);
  }

  become(state: State): void {
    this.state = state;
    for (const listener of this.#statusListeners) listener(this.#status);
  }

  /** Every open subscription hears of it. */
  async tell(...notices: Notice[]): Promise<void> {
    for (const { tell } of this.listening) tell(notices);
    await settled();
  }

  async commit(topic: string, value: unknown): Promise<void> {
    this.value = value;
    await this.tell({ kind: "event", topic, id: 1, data: {} } as Notice);
  }

  async reset(reason = "subscribed"): Promise<void> {
    await this.tell({ kind: "reset", reason });
  }
}

/** All that follows without waiting for time is done. */
export async function settled(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}
