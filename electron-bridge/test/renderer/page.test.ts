// The page's side: the client over the preload script over handlers of the test's own making.

import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { SidecarError, sidecar } from "../../src/renderer/index.js";
import { channels, FAILURE_EVENT, FAILURE_NAME, type PageBridge } from "../../src/shared/channels.js";
import { errorOf } from "../support.js";

const MANY = 20_000;

/** What stands in for Electron between page and main process. */
interface FakeElectron {
  invoke: (channel: string, message: Record<string, unknown>) => unknown;
  readonly listeners: Map<string, Set<(event: unknown, message: unknown) => void>>;
}
const electron = vi.hoisted((): FakeElectron => ({ invoke: () => undefined, listeners: new Map() }));

vi.mock("electron", () => ({
  contextBridge: {
    exposeInMainWorld: (name: string, value: unknown) => Object.assign(globalThis, { [name]: value }),
  },
  ipcRenderer: {
    // Electron clones what crosses: whatever is not plain data throws, or is lost.
    invoke: async (channel: string, message: Record<string, unknown>) =>
      structuredCloneOf(await electron.invoke(channel, structuredCloneOf(message))),
    on: (channel: string, listener: (event: unknown, message: unknown) => void) => {
      electron.listeners.set(channel, (electron.listeners.get(channel) ?? new Set()).add(listener));
    },
    removeListener: (channel: string, listener: (event: unknown, message: unknown) => void) => {
      electron.listeners.get(channel)?.delete(listener);
    },
  },
}));

function structuredCloneOf<Value>(value: Value): Value {
  return (globalThis as unknown as { structuredClone: (value: Value) => Value }).structuredClone(value);
}

/** Loads the preload script; main answers as the test says. */
async function loadPage(invoke: FakeElectron["invoke"]): Promise<void> {
  electron.invoke = invoke;
  await import("../../src/preload/index.js");
}

function tell(status: unknown): void {
  for (const listener of electron.listeners.get(channels.event) ?? [])
    listener({}, { kind: "status", status });
}

afterEach(() => {
  vi.resetModules();
  electron.listeners.clear();
  Reflect.deleteProperty(globalThis, "electronSidecar");
});

describe("a call", () => {
  test("crosses with its operation and input on the one request channel, and resolves with the value", async () => {
    const seen: unknown[] = [];
    await loadPage((channel, message) => {
      seen.push([channel, message]);
      return { ok: true, value: { id: 1 } };
    });
    expect(await sidecar.call("tips.create", { body: { content: "x" } })).toEqual({ id: 1 });
    const message = { kind: "call", operation: "tips.create", input: { body: { content: "x" } } };
    expect(seen).toEqual([[channels.request, { ...message, id: expect.any(String) as string }]]);
  });

  test("crosses with the key that the page gives a write, and with none if it gives none", async () => {
    const keys: unknown[] = [];
    await loadPage((_, message) => {
      keys.push("key" in message ? message["key"] : "none");
      return { ok: true, value: {} };
    });
    await sidecar.call("tips.create", { body: { content: "x" } }, { key: "my-key" });
    await sidecar.call("tips.create", { body: { content: "x" } });
    expect(keys).toEqual(["my-key", "none"]);
  });

  test("has an id of its own", async () => {
    const ids = new Set<unknown>();
    await loadPage((_, { id }) => {
      ids.add(id);
      return { ok: true, value: null };
    });
    await Promise.all([sidecar.call("tips.list"), sidecar.call("tips.list"), sidecar.call("todos.list")]);
    expect(ids.size).toBe(3);
  });

  test("rejects with a SidecarError that has everything that main's had", async () => {
    const errors = [{ field: "body.content", message: "is too long" }];
    const error = { code: "validation_failed", message: "Too long.", status: 422, retryable: true, errors };
    await loadPage(() => ({ ok: false, error }));
    const caught = await errorOf(sidecar.call("tips.list"));
    expect(caught).toBeInstanceOf(SidecarError);
    expect(caught).toMatchObject({ ...error, name: "SidecarError" });
  });

  test("rejects as cancelled as soon as its signal says so, and main is told which", async () => {
    const messages: Record<string, unknown>[] = [];
    await loadPage((_, message) => {
      messages.push(message);
      return message["kind"] === "call" ? new Promise(() => undefined) : { ok: true, value: null };
    });
    const controller = new AbortController();
    const error = errorOf(sidecar.call("tips.list", {}, { signal: controller.signal }));
    controller.abort();
    expect(await error).toMatchObject({ code: "cancelled" });
    expect(messages.map(({ kind }) => kind)).toEqual(["call", "cancel"]);
    expect(messages[1]?.["id"]).toBe(messages[0]?.["id"]);
  });

  test("with a signal that has ended already is never sent", async () => {
    const invoke = vi.fn();
    await loadPage(invoke);
    const controller = new AbortController();
    controller.abort();
    const error = await errorOf(sidecar.call("tips.list", {}, { signal: controller.signal }));
    expect(error).toMatchObject({ code: "cancelled" });
    expect(invoke).not.toHaveBeenCalled();
  });
});

test("main hears of cancelling and unsubscribing only where there is something to end", async () => {
  const kinds: unknown[] = [];
  await loadPage((_, { kind }) => {
    kinds.push(kind);
    return kind === "call" ? new Promise(() => undefined) : { ok: true, value: null };
  });
  const { electronSidecar } = globalThis as unknown as { electronSidecar: PageBridge };
  void electronSidecar.call("1", "tips.list");
  await electronSidecar.subscribe("2", ["todos"], () => undefined);
  for (let index = 0; index < MANY; index += 1) {
    for (const id of ["1", "2", "3"]) electronSidecar.cancel(id);
    for (const id of ["1", "2", "3"]) electronSidecar.unsubscribe(id);
  }
  expect(kinds).toEqual(["call", "subscribe", "cancel", "unsubscribe"]);
});

describe("what a call hands over", () => {
  const reactive = (value: object): object =>
    new Proxy(value, { get: (target, name) => wrapped(Reflect.get(target, name)) });
  const wrapped = (value: unknown): unknown =>
    typeof value === "object" && value !== null ? reactive(value) : value;

  test("may be a reactive object: what it holds crosses", async () => {
    const seen: unknown[] = [];
    await loadPage((_, message) => {
      seen.push(message["input"]);
      return { ok: true, value: null };
    });
    const input = { body: { content: "x", tags: [{ name: "a" }] } };
    await sidecar.call("tips.create", reactive(input) as { body: { content: string } });
    expect(seen).toEqual([input]);
  });

  test("is refused by the path of what is no data, and nothing is sent", async () => {
    const seen: unknown[] = [];
    await loadPage((_, message) => seen.push(message));
    const body = { content: "x", items: [0, { onClick: () => undefined }] };
    expect(await errorOf(sidecar.call("tips.create", { body }))).toMatchObject({
      code: "invalid_call",
      errors: [{ field: "body.items.1.onClick" }],
    });
    expect(seen).toEqual([]);
  });

  test("is refused as such although it came past the client", async () => {
    await loadPage(() => null);
    const { electronSidecar } = globalThis as unknown as { electronSidecar: PageBridge };
    const input = { body: { onClick: () => undefined } };
    expect(await electronSidecar.call("1", "tips.create", input)).toMatchObject({
      ok: false,
      error: { code: "invalid_call" },
    });
  });
});

describe("the status", () => {
  test("has one listener in the preload script, however many the page has", async () => {
    await loadPage(() => ({ ok: true, value: null }));
    const heard: unknown[] = [];
    const stops = Array.from({ length: 11 }, () => sidecar.onStatus((status) => heard.push(status)));
    expect(electron.listeners.get(channels.event)?.size).toBe(1);
    tell("one");
    stops[0]?.();
    tell("two");
    expect(heard).toEqual([...Array<string>(11).fill("one"), ...Array<string>(10).fill("two")]);
  });

  const starting = { state: "starting", stage: null, failure: null };

  test("can be asked for", async () => {
    await loadPage(() => ({ ok: true, value: starting }));
    expect(await sidecar.status()).toEqual(starting);
  });

  test("is watched once, however often the page listens and stops, and again only if main refused", async () => {
    const invoke = vi.fn((): unknown => ({ ok: false, error: { code: "foreign_frame" } }));
    await loadPage(invoke);
    for (let index = 0; index < MANY; index += 1) sidecar.onStatus(() => undefined)();
    expect(invoke).toHaveBeenCalledTimes(1);
    await vi.waitFor(() => {
      sidecar.onStatus(() => undefined)();
      expect(invoke).toHaveBeenCalledTimes(2);
    });
    invoke.mockImplementation(() => ({ ok: true, value: starting }));
    await vi.waitFor(() => {
      sidecar.onStatus(() => undefined)();
      expect(invoke).toHaveBeenCalledTimes(3);
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (let index = 0; index < MANY; index += 1) sidecar.onStatus(() => undefined);
    expect(invoke).toHaveBeenCalledTimes(3);
  });

  test("that is asked for without end floods the main process no more than calls do", async () => {
    const invoke = vi.fn(() => new Promise(() => undefined));
    await loadPage(invoke);
    const answers = Array.from({ length: MANY }, () => errorOf(sidecar.status()));
    expect(await answers.at(-1)).toMatchObject({ code: "too_many_calls" });
    expect(invoke.mock.calls.length).toBeLessThanOrEqual(64);
  });

  test("comes on every change until the listener is taken away, and main is asked to send it", async () => {
    const invoke = vi.fn(() => ({ ok: true, value: starting }));
    await loadPage(invoke);
    const seen: unknown[] = [];
    const stopListening = sidecar.onStatus((status) => seen.push(status));
    tell({ ...starting, state: "ready" });
    stopListening();
    tell({ ...starting, state: "stopped" });
    expect(seen).toEqual([{ ...starting, state: "ready" }]);
    expect(invoke).toHaveBeenCalledWith(channels.request, { kind: "watch" });
  });
});

describe("live events", () => {
  const notices = [
    { kind: "reset", reason: "subscribed" },
    { kind: "event", topic: "todos", id: 1, data: {} },
  ];

  function tellNotices(id: unknown): void {
    for (const listener of electron.listeners.get(channels.event) ?? [])
      listener({}, { kind: "notices", id, notices });
  }

  test("are not missed by a page that ends its subscription before it was sent", async () => {
    await loadPage(() => new Promise(() => undefined));
    for (let index = 0; index < 64; index += 1) void sidecar.call("tips.list");
    const rejections: unknown[] = [];
    const note = (reason: unknown): void => void rejections.push(reason);
    process.on("unhandledRejection", note);
    sidecar.events.subscribe(["todos"], () => undefined)();
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off("unhandledRejection", note);
    expect(rejections).toEqual([]);
  });

  test("come one by one to the listener of their subscription, and main is told that they came", async () => {
    const messages: Record<string, unknown>[] = [];
    await loadPage((_, message) => {
      messages.push(message);
      return { ok: true, value: null };
    });
    const heard: unknown[] = [];
    const stop = sidecar.events.subscribe(["todos"], (notice) => heard.push(notice));
    const id = messages[0]?.["id"];
    tellNotices("another");
    tellNotices(id);
    stop();
    tellNotices(id);
    expect(heard).toEqual(notices);
    expect(messages).toEqual([
      { kind: "subscribe", id, topics: ["todos"] },
      { kind: "taken", id: "another", count: 2 },
      { kind: "taken", id, count: 2 },
      { kind: "unsubscribe", id },
      { kind: "taken", id, count: 2 },
    ]);
  });

  test("do not disturb whoever listens to the status", async () => {
    await loadPage(() => ({ ok: true, value: null }));
    const seen: unknown[] = [];
    sidecar.onStatus((status) => seen.push(status));
    tellNotices("any");
    expect(seen).toEqual([]);
  });
});

describe("what is missing is named", () => {
  test("no preload script", async () => {
    vi.stubGlobal("navigator", { userAgent: "Mozilla/5.0 Chrome/108.0.0.0 Electron/22.3.25" });
    onTestFinished(() => void vi.unstubAllGlobals());
    expect(await errorOf(sidecar.call("tips.list"))).toMatchObject({
      code: "bridge_missing",
      message: expect.stringContaining("electron-sidecar/preload") as string,
    });
  });

  test("a preload script that failed, as the main process says it", async () => {
    Object.assign(globalThis, { [FAILURE_NAME]: "The preload script /p.js failed: oh." });
    onTestFinished(() => void Reflect.deleteProperty(globalThis, FAILURE_NAME));
    const message = "The page has no sidecar. The preload script /p.js failed: oh.";
    expect(await errorOf(sidecar.call("tips.list"))).toMatchObject({ code: "bridge_missing", message });
    expect(await errorOf(sidecar.status())).toMatchObject({ code: "bridge_missing", message });
    expect(() => sidecar.onStatus(() => undefined)).toThrow(message);
  });

  test("a preload script that failed, said while the first call of a young page waits for it", async () => {
    vi.spyOn(performance, "now").mockReturnValue(0);
    const listeners = new Map<string, () => void>();
    const addEventListener = (event: string, listener: () => void): unknown => listeners.set(event, listener);
    vi.stubGlobal("addEventListener", addEventListener);
    onTestFinished(() => {
      vi.unstubAllGlobals();
      vi.restoreAllMocks();
      Reflect.deleteProperty(globalThis, FAILURE_NAME);
    });
    const error = errorOf(sidecar.call("tips.list"));
    await vi.waitFor(() => expect(listeners.size).toBe(1));
    Object.assign(globalThis, { [FAILURE_NAME]: "The preload script /p.js failed: oh." });
    listeners.get(FAILURE_EVENT)?.();
    expect(await error).toMatchObject({ message: expect.stringContaining("/p.js failed") as string });
  });

  test("a browser that shows the page instead of the app", async () => {
    vi.stubGlobal("navigator", { userAgent: "Mozilla/5.0 Chrome/108.0.0.0" });
    onTestFinished(() => void vi.unstubAllGlobals());
    expect(await errorOf(sidecar.call("tips.list"))).toMatchObject({
      code: "bridge_missing",
      message: expect.stringContaining("a browser shows it") as string,
    });
  });

  test("a main process that does not expose the sidecar", async () => {
    const reason =
      "Error invoking remote method: Error: No handler registered for 'electron-sidecar:request'";
    await loadPage(() => Promise.reject(new Error(reason)));
    expect(await errorOf(sidecar.call("tips.list"))).toMatchObject({
      code: "bridge_missing",
      message: expect.stringContaining("exposeToPages") as string,
    });
  });

  test("and not what failed in another way", async () => {
    await loadPage(() => Promise.reject(new Error("reply was never sent")));
    expect(await errorOf(sidecar.call("tips.list"))).toMatchObject({
      code: "internal_error",
      message: "The main process did not answer: reply was never sent.",
    });
  });
});
