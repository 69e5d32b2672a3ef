// Watches what operations read: all of one process over one subscription, which grows with what is watched.

import { covers, type Notice, type Topic } from "./events.js";
import type { Status } from "./status.js";

/** A subscription; `accepted` rejects if it is refused. */
export interface Subscription {
  readonly stop: () => void;
  readonly accepted: Promise<unknown>;
}

/** The part of a transport that is used. */
export interface WatchSource {
  /** The topics on which the operation's answer depends. */
  topics(operation: string): Promise<readonly string[]>;
  subscribe(topics: readonly Topic[], listener: (notices: readonly Notice[]) => void): Subscription;
  status(): Promise<Status>;
  onStatus(listener: (status: Status) => void): () => void;
}

export interface Watcher {
  /** What the operation reads may have changed; called first when no change can be missed any more. */
  readonly changed: () => void;
  /** The operation cannot be watched; nothing is called any more. */
  readonly failed: (error: unknown) => void;
}

interface Watched extends Watcher {
  /** Undefined until they are known. */
  topics?: ReadonlySet<string>;
  isLive: boolean;
}

interface Opened {
  readonly topics: ReadonlySet<string>;
  isLive: boolean;
  stop: () => void;
}

export class Watching {
  readonly #watched = new Set<Watched>();
  readonly #topics = new Map<string, Promise<ReadonlySet<string>>>();
  /** How many of them have asked for their topics: one subscription is opened for all that begin at a time. */
  #asking = 0;
  #current: Opened | undefined;
  /** Has more topics, and takes the place of the current one as soon as it is live. */
  #next: Opened | undefined;
  #stopStatus: (() => void) | undefined;

  constructor(private readonly source: WatchSource) {}

  /** Calls the watcher whenever the operation should be read. Returns a function that ends this. */
  watch(operation: string, watcher: Watcher): () => void {
    const watched: Watched = { ...watcher, isLive: false };
    this.#watched.add(watched);
    this.#watchStatus(watched);
    void this.#ask(operation, watched);
    return () => {
      this.#watched.delete(watched);
      if (this.#watched.size === 0) this.#stop();
    };
  }

  async #ask(operation: string, watched: Watched): Promise<void> {
    this.#asking += 1;
    try {
      watched.topics = await this.#topicsOf(operation);
    } catch (error) {
      this.#topics.delete(operation);
      this.#fail(watched, error);
    }
    this.#asking -= 1;
    if (this.#asking === 0) this.#cover();
  }

  #topicsOf(operation: string): Promise<ReadonlySet<string>> {
    const asked =
      this.#topics.get(operation) ?? this.source.topics(operation).then((topics) => new Set(topics));
    this.#topics.set(operation, asked);
    return asked;
  }

  /** Opens a subscription, unless one has the topics of everything that is watched. */
  #cover(): void {
    const waiting = [...this.#watched].filter(({ topics, isLive }) => topics && !isLive);
    if (waiting.length === 0) return;
    const latest = this.#next ?? this.#current;
    if (!latest || !waiting.every((watched) => has(latest, watched))) this.#open();
    else if (latest.isLive) waiting.forEach(begin);
  }

  #open(): void {
    this.#next?.stop();
    const topics = new Set([...this.#watched].flatMap((watched) => [...(watched.topics ?? [])]));
    const opened: Opened = { topics, isLive: false, stop: () => undefined };
    this.#next = opened;
    try {
      const { stop, accepted } = this.source.subscribe([...topics] as Topic[], (notices) =>
        this.#take(opened, notices),
      );
      opened.stop = stop;
      accepted.catch((error: unknown) => this.#refused(opened, error));
    } catch (error) {
      this.#refused(opened, error);
    }
  }

  #refused(opened: Opened, error: unknown): void {
    if (this.#next !== opened) return;
    this.#next = undefined;
    for (const watched of [...this.#watched])
      if (watched.topics && !watched.isLive) this.#fail(watched, error);
  }

  #take(opened: Opened, notices: readonly Notice[]): void {
    if (opened === this.#next) {
      // Only now: the one before missed nothing until here.
      this.#current?.stop();
      this.#current = opened;
      this.#next = undefined;
      opened.isLive = true;
    }
    if (opened !== this.#current) return;
    // That of a new subscription concerns those who wait for it; the others have missed nothing.
    const isReset = notices.some((notice) => notice.kind === "reset" && notice.reason !== "subscribed");
    const changed = new Set(notices.map((notice) => (notice.kind === "event" ? notice.topic : "")));
    for (const watched of [...this.#watched]) {
      if (!watched.isLive) {
        if (has(opened, watched)) begin(watched);
      } else if (isReset || [...changed].some((topic) => covers(watched.topics, topic))) {
        watched.changed();
      }
    }
  }

  /** With a sidecar that has failed there are no events; reading says why. */
  #watchStatus(watched: Watched): void {
    const readIfFailed = (state: Status["state"], all: Iterable<Watched>): void => {
      if (state === "failed") for (const each of [...all]) if (this.#watched.has(each)) each.changed();
    };
    this.#stopStatus ??= this.source.onStatus(({ state }) => readIfFailed(state, this.#watched));
    this.source.status().then(
      ({ state }) => readIfFailed(state, [watched]),
      () => undefined,
    );
  }

  #fail(watched: Watched, error: unknown): void {
    if (this.#watched.delete(watched)) watched.failed(error);
    if (this.#watched.size === 0) this.#stop();
  }

  #stop(): void {
    this.#stopStatus?.();
    this.#current?.stop();
    this.#next?.stop();
    this.#stopStatus = this.#current = this.#next = undefined;
  }
}

function begin(watched: Watched): void {
  watched.isLive = true;
  watched.changed();
}

function has({ topics }: Opened, watched: Watched): boolean {
  return watched.topics !== undefined && [...watched.topics].every((topic) => topics.has(topic));
}
