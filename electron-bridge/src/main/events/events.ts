// Live events for every subscriber in the app over one connection, which exists only while there are subscribers.
// After each interruption the sidecar is asked to continue after the last id.

import { covers, type Notice, problemOfTopics } from "../../shared/events.js";
import { invalidField } from "../../shared/plain-data.js";
import { systemClock, Timers } from "../supervision/clock.js";
import { EventStream, type ServerEvent } from "./event-stream.js";
import type { Policy } from "../supervision/policy.js";

/** Called with the notices that came at one time, in order. */
export type NoticesListener = (notices: readonly Notice[]) => void;

interface Subscriber {
  readonly topics: ReadonlySet<string>;
  readonly listener: NoticesListener;
  /** True once it has had its first reset: from then on it either gets every event or another reset. */
  isLive: boolean;
}

interface Endpoint {
  readonly port: number;
  readonly token: string;
}

const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 2_000;

export class Events {
  readonly #subscribers = new Set<Subscriber>();
  readonly #timers = new Timers<"retry">(systemClock);
  #endpoint: Endpoint | undefined;
  #stream: EventStream | undefined;
  /** True once the stream has begun. */
  #isLive = false;
  #lastId: string | undefined;
  #failures = 0;

  /** `namespaces` are those of the app's extensions, where they are known. */
  constructor(
    private readonly policy: Policy,
    private readonly namespaces: ReadonlySet<string> | undefined = new Set(),
  ) {}

  /** Connects to this sidecar, which answers from now on. */
  open(endpoint: Endpoint): void {
    this.#disconnect();
    this.#endpoint = endpoint;
    this.#connect();
  }

  /** Disconnects, because no sidecar answers now. */
  close(): void {
    this.#disconnect();
    this.#endpoint = undefined;
  }

  /**
   * Calls the listener with every event of these topics, after a first reset. Returns a function that ends this.
   *
   * @throws SidecarError `invalid_call`
   */
  subscribe(topics: unknown, listener: NoticesListener): () => void {
    const problem = problemOfTopics(topics, this.namespaces);
    if (problem !== undefined) throw invalidField("topics", problem);
    const subscriber: Subscriber = { topics: new Set(topics as readonly string[]), listener, isLive: false };
    this.#subscribers.add(subscriber);
    if (!this.#stream) this.#connect();
    // In a microtask: the caller has nothing to unsubscribe with yet.
    else if (this.#isLive) queueMicrotask(() => this.#isLive && this.#begin(subscriber));
    return () => {
      this.#subscribers.delete(subscriber);
      if (this.#subscribers.size > 0) return;
      this.#disconnect();
      this.#lastId = undefined;
    };
  }

  #connect(): void {
    this.#timers.clear("retry");
    if (!this.#endpoint || this.#stream || this.#subscribers.size === 0) return;
    this.#stream = new EventStream({
      ...this.#endpoint,
      lastId: this.#lastId,
      silenceMs: this.policy.eventSilenceMs,
      onEvents: (events, lastId) => {
        this.#lastId = lastId;
        this.#take(events);
      },
      onEnd: () => {
        this.#disconnect();
        const pauseMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#failures++);
        this.#timers.set("retry", pauseMs, () => this.#connect());
      },
    });
  }

  #disconnect(): void {
    this.#timers.clear("retry");
    this.#stream?.close();
    this.#stream = undefined;
    this.#isLive = false;
  }

  #take(events: readonly ServerEvent[]): void {
    const notices: Notice[] = [];
    for (const { name, data } of events) {
      if (name === "hello") this.#onHello(data);
      else notices.push(noticeOf(name, data));
    }
    if (notices.length === 0) return;
    for (const subscriber of [...this.#subscribers]) {
      const wanted = notices.filter(
        (notice) => notice.kind === "reset" || covers(subscriber.topics, notice.topic),
      );
      if (wanted.some(({ kind }) => kind === "reset")) subscriber.isLive = true;
      if (wanted.length > 0) this.#notify(subscriber, wanted);
    }
  }

  /** Begins new subscribers, unless a reset follows, which is their first notice too. */
  #onHello({ start }: Record<string, unknown>): void {
    this.#isLive = true;
    this.#failures = 0;
    if (start === "reset") return;
    for (const subscriber of [...this.#subscribers]) this.#begin(subscriber);
  }

  #begin(subscriber: Subscriber): void {
    if (subscriber.isLive || !this.#subscribers.has(subscriber)) return;
    subscriber.isLive = true;
    this.#notify(subscriber, [{ kind: "reset", reason: "subscribed" }]);
  }

  /** Calls the listener in a microtask, in order: one that throws must not keep an event from the others. */
  #notify(subscriber: Subscriber, notices: readonly Notice[]): void {
    queueMicrotask(() => {
      if (this.#subscribers.has(subscriber)) subscriber.listener(notices);
    });
  }
}

function noticeOf(topic: string, { id = null, ...rest }: Readonly<Record<string, unknown>>): Notice {
  if (topic === "reset") return { kind: "reset", reason: String(rest["reason"]) };
  const data = Object.fromEntries(Object.entries(rest).filter(([name]) => name !== "topic"));
  // The sidecar is trusted to send what its document says: they are of the same version.
  return { kind: "event", topic, id, data } as Notice;
}
