// A message's text as it grows: read once, then continued by its deltas, read again whenever some may be missing.

import { SidecarError } from "../shared/errors.js";
import type { EventNotice, Notice } from "../shared/events.js";
import type { PageStatus } from "../shared/status.js";

/** What is needed of a message's record. */
interface MessageRecord {
  readonly content: string;
  readonly status: string;
  readonly error_message: string | null;
  /** The sequence of the next delta. */
  readonly next_sequence?: number;
}

/** What is needed of the sidecar. */
export interface MessageSource {
  read(messageId: number, signal: AbortSignal | undefined): Promise<MessageRecord>;
  /** Rejects when the page may not subscribe. */
  subscribe(
    topics: readonly string[],
    listener: (notice: Notice) => void,
  ): { stop: () => void; accepted: Promise<unknown> };
  onStatus(listener: (status: PageStatus) => void): () => void;
}

const ROWS = "messages";
const DELTAS = "messages.delta";
const OPEN = ["pending", "streaming"];

export async function* messageText(
  source: MessageSource,
  messageId: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, undefined> {
  const growth = new Growth(messageId);
  const { stop, accepted } = source.subscribe([ROWS, DELTAS], (notice) => growth.take(notice));
  accepted.catch((error: unknown) => growth.fail(error));
  // With a sidecar that will not come back there are no events; reading says why.
  const stopStatus = source.onStatus(({ state }) => ["failed", "stopped"].includes(state) && growth.read());
  const abort = (): void => growth.fail(new SidecarError("cancelled", "The reading was cancelled."));
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  try {
    let yielded = 0;
    for (;;) {
      await growth.happened();
      let text = growth.takeText();
      if (growth.mustRead()) {
        const message = await source.read(messageId, signal);
        text = message.content.slice(yielded);
        growth.expect(message.next_sequence ?? 0);
        if (!OPEN.includes(message.status)) {
          if (text !== "") yield text;
          throwUnlessCompleted(message);
          return;
        }
      }
      yielded += text.length;
      if (text !== "") yield text;
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    stopStatus();
    stop();
  }
}

function throwUnlessCompleted({ status, error_message }: MessageRecord): void {
  if (status === "completed") return;
  throw new SidecarError(`message_${status}`, error_message ?? `The message is ${status}.`);
}

/** What was heard of a message and not yet handed on. */
class Growth {
  #deltas: { sequence: number; text: string }[] = [];
  /** The sequence of the delta that comes next; unknown until the message was read. */
  #next: number | undefined;
  #isStale = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(private readonly messageId: number) {}

  take(notice: Notice): void {
    if (notice.kind === "reset") return this.read();
    if (notice.id !== this.messageId) return;
    if (notice.topic === ROWS) return this.read();
    this.#deltas.push(deltaOf(notice));
    this.#wake();
  }

  /** The message must be read again. */
  read(): void {
    this.#isStale = true;
    this.#wake();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  /** Resolves when there is something to do. */
  async happened(): Promise<void> {
    while (!this.#failure && !this.#isStale && (this.#next === undefined || this.#deltas.length === 0)) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.#failure) throw this.#failure.error;
  }

  /** The text of the deltas that follow on each other; a gap makes the message stale. */
  takeText(): string {
    let text = "";
    if (this.#next === undefined) return text;
    for (const delta of this.#deltas.splice(0)) {
      if (delta.sequence > this.#next) this.#isStale = true;
      if (delta.sequence !== this.#next) continue;
      text += delta.text;
      this.#next += 1;
    }
    return text;
  }

  /** Whether the message is stale; asked, it is taken as read. */
  mustRead(): boolean {
    const isStale = this.#isStale;
    this.#isStale = false;
    return isStale;
  }

  expect(next: number): void {
    this.#next = next;
  }
}

function deltaOf({ data }: EventNotice): { sequence: number; text: string } {
  return data as unknown as { sequence: number; text: string };
}
