// What one page can take from the main process and from other pages: pages of the test's own making, over a real process.

import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { defaultPolicy, exposeToPages, Sidecar } from "../../../src/main/index.js";
import type { IpcEventLike, WebContentsLike } from "../../../src/main/electron-types.js";
import type { Envelope } from "../../../src/shared/errors.js";
import { fixturePath } from "../../support.js";

const URL = "app://console/";
const MANY = 20_000;

type Handler = (event: IpcEventLike, message: unknown) => Promise<unknown>;

class FakePage implements WebContentsLike {
  readonly on = (): void => undefined;
  readonly once = (): void => undefined;
  readonly send = (): void => undefined;

  constructor(
    readonly id: number,
    private readonly handler: Handler,
  ) {}

  getURL(): string {
    return URL;
  }

  async request(message: object): Promise<Envelope<unknown>> {
    const event = { sender: this, senderFrame: { url: URL, parent: null } };
    return (await this.handler(event, message)) as Envelope<unknown>;
  }

  call(id: string, content = "x", rest: object = {}): Promise<Envelope<unknown>> {
    return this.request({
      kind: "call",
      id,
      operation: "tips.create",
      input: { body: { content } },
      ...rest,
    });
  }
}

function expose(sidecar: Sidecar): (id: number) => FakePage {
  let handler: Handler = () => Promise.reject(new Error("not exposed"));
  const ipcMain = {
    handle: (_: string, given: Handler) => void (handler = given),
    removeHandler: () => undefined,
  };
  exposeToPages(sidecar, { ipcMain, origins: ["app://console"] });
  return (id) => new FakePage(id, (...call) => handler(...call));
}

const [pageConcurrency, maxPageCalls] = [8, 100];
const { maxPageSubscriptions } = defaultPolicy;
// No probes: a flood on a busy machine must not look like a sidecar that hangs.
const sidecar = new Sidecar({
  command: process.execPath,
  args: [fixturePath("well-behaved")],
  dataDir: tmpdir(),
  policy: { probeIntervalMs: 60_000, pageConcurrency, maxPageCalls },
});
const newPage = expose(sidecar);
beforeAll(() => sidecar.start());
afterAll(() => sidecar.stop());

function codeOf(answer: Envelope<unknown>): string {
  return answer.ok ? "ok" : answer.error.code;
}

function counts(answers: readonly Envelope<unknown>[]): Record<string, number> {
  const result: Record<string, number> = {};
  for (const answer of answers) result[codeOf(answer)] = (result[codeOf(answer)] ?? 0) + 1;
  return result;
}

describe("a page that makes calls without end", () => {
  test("has so many answered, the others refused, and another page's call is answered among the first", async () => {
    const [greedy, modest] = [newPage(1), newPage(2)];
    const order: string[] = [];
    const flood = Array.from({ length: MANY }, (_, index) => {
      const answer = greedy.call(String(index));
      if (index < maxPageCalls) void answer.then(() => order.push("greedy"));
      return answer;
    });
    const other = modest.call("1").then((answer) => {
      order.push("modest");
      return answer;
    });

    expect(codeOf(await other)).toBe("ok");
    expect(counts(await Promise.all(flood))).toEqual({
      ok: maxPageCalls,
      too_many_calls: MANY - maxPageCalls,
    });
    expect(order.indexOf("modest")).toBeLessThan(4 * pageConcurrency);
  }, 30_000);

  test("keeps no connection from another page by calls that are never answered", async () => {
    const [greedy, modest] = [newPage(1), newPage(2)];
    const ids = Array.from({ length: 100 }, (_, index) => String(index));
    const flood = ids.map((id) => greedy.call(id, "never answer"));
    expect(codeOf(await modest.call("1"))).toBe("ok");
    for (const id of [...ids].reverse()) void greedy.request({ kind: "cancel", id });
    expect(counts(await Promise.all(flood))).toEqual({ cancelled: 100 });
    expect(codeOf(await greedy.call("after"))).toBe("ok");
  });

  test("can take every place again once its calls have ended", async () => {
    const page = newPage(1);
    for (let round = 0; round < 3; round += 1) {
      const calls = Array.from({ length: maxPageCalls }, (_, index) => page.call(String(index)));
      expect(counts(await Promise.all(calls))).toEqual({ ok: maxPageCalls });
    }
  }, 30_000);

  test("has the time that a call waited in the page counted", async () => {
    const page = newPage(1);
    expect(await page.call("1", "x", { waitedMs: 30_000 })).toMatchObject({
      ok: false,
      error: { code: "timeout", message: "'tips.create' had no answer within 30000 ms." },
    });
    expect(codeOf(await page.call("2", "x", { waitedMs: "no number" }))).toBe("ok");
  });
});

describe("a page that subscribes without end", () => {
  test("has so many subscriptions, and a place again for each that it ends", async () => {
    const page = newPage(3);
    const subscribe = (id: string) => page.request({ kind: "subscribe", id, topics: ["todos"] });
    const started = performance.now();
    const answers = await Promise.all(Array.from({ length: MANY }, (_, index) => subscribe(String(index))));
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(counts(answers)).toEqual({
      ok: maxPageSubscriptions,
      too_many_subscriptions: MANY - maxPageSubscriptions,
    });
    expect(codeOf(await newPage(4).request({ kind: "subscribe", id: "1", topics: ["todos"] }))).toBe("ok");
    await page.request({ kind: "unsubscribe", id: "0" });
    expect(codeOf(await subscribe("one more"))).toBe("ok");
  }, 30_000);
});

test("eleven calls with one signal add one listener to it, and all end with it", async () => {
  const controller = new AbortController();
  const listen = vi.spyOn(controller.signal, "addEventListener");
  const calls = Array.from({ length: 11 }, () =>
    sidecar.call("tips.create", { body: { content: "never answer" } }, { signal: controller.signal }),
  );
  const outcomes = Promise.allSettled(calls);
  controller.abort();
  const cancelled = { status: "rejected", reason: expect.objectContaining({ code: "cancelled" }) as unknown };
  expect(await outcomes).toEqual(calls.map(() => cancelled));
  expect(listen).toHaveBeenCalledTimes(1);
  const late = sidecar.call("tips.list", {}, { signal: controller.signal });
  await expect(late).rejects.toMatchObject({ code: "cancelled" });
});
