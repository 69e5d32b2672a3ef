// A message's text as it grows: read once, then continued by its deltas, read again whenever some may be missing.

import { SidecarError } from "./errors.js";
import type { EventData, Notice, Topic } from "./events.js";
import type { AnyCallInput } from "./operations.js";
import type { Status } from "./status.js";

/** The fields of a message that are used. */
interface MessageRecord {
  readonly content: string;
  readonly status: string;
  readonly error_message: string | null;
  /** The sequence of the next delta. */
  readonly next_sequence?: number;
}

type SignalOption = { readonly signal: AbortSignal } | undefined;

/** The part of a transport that is used. */
export interface MessageSource {
  call(operation: string, input: AnyCallInput, options: SignalOption): Promise<unknown>;
  /** `accepted` rejects when the page may not subscribe. */
  subscribe(
    topics: readonly Topic[],
    listener: (notices: readonly Notice[]) => void,
  ): { readonly stop: () => void; readonly accepted: Promise<unknown> };
  status(): Promise<Status>;
  onStatus(listener: (status: Status) => void): () => void;
}

const ROWS = "messages";
const DELTAS = "messages.delta";
const OPEN = ["pending", "streaming"];

export async function* messageText(
  source: MessageSource,
  messageId: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, undefined> {
  const buffer = new MessageBuffer(messageId);
  const { stop, accepted } = source.subscribe([ROWS, DELTAS], (notices) =>
    notices.forEach((notice) => buffer.take(notice)),
  );
  accepted.catch((error: unknown) => buffer.fail(error));
  // With a sidecar that will not come back there are no events; reading says why.
  const readIfLost = ({ state }: Status): void => {
    if (state === "failed" || state === "stopped") buffer.read();
  };
  const stopStatus = source.onStatus(readIfLost);
  source.status().then(readIfLost, () => undefined);
  const abort = (): void => buffer.fail(new SidecarError("cancelled", "The reading was cancelled."));
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  try {
    let yielded = 0;
    for (;;) {
      await buffer.happened();
      let text = buffer.takeText();
      if (buffer.mustRead()) {
        const message = await readMessage(source, messageId, signal);
        text = message.content.slice(yielded);
        buffer.expect(message.next_sequence ?? 0);
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

async function readMessage(
  source: MessageSource,
  messageId: number,
  signal: AbortSignal | undefined,
): Promise<MessageRecord> {
  const input = { path: { message_id: messageId }, query: { include_thinking: false } };
  return (await source.call("messages.get", input, signal && { signal })) as MessageRecord;
}

function throwUnlessCompleted({ status, error_message }: MessageRecord): void {
  if (status === "completed") return;
  throw new SidecarError(`message_${status}`, error_message ?? `The message is ${status}.`);
}

/** The deltas of a message that have arrived and were not handed on. */
class MessageBuffer {
  #deltas: EventData<typeof DELTAS>[] = [];
  /** The sequence of the delta that comes next; unknown until the message was read. */
  #next: number | undefined;
  #isStale = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(private readonly messageId: number) {}

  take(notice: Notice): void {
    if (notice.kind === "reset") return this.read();
    if (notice.id !== this.messageId) return;
    if (notice.topic === DELTAS) this.#deltas.push(notice.data);
    else this.#isStale = true;
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

  /** Resolves when the message must be read, or its next delta is there. Rejects with the failure. */
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

  /** Return whether the message is stale, and mark it as read. */
  mustRead(): boolean {
    const isStale = this.#isStale;
    this.#isStale = false;
    return isStale;
  }

  expect(next: number): void {
    this.#next = next;
  }
}
