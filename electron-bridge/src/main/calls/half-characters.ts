// Chunks of a message's text may be cut in the middle of a character: JavaScript's text is UTF-16, in which an emoji has two
// halves, and half a character cannot be stored. The half at the end of a chunk is held back and goes before the next chunk.

import { randomUUID } from "node:crypto";
import { invalidField } from "../../shared/plain-data.js";
import type { CallOptions } from "./calls.js";
import { derivedKey } from "./http-request.js";

type Send = (operation: string, input: unknown, options: CallOptions) => Promise<unknown>;

/** A chunk that begins or ends with half a character: sent again, it must be the same again. */
interface Chunk {
  readonly text: string;
  readonly sequence: unknown;
  readonly key: string | undefined;
  /** The half that was put before it. */
  readonly before: string | undefined;
  /** The half at its end, which was held back. */
  readonly half: string | undefined;
  /** A later chunk has that half before it. */
  isHalfTaken: boolean;
  hasFailed: boolean;
}

/** The chunks of one message. */
interface Stream {
  /** The chunk whose half, if it has one, goes before the next chunk. */
  last: Chunk | undefined;
  /** The newest ones, for a chunk that is sent again. */
  readonly chunks: Chunk[];
  /** Makes the append of a replacement happen once, however often the message is finished. */
  readonly id: string;
}

interface Append {
  readonly message: string;
  readonly input: { readonly body: { readonly content_chunk: string; readonly sequence?: unknown } };
}

/** Messages of which something is remembered at one time: more than an app streams at once. */
const MAX_STREAMS = 1_000;
/** Chunks of one message that are remembered: more than an app has under way at one time. */
const MAX_CHUNKS = 16;
/** After these, no chunk follows that could complete a character. */
const LAST_OPERATIONS = ["messages.finish", "messages.interrupt", "messages.update", "messages.delete"];
/** Stands for half a character whose other half never came, as in every encoder. */
const REPLACEMENT = "\ufffd";

export class HalfCharacters {
  readonly #streams = new Map<string, Stream>();

  constructor(private readonly send: Send) {}

  /** Sends the call, with chunks of messages cut between characters. */
  async call(operation: string, input: unknown, options: CallOptions): Promise<unknown> {
    const append = operation === "messages.append" ? appendOf(input) : undefined;
    if (append) return this.#append(append, options);
    const message = LAST_OPERATIONS.includes(operation) ? messageOf(input) : undefined;
    const stream = message === undefined ? undefined : this.#streams.get(message);
    if (message === undefined || !stream) return this.send(operation, input, options);
    if (operation === "messages.finish" && pendingHalf(stream) !== undefined) {
      const key = derivedKey(options.key ?? stream.id, "the replacement of half a character");
      await this.send("messages.append", appendInput(message, REPLACEMENT), { ...withoutKey(options), key });
    }
    this.#streams.delete(message);
    return this.send(operation, input, options);
  }

  async #append({ message, input }: Append, options: CallOptions): Promise<unknown> {
    const { content_chunk, sequence } = input.body;
    const known = this.#streams.get(message);
    const again = known?.chunks.find((chunk) => isSame(chunk, content_chunk, sequence, options.key));
    const before = again ? again.before : pendingHalf(known);
    const whole =
      before === undefined || content_chunk === "" ? content_chunk : completed(before, content_chunk);
    const half = /[\ud800-\udbff]$/.exec(whole)?.[0];
    if (before === undefined && half === undefined) return this.send("messages.append", input, options);
    const text = half === undefined ? whole : whole.slice(0, -1);
    if (text === "" && typeof sequence === "number") {
      const problem =
        "is half a character, which cannot be stored under a sequence: send it with the next chunk";
      throw invalidField("body.content_chunk", problem);
    }
    const stream = this.#remembered(message);
    const previous = stream.last;
    const chunk =
      again ?? this.#take(stream, { text: content_chunk, sequence, key: options.key, before, half });
    try {
      const body = { ...input.body, content_chunk: text };
      const answer =
        text === "" && half !== undefined
          ? await this.#nothingAppended(message, options)
          : await this.send("messages.append", { ...input, body }, options);
      chunk.hasFailed = false;
      return answer;
    } catch (error) {
      chunk.hasFailed = true;
      if (!again && stream.last === chunk) putBack(stream, previous);
      throw error;
    }
  }

  /** Notes a new chunk, with the half that it takes from the one before. */
  #take(stream: Stream, parts: Omit<Chunk, "isHalfTaken" | "hasFailed">): Chunk {
    const chunk = { ...parts, isHalfTaken: false, hasFailed: false };
    if (stream.last) stream.last.isHalfTaken = true;
    stream.last = chunk;
    stream.chunks.push(chunk);
    if (stream.chunks.length > MAX_CHUNKS) stream.chunks.shift();
    return chunk;
  }

  /** Answers an append that has nothing to send yet, with the message as it is. */
  async #nothingAppended(message: string, options: CallOptions): Promise<unknown> {
    const input = { path: { message_id: message }, query: { include_thinking: false } };
    const { id, next_sequence } = (await this.send("messages.get", input, withoutKey(options))) as {
      readonly id: number;
      readonly next_sequence: number;
    };
    return { message_id: id, next_sequence };
  }

  #remembered(message: string): Stream {
    const stream = this.#streams.get(message) ?? { last: undefined, chunks: [], id: randomUUID() };
    this.#streams.delete(message);
    this.#streams.set(message, stream);
    for (const oldest of this.#streams.keys()) {
      if (this.#streams.size > MAX_STREAMS) this.#streams.delete(oldest);
      break;
    }
    return stream;
  }
}

function pendingHalf(stream: Stream | undefined): string | undefined {
  return stream?.last?.half;
}

/** By its sequence or its key; one that failed and has neither, by its text. */
function isSame(chunk: Chunk, text: string, sequence: unknown, key: string | undefined): boolean {
  if (typeof sequence === "number") return chunk.sequence === sequence;
  if (key !== undefined) return chunk.key === key;
  return chunk.hasFailed && chunk.text === text;
}

/** A chunk that failed before another one took its half is as if it had never been sent. */
function putBack(stream: Stream, previous: Chunk | undefined): void {
  stream.chunks.pop();
  stream.last = previous;
  if (previous) previous.isHalfTaken = false;
}

/** The chunk behind the half that was held back, which it completes or not. */
function completed(half: string, chunk: string): string {
  return (/^[\udc00-\udfff]/.test(chunk) ? half : REPLACEMENT) + chunk;
}

function appendInput(message: string, content_chunk: string): object {
  return { path: { message_id: message }, body: { content_chunk } };
}

/** The key is that of the call itself. */
function withoutKey({ signal, timeoutMs }: CallOptions): CallOptions {
  return { ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) };
}

function appendOf(input: unknown): Append | undefined {
  const message = messageOf(input);
  const body = fieldOf(input, "body");
  if (message === undefined || typeof fieldOf(body, "content_chunk") !== "string") return undefined;
  return { message, input: input as Append["input"] };
}

function messageOf(input: unknown): string | undefined {
  const id = fieldOf(fieldOf(input, "path"), "message_id");
  return typeof id === "number" || typeof id === "string" ? String(id) : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
