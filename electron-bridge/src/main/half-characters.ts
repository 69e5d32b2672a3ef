// Chunks of a message's text may be cut in the middle of a character: JavaScript's text is UTF-16, in which an emoji has two
// halves, and half a character cannot be stored. The half at the end of a chunk is held back and goes before the next chunk.

import { invalidField } from "../shared/plain-data.js";
import type { CallOptions } from "./calls.js";

type Send = (operation: string, input: unknown, options: CallOptions) => Promise<unknown>;

/** What the latest chunk of a message left behind. */
interface Tail {
  /** The half at its end, which was not sent. */
  readonly half: string | undefined;
  /** Its number and key, and the half that went before it: a chunk that is sent again must be the same again. */
  readonly sequence: unknown;
  readonly key: string | undefined;
  readonly before: string | undefined;
}

interface Append {
  readonly message: string;
  readonly input: { readonly body: { readonly content_chunk: string; readonly sequence?: unknown } };
}

/** Messages of which something is remembered at one time: more than an app streams at once. */
const MAX_TAILS = 1_000;
/** After these, no chunk follows that could complete a character. */
const LAST_OPERATIONS = ["messages.finish", "messages.interrupt", "messages.update", "messages.delete"];
/** Stands for half a character whose other half never came, as in every encoder. */
const REPLACEMENT = "\ufffd";

export class HalfCharacters {
  readonly #tails = new Map<string, Tail>();

  constructor(private readonly send: Send) {}

  /** Sends the call, with chunks of messages cut between characters. */
  async call(operation: string, input: unknown, options: CallOptions): Promise<unknown> {
    const append = operation === "messages.append" ? appendOf(input) : undefined;
    if (append) return this.#append(append, options);
    const message = LAST_OPERATIONS.includes(operation) ? messageOf(input) : undefined;
    if (message === undefined || !this.#tails.has(message)) return this.send(operation, input, options);
    if (operation === "messages.finish" && this.#tails.get(message)?.half !== undefined) {
      await this.send("messages.append", appendInput(message, REPLACEMENT), withoutKey(options));
    }
    this.#tails.delete(message);
    return this.send(operation, input, options);
  }

  async #append({ message, input }: Append, options: CallOptions): Promise<unknown> {
    const { content_chunk: chunk, sequence } = input.body;
    const tail = this.#tails.get(message);
    const { key } = options;
    const isAgain =
      (typeof sequence === "number" && tail?.sequence === sequence) ||
      (key !== undefined && tail?.key === key);
    const before = isAgain ? tail.before : tail?.half;
    const whole = before === undefined || chunk === "" ? chunk : completed(before, chunk);
    const half = /[\ud800-\udbff]$/.exec(whole)?.[0];
    if (before === undefined && half === undefined) {
      this.#tails.delete(message);
      return this.send("messages.append", input, options);
    }
    const text = half === undefined ? whole : whole.slice(0, -1);
    if (text === "" && typeof sequence === "number") {
      const problem =
        "is half a character, which cannot be stored under a sequence: send it with the next chunk";
      throw invalidField("body.content_chunk", problem);
    }
    const left = { half, sequence, key, before };
    this.#remember(message, left);
    try {
      if (text === "" && half !== undefined) return await this.#nothingAppended(message, options);
      const body = { ...input.body, content_chunk: text };
      return await this.send("messages.append", { ...input, body }, options);
    } catch (error) {
      // It may be sent again as it was, unless another chunk has taken what it left.
      if (this.#tails.get(message) === left) this.#remember(message, tail);
      throw error;
    }
  }

  /** There is nothing to send yet: the answer is what the message has so far. */
  async #nothingAppended(message: string, options: CallOptions): Promise<unknown> {
    const input = { path: { message_id: message }, query: { include_thinking: false } };
    const { id, next_sequence } = (await this.send("messages.get", input, withoutKey(options))) as {
      readonly id: number;
      readonly next_sequence: number;
    };
    return { message_id: id, next_sequence };
  }

  #remember(message: string, tail: Tail | undefined): void {
    this.#tails.delete(message);
    if (tail) this.#tails.set(message, tail);
    for (const oldest of this.#tails.keys()) {
      if (this.#tails.size > MAX_TAILS) this.#tails.delete(oldest);
      return;
    }
  }
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
