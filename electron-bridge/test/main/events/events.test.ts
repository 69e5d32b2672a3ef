// Live events: one connection for the whole app, whatever becomes of it, over real processes.

import { describe, expect, onTestFinished, test } from "vitest";
import {
  defaultPolicy,
  exposeToPages,
  type Notice,
  type Sidecar,
  type Topic,
} from "../../../src/main/index.js";
import { EventParser } from "../../../src/main/events/event-stream.js";
import type { IpcEventLike, WebContentsLike } from "../../../src/main/electron-types.js";
import { PageSubscriptions } from "../../../src/main/pages/subscriptions.js";
import { errorOf, fixtureSidecar, until } from "../../support.js";

interface Seen {
  /** Open streams. */
  streams: number;
  /** What each stream so far was asked to go on after. */
  lastIds: (string | null)[];
}

async function command(sidecar: Sidecar, name: string, rest: object = {}): Promise<Seen> {
  const content = JSON.stringify({ command: name, ...rest });
  return (await sidecar.call("tips.create", { body: { content } })) as unknown as Seen;
}

const send = (sidecar: Sidecar, topic: string, id: number) =>
  command(sidecar, "send", { topic, data: { id } });

async function startSidecar(policy = {}): Promise<Sidecar> {
  // No probes: a flood of events on a busy machine must not look like a sidecar that hangs.
  const sidecar = fixtureSidecar("speaks-events", { policy: { probeIntervalMs: 60_000, ...policy } });
  await sidecar.start();
  return sidecar;
}

/** A listener that keeps what it hears, in short: the ids of events, the reasons of resets. */
function listen(sidecar: Sidecar, ...topics: Topic[]) {
  const heard: (number | string | null)[] = [];
  const stop = sidecar.events.subscribe(topics, (notice) => heard.push(short(notice)));
  return { heard, stop };
}

function short(notice: Notice): number | string | null {
  return notice.kind === "reset" ? notice.reason : notice.id;
}

async function hears(heard: unknown[], ...expected: unknown[]): Promise<void> {
  await until(() => heard.length >= expected.length, `${expected.length} notices, not ${String(heard)}`);
  expect(heard).toEqual(expected);
}

describe("the parser", () => {
  const stream =
    'event: a\nid: x-1\ndata: {"n":1}\n\n: still here\nid: x-2\n\nevent: b\r\ndata: {"n":"日"}\r\n\r\n';
  const events = [
    { name: "a", data: { n: 1 } },
    { name: "b", data: { n: "日" } },
  ];

  test("finds every event, wherever the stream is cut", () => {
    for (let index = 0; index <= stream.length; index += 1) {
      const parser = new EventParser();
      expect([...parser.push(stream.slice(0, index)), ...parser.push(stream.slice(index))]).toEqual(events);
      expect(parser.lastId).toBe("x-2");
    }
  });

  test("knows the id of a heartbeat, and takes what is no JSON object for nothing", () => {
    const parser = new EventParser();
    expect(parser.push(": still here\nid: x-9\n\n")).toEqual([]);
    expect(parser.lastId).toBe("x-9");
    expect(parser.push("event: a\ndata: {\n\n")).toEqual([{ name: "a", data: {} }]);
  });
});

describe("a subscriber", () => {
  test("hears a reset first, then every event of its topics, in order", async () => {
    const sidecar = await startSidecar();
    const { heard } = listen(sidecar, "todos", "tips");
    await hears(heard, "subscribed");
    await send(sidecar, "todos", 1);
    await send(sidecar, "vaults", 2);
    await send(sidecar, "tips", 3);
    await hears(heard, "subscribed", 1, 3);
  });

  test("gets topic, id and what else there is, wherever the connection cuts it", async () => {
    const sidecar = await startSidecar();
    const notices: Notice[] = [];
    sidecar.events.subscribe(["messages.delta"], (notice) => notices.push(notice));
    await until(() => notices.length === 1, "the first reset");
    await command(sidecar, "sendByteByByte", { topic: "messages.delta", data: { id: 7, text: "日本\n" } });
    await until(() => notices.length === 2, "the event");
    expect(notices[1]).toEqual({
      kind: "event",
      topic: "messages.delta",
      id: 7,
      data: { text: "日本\n" },
    });
  });

  test("that comes later shares the connection; when the last one leaves, it ends", async () => {
    const sidecar = await startSidecar();
    const first = listen(sidecar, "todos");
    await hears(first.heard, "subscribed");
    const second = listen(sidecar, "todos");
    await hears(second.heard, "subscribed");
    first.stop();
    expect(await send(sidecar, "todos", 1)).toEqual({ streams: 1, lastIds: [null] });
    await hears(second.heard, "subscribed", 1);
    second.stop();
    let seen = await command(sidecar, "look");
    while (seen.streams > 0) seen = await command(sidecar, "look");
    expect(first.heard).toEqual(["subscribed"]);
  });

  test("that subscribes before the sidecar starts hears of it once it answers", async () => {
    const sidecar = fixtureSidecar("speaks-events");
    const { heard } = listen(sidecar, "todos");
    await sidecar.start();
    await hears(heard, "subscribed");
  });

  test("with a misspelt topic is refused, and told which there are", async () => {
    const sidecar = await startSidecar();
    const subscribe = (topic: string): unknown =>
      sidecar.events.subscribe(["todos", topic as Topic], () => undefined);
    expect(() => subscribe("todo")).toThrow(/topics has no 'todo'; did you mean 'todos'\?$/);
    expect(() => subscribe("ap.theme")).toThrow(/topics has no 'ap.theme'; did you mean 'app.theme'\?$/);
    expect(() => subscribe("clouds")).toThrow(
      /topics has no 'clouds'; the topics are activities, .*, todos, upkeep, vaults\.$/,
    );
  });

  test("with topics of the app's own is refused where it has no such extension", async () => {
    const sidecar = await startSidecar();
    const subscribe = (topic: string) => (): unknown =>
      sidecar.events.subscribe([topic as Topic], () => undefined);
    expect(subscribe("app.theme")).not.toThrow();
    expect(subscribe("notes.cards")).toThrow(/topics has no 'notes\.cards'/);
    expect(subscribe("todos.cards")).toThrow(/topics has no 'todos\.cards'/);
  });

  test("with topics that are none is refused", async () => {
    const sidecar = await startSidecar();
    for (const topics of [
      undefined,
      "todos",
      [],
      [""],
      [7],
      [undefined],
      [Symbol("s")],
      ["a,b"],
      Array(201).fill("todos"),
    ]) {
      const subscribe = (): unknown => sidecar.events.subscribe(topics as Topic[], () => undefined);
      expect(subscribe).toThrow(expect.objectContaining({ code: "invalid_call" }) as Error);
    }
  });
});

describe("a connection", () => {
  test("that breaks is made again, and goes on after the last id", async () => {
    const sidecar = await startSidecar();
    const { heard } = listen(sidecar, "todos");
    await hears(heard, "subscribed");
    await send(sidecar, "todos", 1);
    await hears(heard, "subscribed", 1);
    await command(sidecar, "breakConnections");
    let seen = await command(sidecar, "look");
    while (seen.streams === 0) seen = await command(sidecar, "look");
    await send(sidecar, "todos", 2);
    await hears(heard, "subscribed", 1, 2);
    expect(seen.lastIds).toEqual([null, `${sidecar.snapshot.ready?.instance}-1`]);
  });

  test("that breaks again before its first event goes on after the same id", async () => {
    const sidecar = await startSidecar();
    const { heard } = listen(sidecar, "todos");
    await hears(heard, "subscribed");
    await send(sidecar, "todos", 1);
    await hears(heard, "subscribed", 1);
    await command(sidecar, "breakTwice");
    let seen = await command(sidecar, "look");
    while (seen.streams === 0) seen = await command(sidecar, "look");
    const last = `${sidecar.snapshot.ready?.instance}-1`;
    expect(seen.lastIds).toEqual([null, last, last]);
  });

  test("that falls silent is made again", async () => {
    const sidecar = await startSidecar({ eventSilenceMs: 150 });
    const { heard } = listen(sidecar, "todos");
    await hears(heard, "subscribed");
    await command(sidecar, "goSilent");
    let seen = await command(sidecar, "look");
    while (seen.streams === 0) seen = await command(sidecar, "look");
    expect(seen.lastIds.length).toBeGreaterThan(1);
  });

  test("on which events were missed tells every subscriber to read again", async () => {
    const sidecar = await startSidecar();
    const [one, other] = [listen(sidecar, "todos"), listen(sidecar, "tips")];
    await hears(other.heard, "subscribed");
    await command(sidecar, "reset");
    await hears(one.heard, "subscribed", "moved_on");
    await hears(other.heard, "subscribed", "moved_on");
  });

  test("to another instance tells every subscriber to read again, and goes on", async () => {
    const sidecar = await startSidecar();
    const { heard } = listen(sidecar, "todos");
    await hears(heard, "subscribed");
    process.kill(sidecar.snapshot.ready?.pid ?? 0, "SIGKILL");
    await hears(heard, "subscribed", "another_instance");
    await send(sidecar, "todos", 1);
    await hears(heard, "subscribed", "another_instance", 1);
  });

  test("is none that a call could have: it is refused at once", async () => {
    const sidecar = await startSidecar();
    const call = sidecar.call("events.stream" as "tips.list");
    expect(await errorOf(call)).toMatchObject({ code: "unknown_operation" });
  });
});

describe("pages", () => {
  class Page implements WebContentsLike {
    readonly notices = new Map<string, Notice[]>();
    readonly #listeners = new Map<string, () => void>();
    url = "app://console/";
    takes = true;

    constructor(
      readonly id: number,
      private readonly handler: (event: IpcEventLike, message: unknown) => Promise<unknown>,
    ) {}

    getURL = (): string => this.url;
    once = (event: string, listener: () => void) => this.#listeners.set(event, listener);
    on = (event: string, listener: () => void) => this.#listeners.set(event, listener);
    emit = (event: string): void => this.#listeners.get(event)?.();
    request = (message: object) =>
      this.handler({ sender: this, senderFrame: { url: this.url, parent: null } }, message);
    subscribe = (id: string, ...topics: string[]) => this.request({ kind: "subscribe", id, topics });
    heard = (id: string) => (this.notices.get(id) ?? []).map(short);

    send(_: string, message: unknown): void {
      const { id, notices } = message as { id: string; notices: Notice[] };
      this.notices.set(id, [...(this.notices.get(id) ?? []), ...notices]);
      if (this.takes) void this.request({ kind: "taken", id, count: notices.length });
    }
  }

  async function expose(options = {}) {
    const sidecar = await startSidecar();
    let handler: (event: IpcEventLike, message: unknown) => Promise<unknown> = () => Promise.resolve();
    const ipcMain = {
      handle: (_: string, listener: typeof handler) => (handler = listener),
      removeHandler: () => undefined,
    };
    onTestFinished(exposeToPages(sidecar, { ipcMain, origins: ["app://console"], ...options }));
    const page = (id: number) => new Page(id, (event, message) => handler(event, message));
    return { sidecar, page };
  }

  test("each hear what they subscribed to, by the ids that they chose", async () => {
    const { sidecar, page } = await expose();
    const [one, other] = [page(1), page(2)];
    await one.subscribe("a", "todos");
    await one.subscribe("b", "tips");
    await other.subscribe("a", "tips");
    await until(() => one.heard("b").length + other.heard("a").length === 2, "the first resets");
    await send(sidecar, "todos", 1);
    await send(sidecar, "tips", 2);
    await until(() => other.heard("a").length === 2, "the last event");
    expect([one.heard("a"), one.heard("b"), other.heard("a")]).toEqual([
      ["subscribed", 1],
      ["subscribed", 2],
      ["subscribed", 2],
    ]);
  });

  test.each(["destroyed", "did-navigate", "render-process-gone", "unsubscribe"])(
    "hear no more after %s, and the others go on",
    async (end) => {
      const { sidecar, page } = await expose();
      const [one, other] = [page(1), page(2)];
      await one.subscribe("a", "todos");
      await other.subscribe("a", "todos");
      await until(() => other.heard("a").length === 1, "the first reset");
      if (end === "unsubscribe") await one.request({ kind: "unsubscribe", id: "a" });
      else one.emit(end);
      await send(sidecar, "todos", 1);
      await until(() => other.heard("a").length === 2, "the event");
      expect(one.heard("a")).toEqual(["subscribed"]);
      other.emit("destroyed");
      let seen = await command(sidecar, "look");
      while (seen.streams > 0) seen = await command(sidecar, "look");
    },
  );

  test("that show something foreign hear nothing", async () => {
    const { sidecar, page } = await expose();
    const [one, other] = [page(1), page(2)];
    await one.subscribe("a", "todos");
    await other.subscribe("a", "todos");
    await until(() => other.heard("a").length === 1, "the first reset");
    one.url = "https://example.com/";
    await send(sidecar, "todos", 1);
    await until(() => other.heard("a").length === 2, "the event");
    expect(one.heard("a")).toEqual(["subscribed"]);
  });

  test("that take nothing are sent no more than a bounded number, and a reset when they do again", async () => {
    const { sidecar, page } = await expose();
    const slow = page(1);
    slow.takes = false;
    await slow.subscribe("a", "todos");
    const { heard } = listen(sidecar, "todos");
    const data = { ids: "many" };
    const total = 6_000;
    await command(sidecar, "sendMany", { topic: "todos", data, count: total });
    await until(() => heard.length > total, "all events");
    const sent = slow.heard("a").length;
    expect(sent).toBeLessThanOrEqual(5_000);
    slow.takes = true;
    await slow.request({ kind: "taken", id: "a", count: sent });
    expect(slow.heard("a").slice(sent)).toEqual(["moved_on"]);
  });

  test("that say they took less than nothing, or no number, are bounded all the same", async () => {
    const { sidecar, page } = await expose();
    const liar = page(1);
    liar.takes = false;
    await liar.subscribe("a", "todos");
    for (const count of [-1e9, "many", undefined]) await liar.request({ kind: "taken", id: "a", count });
    const { heard } = listen(sidecar, "todos");
    await command(sidecar, "sendMany", { topic: "todos", data: {}, count: 6_000 });
    await until(() => heard.length > 6_000, "all events");
    expect(liar.heard("a").length).toBeLessThanOrEqual(5_000);
    expect(liar.heard("a").length).toBeGreaterThan(1);
  });

  test("that have taken everything are sent what comes at once, however much it is", () => {
    const sidecar = new (class {
      readonly policy = defaultPolicy;
      tell: (notices: readonly Notice[]) => void = () => undefined;
      subscribeBatches = (_: unknown, listener: typeof this.tell) => {
        this.tell = listener;
        return () => undefined;
      };
    })();
    const subscriptions = new PageSubscriptions(sidecar as unknown as Sidecar, () => true);
    const one = new Page(1, () => Promise.resolve());
    one.takes = false;
    subscriptions.add(one, "a", ["todos"]);
    const notices = Array.from({ length: 6_000 }, (_, id): Notice => ({
      kind: "event",
      topic: "todos",
      id,
      data: {},
    }));
    sidecar.tell(notices);
    expect(one.heard("a")).toHaveLength(6_000);
    sidecar.tell(notices.slice(0, 1));
    expect(one.heard("a")).toHaveLength(6_000);
    subscriptions.taken(one, "a", 6_000);
    expect(one.heard("a").slice(6_000)).toEqual(["moved_on"]);
  });

  test("may not subscribe when the app denies it, or with topics that are none", async () => {
    const denying = await expose({ deny: ["events.stream"] });
    const refused = { ok: false, error: { code: "operation_not_allowed" } };
    expect(await denying.page(1).subscribe("a", "todos")).toMatchObject(refused);
    const { page } = await expose();
    for (const message of [{ id: "a" }, { id: "a", topics: [] }, { id: "", topics: ["todos"] }]) {
      const answer = await page(1).request({ kind: "subscribe", ...message });
      expect(answer).toMatchObject({ ok: false, error: { code: "invalid_call" } });
    }
  });
});
