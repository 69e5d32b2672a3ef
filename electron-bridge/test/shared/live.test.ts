// Live queries over a transport of the test's own making: what is read, when, and what the listener gets.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createClient } from "../../src/shared/client.js";
import { SidecarError } from "../../src/shared/errors.js";
import type { State } from "../../src/shared/status.js";
import { FakeSidecar, settled } from "./fake-sidecar.js";

/** The pause after a read is over. */
async function pause(): Promise<void> {
  await vi.advanceTimersByTimeAsync(50);
}

let fake: FakeSidecar;
let results: unknown[];
let errors: string[];

function client() {
  return createClient(fake.transport);
}

function onError(error: SidecarError): void {
  errors.push(error.code);
}

beforeEach(() => {
  vi.useFakeTimers();
  fake = new FakeSidecar();
  results = [];
  errors = [];
});

afterEach(() => {
  vi.useRealTimers();
});

async function liveTodos(options = {}) {
  const end = client().live("todos.list", { query: { status: 0 } }, (result) => results.push(result), {
    onError,
    ...options,
  });
  await settled();
  return end;
}

describe("a live query", () => {
  test("reads when nothing can be missed any more, and again after a commit", async () => {
    await liveTodos();
    expect(fake.reads).toEqual([]);
    await fake.reset();
    expect(fake.reads).toEqual([["todos.list", { query: { status: 0 } }]]);
    await pause();
    await fake.commit("todos", 2);
    expect(results).toEqual([1, 2]);
  });

  test("reads after an import and a reset too, but not after what it does not read", async () => {
    await liveTodos();
    await fake.reset();
    await pause();
    await fake.commit("vaults", 2);
    await pause();
    expect(results).toEqual([1]);
    await fake.commit("imports", 3);
    await pause();
    fake.value = 4;
    await fake.reset("another_instance");
    expect(results).toEqual([1, 3, 4]);
  });

  test("reads once for many commits, one at a time, and once more for those during a read", async () => {
    await liveTodos();
    let open = (): void => undefined;
    fake.gate = new Promise((resolve) => (open = resolve));
    await fake.reset();
    for (let value = 2; value <= 100; value++) await fake.commit("todos", value);
    expect(fake.reads).toHaveLength(1);
    open();
    await pause();
    expect(fake.reads).toHaveLength(2);
    expect(results).toEqual([1, 100]);
  });

  test("leaves half of the time to others when its reads are slow", async () => {
    await liveTodos();
    fake.gate = new Promise((resolve) => setTimeout(resolve, 400));
    await fake.reset();
    await fake.commit("todos", 2);
    await vi.advanceTimersByTimeAsync(400);
    expect(results).toEqual([1]);
    fake.gate = undefined;
    await vi.advanceTimersByTimeAsync(350);
    expect(results).toEqual([1]);
    await vi.advanceTimersByTimeAsync(100);
    expect(results).toEqual([1, 2]);
  });

  test("does not deliver a result that equals the one before", async () => {
    fake.value = { items: [{ id: 1 }] };
    await liveTodos();
    await fake.reset();
    await pause();
    await fake.commit("todos", { items: [{ id: 1 }] });
    await pause();
    expect([fake.reads.length, results.length]).toEqual([2, 1]);
  });

  test.each(["function", "signal"])("delivers nothing after its end by the %s", async (by) => {
    const controller = new AbortController();
    const end = await liveTodos({ signal: controller.signal });
    let open = (): void => undefined;
    fake.gate = new Promise((resolve) => (open = resolve));
    await fake.reset();
    if (by === "signal") controller.abort();
    else end();
    open();
    await pause();
    await fake.commit("todos", 2);
    expect([results, errors, fake.listening]).toEqual([[], [], []]);
  });

  test("of a signal that has ended does not begin", async () => {
    const controller = new AbortController();
    controller.abort();
    await liveTodos({ signal: controller.signal });
    expect([fake.opened, fake.reads]).toEqual([[], []]);
  });

  test("keeps the input that it was given", async () => {
    const query: { status: 0 | 1 } = { status: 0 };
    client().live("todos.list", { query }, () => undefined);
    await settled();
    query.status = 1;
    await fake.reset();
    expect(fake.reads).toEqual([["todos.list", { query: { status: 0 } }]]);
  });

  test("goes on when its listener throws", async () => {
    const thrown: unknown[] = [];
    const note = (error: unknown): void => void thrown.push(error);
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection").on("unhandledRejection", note);
    try {
      client().live("todos.list", {}, (result) => {
        results.push(result);
        throw new Error("of the listener");
      });
      await settled();
      await fake.reset();
      await pause();
      await fake.commit("todos", 2);
      vi.useRealTimers();
      await vi.waitFor(() => expect(thrown).toHaveLength(2));
    } finally {
      process.removeAllListeners("unhandledRejection");
      for (const other of others) process.on("unhandledRejection", other);
    }
    expect(results).toEqual([1, 2]);
  });
});

describe("an error", () => {
  test("is reported once, and the next change is read", async () => {
    fake.failure = new SidecarError("not_found", "gone");
    await liveTodos();
    await fake.reset();
    await pause();
    await fake.commit("todos", 2);
    await pause();
    expect([errors, results]).toEqual([["not_found"], []]);
    fake.failure = undefined;
    await fake.commit("todos", 3);
    expect(results).toEqual([3]);
  });

  test("that may pass is followed by another try", async () => {
    fake.failure = new SidecarError("timeout", "late", { retryable: true });
    await liveTodos();
    await fake.reset();
    await vi.advanceTimersByTimeAsync(4_000);
    expect([fake.reads.length, errors]).toEqual([3, ["timeout"]]);
    fake.failure = undefined;
    await vi.advanceTimersByTimeAsync(10_000);
    expect([fake.reads.length, results]).toEqual([4, [1]]);
  });

  test.each<State>(["restarting", "starting", "stopped"])("is not reported while it is %s", async (state) => {
    await liveTodos();
    await fake.reset();
    await pause();
    fake.state = state;
    fake.failure = new SidecarError("timeout", "late", { retryable: true });
    await fake.reset("another_instance");
    await vi.advanceTimersByTimeAsync(60_000);
    fake.become("ready");
    fake.failure = undefined;
    fake.value = 2;
    await fake.reset("another_instance");
    expect([errors, results]).toEqual([[], [1, 2]]);
  });

  test("is reported when the sidecar has failed for good", async () => {
    await liveTodos();
    await fake.reset();
    await pause();
    fake.failure = new SidecarError("crash_loop", "it fails again and again");
    fake.become("failed");
    await settled();
    expect(errors).toEqual(["crash_loop"]);
  });

  test("is reported at once by a sidecar that had failed before", async () => {
    fake.state = "failed";
    fake.failure = new SidecarError("crash_loop", "it fails again and again");
    await liveTodos();
    expect(errors).toEqual(["crash_loop"]);
  });

  test("of an operation that cannot be live, or of a refused subscription, ends the query", async () => {
    client().live("todos.create" as "todos.list", {}, () => undefined, { onError });
    await settled();
    expect([errors, fake.opened]).toEqual([["invalid_call"], []]);
    fake.refusal = new SidecarError("too_many_subscriptions", "many");
    await liveTodos();
    expect(errors).toEqual(["invalid_call", "too_many_subscriptions"]);
    fake.refusal = undefined;
    await fake.reset();
    expect(fake.reads).toEqual([]);
  });

  test("of an input that is no data is thrown", () => {
    const begin = () =>
      client().live("todos.list", { query: { status: (() => 0) as never } }, () => undefined);
    expect(begin).toThrow(expect.objectContaining({ code: "invalid_call" }));
  });
});

describe("many live queries", () => {
  test("that begin at a time share one subscription", async () => {
    const sidecar = client();
    for (const operation of ["todos.list", "vaults.list", "tips.list", "todos.list"] as const)
      sidecar.live(operation, {}, (result) => results.push(result));
    await settled();
    expect(fake.opened).toHaveLength(1);
    expect([...(fake.opened[0]?.topics ?? [])].sort()).toEqual(["imports", "tips", "todos", "vaults"]);
    await fake.reset();
    expect(results).toEqual([1, 1, 1, 1]);
  });

  test("replace it by one with more topics, and miss nothing meanwhile", async () => {
    const sidecar = client();
    sidecar.live("todos.list", {}, (result) => results.push(["todos", result]));
    await settled();
    await fake.reset();
    await pause();
    sidecar.live("vaults.list", {}, (result) => results.push(["vaults", result]));
    await settled();
    expect(fake.listening).toHaveLength(2);
    fake.value = 2;
    fake.opened[0]?.tell([{ kind: "event", topic: "todos", id: 1, data: {} }]);
    await pause();
    expect(results).toEqual([["todos", 1], ["todos", 2]]); // prettier-ignore
    fake.opened[1]?.tell([{ kind: "reset", reason: "subscribed" }]);
    await pause();
    expect(fake.listening).toEqual([fake.opened[1]]);
    expect(results.slice(2)).toEqual([["vaults", 2]]);
    expect(fake.reads).toHaveLength(3);
  });

  test("begin at once where their topics are heard already, and end with the last one", async () => {
    const sidecar = client();
    const ends = [sidecar.live("todos.list", {}, () => undefined)];
    await settled();
    await fake.reset();
    ends.push(sidecar.live("todos.counts", { query: { start_date: "2026-01-01", end_date: "2026-01-02" } }, () => undefined)); // prettier-ignore
    await settled();
    expect([fake.opened.length, fake.reads.length]).toEqual([1, 2]);
    for (const end of ends) end();
    expect(fake.listening).toEqual([]);
    sidecar.live("todos.list", {}, () => undefined);
    await settled();
    expect(fake.listening).toHaveLength(1);
  });

  test("of an app's own namespace hear each of its topics", async () => {
    fake.transport.topics = () => Promise.resolve(["notes.*"]);
    createClient(fake.transport, {}, true).live("notes.list" as "todos.list", {}, (result) =>
      results.push(result),
    );
    await settled();
    await fake.reset();
    await pause();
    await fake.commit("notes.cards", 2);
    await pause();
    await fake.commit("todos", 3);
    expect(results).toEqual([1, 2]);
  });
});

test("watching says when to read, and leaves the reading to the listener", async () => {
  let changes = 0;
  const end = client().watch("todos.list", () => (changes += 1));
  await settled();
  await fake.reset();
  await fake.commit("todos", 2);
  await fake.commit("vaults", 3);
  expect([changes, fake.reads]).toEqual([2, []]);
  end();
  expect(fake.listening).toEqual([]);
});
