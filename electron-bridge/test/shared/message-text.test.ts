// A message's text as a page reads it while it grows: whole, once, and to its end, whatever happens in between.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sidecar } from "../../src/renderer/index.js";
import type { PageBridge } from "../../src/shared/channels.js";
import type { Notice } from "../../src/shared/events.js";
import type { Status } from "../../src/shared/status.js";
import { errorOf, until } from "../support.js";

const MESSAGE = 7;

/** A preload script's bridge whose sidecar is a few variables. */
class FakeBridge {
  content = "";
  status = "streaming";
  error: string | null = null;
  sequence = 0;
  reads = 0;
  /** While set, reading waits for it. */
  gate: Promise<void> | undefined;
  refusal: string | undefined;
  listener: ((notices: readonly Notice[]) => void) | undefined;
  tellStatus: ((status: Status) => void) | undefined;

  readonly bridge: PageBridge = {
    call: async (_, operation, input) => {
      expect([operation, input]).toEqual([
        "messages.get",
        { path: { message_id: MESSAGE }, query: { include_thinking: false } },
      ]);
      this.reads += 1;
      const { content, status, error: error_message, sequence: next_sequence } = this;
      await this.gate;
      if (this.refusal !== undefined) return refused(this.refusal);
      return { ok: true, value: { content, status, error_message, next_sequence } };
    },
    cancel: () => undefined,
    status: () => Promise.reject(new Error("not asked for")),
    topics: () => Promise.reject(new Error("not asked for")),
    onStatus: (listener) => {
      this.tellStatus = listener;
      return () => (this.tellStatus = undefined);
    },
    subscribe: (_, topics, listener) => {
      expect(topics).toEqual(["messages", "messages.delta"]);
      if (this.refusal !== undefined) return Promise.resolve(refused(this.refusal));
      this.listener = listener;
      this.reset();
      return Promise.resolve({ ok: true, value: null });
    },
    unsubscribe: () => (this.listener = undefined),
  };

  reset(reason = "subscribed"): void {
    queueMicrotask(() => this.listener?.([{ kind: "reset", reason }]));
  }

  append(text: string, { isHeard = true } = {}): void {
    this.content += text;
    const data = { conversation_id: 1, sequence: this.sequence, text };
    this.sequence += 1;
    if (isHeard) this.listener?.([{ kind: "event", topic: "messages.delta", id: MESSAGE, data }]);
  }

  finish(status: string, error: string | null = null): void {
    Object.assign(this, { status, error, sequence: 0 });
    this.listener?.([{ kind: "event", topic: "messages", id: MESSAGE, data: {} }]);
  }
}

function refused(code: string) {
  return { ok: false, error: { code, message: code, status: null, retryable: false, errors: [] } } as const;
}

let fake: FakeBridge;
beforeEach(() => {
  fake = new FakeBridge();
  Object.assign(globalThis, { electronSidecar: fake.bridge });
});
afterEach(() => Reflect.deleteProperty(globalThis, "electronSidecar"));

/** Reads to the end; what came so far is in `pieces`. */
function read(signal?: AbortSignal) {
  const pieces: string[] = [];
  const ended = (async () => {
    for await (const piece of sidecar.messages.text(MESSAGE, signal && { signal })) pieces.push(piece);
  })();
  const text = () => pieces.join("");
  const has = (expected: string) => until(() => text() === expected, `"${expected}", not "${text()}"`);
  return { pieces, ended, text, has };
}

describe("the text of a message", () => {
  test("is what is there, then each delta, and ends when the message is completed", async () => {
    fake.append("Once ");
    const reading = read();
    await reading.has("Once ");
    fake.append("upon ");
    await reading.has("Once upon ");
    fake.append("a time");
    fake.finish("completed");
    await reading.ended;
    expect(reading.pieces).toEqual(["Once ", "upon ", "a time"]);
    expect(fake.reads).toBe(2);
    expect(fake.listener).toBeUndefined();
  });

  test("of a finished message comes at once", async () => {
    fake.append("done");
    fake.status = "completed";
    const reading = read();
    await reading.ended;
    expect(reading.pieces).toEqual(["done"]);
  });

  test("neither repeats nor loses what is appended while it is read", async () => {
    let open = (): void => undefined;
    fake.gate = new Promise((resolve) => (open = resolve));
    fake.append("a");
    const reading = read();
    await until(() => fake.reads === 1, "the read to begin");
    fake.append("b");
    fake.append("c");
    open();
    await reading.has("abc");
    expect(fake.reads).toBe(1);
    fake.finish("completed");
    await reading.ended;
    expect(reading.text()).toBe("abc");
  });

  test("goes on from its offset after a reset, as after a restart of the sidecar", async () => {
    fake.append("a日");
    const reading = read();
    await reading.has("a日");
    fake.append("b", { isHeard: false });
    fake.reset("another_instance");
    await reading.has("a日b");
    fake.append("c");
    await reading.has("a日bc");
    fake.finish("completed");
    await reading.ended;
    expect(reading.pieces).toEqual(["a日", "b", "c"]);
  });

  test("is read again where a delta is missing", async () => {
    const reading = read();
    await until(() => fake.reads === 1, "the first read");
    fake.append("a", { isHeard: false });
    fake.append("b");
    await reading.has("ab");
    fake.finish("completed");
    await reading.ended;
  });

  test.each([
    ["failed", "The model is gone."],
    ["cancelled", null],
  ])("of a message that is %s comes whole, then throws", async (status, reason) => {
    fake.append("half");
    const reading = read();
    await reading.has("half");
    fake.append(" a sentence", { isHeard: false });
    fake.finish(status, reason);
    const error = await errorOf(reading.ended);
    expect(error).toMatchObject({
      code: `message_${status}`,
      message: reason ?? `The message is ${status}.`,
    });
    expect(reading.text()).toBe("half a sentence");
  });

  test("ends with its signal", async () => {
    const controller = new AbortController();
    const reading = read(controller.signal);
    await until(() => fake.reads === 1, "the first read");
    controller.abort();
    expect(await errorOf(reading.ended)).toMatchObject({ code: "cancelled" });
    expect(await errorOf(read(controller.signal).ended)).toMatchObject({ code: "cancelled" });
    expect(fake.listener).toBeUndefined();
  });

  test("unsubscribes when the loop is left", async () => {
    fake.append("a");
    for await (const piece of sidecar.messages.text(MESSAGE)) {
      expect(piece).toBe("a");
      break;
    }
    expect([fake.listener, fake.tellStatus]).toEqual([undefined, undefined]);
  });

  test("throws what keeps the page from subscribing or reading", async () => {
    fake.refusal = "operation_not_allowed";
    expect(await errorOf(read().ended)).toMatchObject({ code: "operation_not_allowed" });
  });

  test("throws when the sidecar has failed for good", async () => {
    const reading = read();
    await until(() => fake.reads === 1, "the first read");
    fake.refusal = "crash_loop";
    fake.tellStatus?.({ state: "failed", stage: null, failure: null });
    expect(await errorOf(reading.ended)).toMatchObject({ code: "crash_loop" });
  });
});
