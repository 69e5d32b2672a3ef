// What a page can and cannot do: the IPC handlers with pages of the test's own making, over a real process.

import { builtInOperations } from "../../../src/shared/operations.js";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { defaultPolicy, exposeToPages, type ExposeOptions, Sidecar } from "../../../src/main/index.js";
import type { IpcEventLike, WebContentsLike } from "../../../src/main/electron-types.js";
import { channels } from "../../../src/shared/channels.js";
import { fixturePath, fixtureSidecar, until } from "../../support.js";

const OWN_URL = "app://console/index.html";

/** A stand-in for Electron's ipcMain and the pages behind it. */
class FakeIpc {
  #handler: ((event: IpcEventLike, message: unknown) => Promise<unknown>) | undefined;

  readonly ipcMain: ExposeOptions["ipcMain"] = {
    handle: (channel, listener) => {
      expect(channel).toBe(channels.request);
      this.#handler = listener;
    },
    removeHandler: () => (this.#handler = undefined),
  };

  get isServed(): boolean {
    return this.#handler !== undefined;
  }

  page(id = 1, url = OWN_URL): FakePage {
    return new FakePage(id, url, (event, message) => this.#handler?.(event, message));
  }
}

class FakePage implements WebContentsLike {
  readonly received: unknown[] = [];

  constructor(
    readonly id: number,
    public url: string,
    private readonly handler: (event: IpcEventLike, message: unknown) => Promise<unknown> | undefined,
  ) {}

  getURL(): string {
    return this.url;
  }

  send(channel: string, message: unknown): void {
    this.received.push({ channel, message });
  }

  readonly #listeners = new Map<string, (() => void)[]>();

  once(event: string, listener: () => void): void {
    this.on(event, listener);
  }

  on(event: string, listener: () => void): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  emit(event: "destroyed" | "did-navigate" | "render-process-gone"): void {
    for (const listener of this.#listeners.get(event) ?? []) listener();
  }

  async request(message: unknown, frame: IpcEventLike["senderFrame"] = { url: this.url, parent: null }) {
    return this.handler({ sender: this, senderFrame: frame }, message);
  }

  call(operation: unknown, input?: unknown, id: unknown = "1") {
    return this.request({ kind: "call", id, operation, input });
  }
}

/** For all tests that leave it as it is. */
const common = new Sidecar({
  command: process.execPath,
  args: [fixturePath("well-behaved")],
  dataDir: tmpdir(),
});
beforeAll(() => common.start());
afterAll(() => common.stop());

function setUp(options: Partial<ExposeOptions> = {}, sidecar = common) {
  const ipc = new FakeIpc();
  const unexpose = exposeToPages(sidecar, { ipcMain: ipc.ipcMain, origins: ["app://console"], ...options });
  return { ipc, page: ipc.page(), unexpose };
}

async function setUpOwn() {
  const sidecar = fixtureSidecar("well-behaved");
  await sidecar.start();
  return { sidecar, ...setUp({}, sidecar) };
}

function refusal(code: string) {
  return { ok: false, error: expect.objectContaining({ code }) as unknown };
}

describe("a page of the app's own", () => {
  test("gets an operation's answer in an envelope", async () => {
    const { page } = setUp();
    const answer = await page.call("tips.create", { body: { content: "hello" } });
    expect(answer).toMatchObject({
      ok: true,
      value: { method: "POST", url: "/tips", body: { content: "hello" } },
    });
  });

  test("gets the sidecar's error in an envelope, as plain data", async () => {
    const { page } = setUp();
    const answer = await page.call("tips.create", { body: { content: "be refused" } });
    expect(answer).toEqual({
      ok: false,
      error: {
        code: "validation_failed",
        message: "The content is too long.",
        status: 422,
        retryable: false,
        errors: [{ field: "body.content", message: "is too long" }],
      },
    });
  });

  test("can give a write its key, which must be one", async () => {
    const { page } = setUp();
    const write = { kind: "call", operation: "tips.create", input: { body: { content: "x" } } };
    const value = { headers: expect.objectContaining({ "idempotency-key": "my-key" }) as unknown };
    expect(await page.request({ ...write, id: "1", key: "my-key" })).toMatchObject({ ok: true, value });
    for (const key of ["", "two\r\nlines", "x".repeat(201), 7, null, {}]) {
      expect(await page.request({ ...write, id: "2", key })).toMatchObject(refusal("invalid_call"));
    }
  });

  test("can cancel its own call, and nobody else's", async () => {
    const { ipc, page } = setUp();
    let isAnswered = false;
    const answer = page.call("tips.create", { body: { content: "never answer" } }, "mine");
    void answer.then(() => (isAnswered = true));
    await ipc.page(2).request({ kind: "cancel", id: "mine" });
    await page.call("tips.list");
    expect(isAnswered).toBe(false);
    await page.request({ kind: "cancel", id: "mine" });
    expect(await answer).toEqual(refusal("cancelled"));
  });

  test("can use an id again only when its call has ended", async () => {
    const { page } = setUp();
    void page.call("tips.create", { body: { content: "never answer" } }, "same");
    expect(await page.call("tips.list", {}, "same")).toEqual(refusal("invalid_call"));
    await page.call("tips.list", {}, "other");
    expect(await page.call("tips.list", {}, "other")).toMatchObject({ ok: true });
  });

  test("that watches is told of every change, without process or log", async () => {
    const { sidecar, page } = await setUpOwn();
    const status = { state: "ready", stage: null, failure: null };
    expect(await page.request({ kind: "watch" })).toEqual({ ok: true, value: status });
    await page.request({ kind: "watch" });
    process.kill(sidecar.snapshot.ready?.pid ?? 0, "SIGKILL");
    await until(() => page.received.length >= 4, "four changes");
    expect(page.received).toEqual(
      [
        {
          state: "restarting",
          failure: { code: "sidecar_exited", message: "The sidecar ended by signal SIGKILL." },
        },
        {
          state: "restarting",
          failure: { code: "sidecar_exited", message: "The sidecar ended by signal SIGKILL." },
        },
        {
          state: "starting",
          failure: { code: "sidecar_exited", message: "The sidecar ended by signal SIGKILL." },
        },
        { state: "ready", failure: null },
      ].map((change) => ({
        channel: channels.event,
        message: { kind: "status", status: { ...change, stage: null } },
      })),
    );
  });

  test("is not told any more when it is gone, or shows something foreign", async () => {
    const { sidecar, ipc, page } = await setUpOwn();
    const other = ipc.page(2);
    await page.request({ kind: "watch" });
    await other.request({ kind: "watch" });
    page.emit("destroyed");
    other.url = "https://example.com/";
    await sidecar.stop();
    expect([...page.received, ...other.received]).toEqual([]);
  });
});

describe("operations that pages may call", () => {
  test("do not include restricted ones", async () => {
    const { page } = setUp();
    const input = { path: { vault_id: 1 } };
    expect(await page.call("vaults.delete_permanently", input)).toEqual(refusal("operation_not_allowed"));
  });

  test("include a restricted one that the app allows by name", async () => {
    const { page } = setUp({ allow: ["vaults.delete_permanently"] });
    const answer = await page.call("vaults.delete_permanently", { path: { vault_id: 1 } });
    expect(answer).toMatchObject({ ok: true, value: { method: "DELETE", url: "/vaults/1/permanent" } });
  });

  test("do not include one that the app denies, even if it allows it too", async () => {
    const { page } = setUp({ allow: ["tips.list"], deny: ["tips.list"] });
    expect(await page.call("tips.list")).toEqual(refusal("operation_not_allowed"));
  });

  test.each(["vaults.explode", "GET /vaults", "http://127.0.0.1/vaults", "__proto__", "toString", ""])(
    "do not include %o, which is none",
    async (operation) => {
      const { page } = setUp();
      expect(await page.call(operation)).toEqual(refusal("unknown_operation"));
    },
  );

  test.each(["events.stream", "transfer.export", "transfer.import"])(
    "do not include %s, which speaks more than JSON",
    async (operation) => {
      const { page } = setUp();
      expect(await page.call(operation)).toEqual(refusal("unknown_operation"));
    },
  );

  test("that are misspelt in allow or deny are refused when they are configured", () => {
    const expose = (): unknown =>
      exposeToPages(common, {
        ipcMain: new FakeIpc().ipcMain,
        origins: ["app://console"],
        deny: ["tips.lst" as "tips.list"],
      });
    expect(expose).toThrow("There is no operation 'tips.lst' to allow or deny; did you mean 'tips.list'?");
  });
});

describe("the topics of an operation", () => {
  const ask = (page: FakePage, operation: unknown) => page.request({ kind: "topics", operation });

  test("are named to a page that may call it", async () => {
    expect(await ask(setUp().page, "todos.list")).toEqual({ ok: true, value: ["todos", "imports"] });
    const { page } = setUp({ deny: ["todos.list"] });
    expect(await ask(page, "todos.list")).toEqual(refusal("operation_not_allowed"));
  });

  test.each([
    ["todos.create", "invalid_call"],
    ["doctor.report", "invalid_call"],
    ["todos.explode", "unknown_operation"],
    [7, "invalid_call"],
  ])("of %o are refused", async (operation, code) => {
    expect(await ask(setUp().page, operation)).toEqual(refusal(code));
  });
});

describe("a foreign frame", () => {
  test.each([
    "https://example.com/",
    "app://evil/index.html",
    "app://console.evil/",
    "app://console@evil/",
    "app://console:81/",
    "apps://console/",
    "file:///app/console/index.html",
    "data:text/html,app://console",
    "blob:app://console/1",
    "about:blank",
    "",
  ])("at %o is refused, whatever it asks for", async (url) => {
    const { page } = setUp();
    for (const message of [{ kind: "call", id: "1", operation: "tips.list" }, { kind: "watch" }, null]) {
      expect(await page.request(message, { url, parent: null })).toEqual(refusal("foreign_frame"));
    }
  });

  test("inside one of the app's pages is refused, even with the app's own origin", async () => {
    const { page } = setUp();
    const message = { kind: "call", id: "1", operation: "tips.list" };
    expect(await page.request(message, { url: OWN_URL, parent: {} })).toEqual(refusal("foreign_frame"));
  });

  test("that is gone already is refused", async () => {
    const { page } = setUp();
    expect(await page.request({ kind: "watch" }, null)).toEqual(refusal("foreign_frame"));
  });

  const own = { url: OWN_URL, parent: null };
  test.each([
    [{ ...own, url: "http://localhost:5173/a" }, "of the origin 'http://localhost:5173' called"],
    [{ ...own, url: "http://localhost:5173/a" }, "allows these: app://console, http://localhost:5174;"],
    [{ ...own, url: "about:blank" }, "of the origin 'about://' called"],
    [{ url: OWN_URL, parent: {} }, "A frame inside a page called the sidecar, of the origin 'app://console'"],
    [null, "is gone"],
  ])("is refused with the origin that was seen and those that are allowed (%#)", async (frame, part) => {
    const { page } = setUp({ origins: ["app://console", "http://localhost:5174/"] });
    expect(await page.request({ kind: "watch" }, frame)).toMatchObject({
      error: { message: expect.stringContaining(part) as string },
    });
  });
});

describe("origins", () => {
  test.each([
    "app://console",
    "app://console/",
    "app://Console",
    "http://localhost:5173",
    "https://app.example",
    "file://",
  ])("%s is one", (origin) => {
    expect(() => exposeToPages(common, { ipcMain: new FakeIpc().ipcMain, origins: [origin] })).not.toThrow();
  });

  test.each([
    "*",
    "app:",
    "app://",
    "app://console/page",
    "http://",
    "console",
    "data:",
    "app://user@console",
    "null",
    "",
  ])("%o is none, and refused when it is configured", (origin) => {
    const expose = (): unknown =>
      exposeToPages(common, { ipcMain: new FakeIpc().ipcMain, origins: [origin] });
    expect(expose).toThrow(expect.objectContaining({ code: "invalid_configuration" }) as Error);
  });

  test("of a development server with a port works", async () => {
    const { ipc } = setUp({ origins: ["http://localhost:5173"] });
    expect(await ipc.page(1, "http://localhost:5173/a?b#c").call("tips.list")).toMatchObject({ ok: true });
    expect(await ipc.page(1, "http://localhost:5174/").call("tips.list")).toEqual(refusal("foreign_frame"));
  });
});

describe("a malformed request", () => {
  const call = { kind: "call", id: "1", operation: "tips.list" };

  test.each([
    undefined,
    null,
    "call",
    7,
    [],
    {},
    { kind: "toString" },
    { kind: "__proto__" },
    { ...call, kind: ["call"] },
    { ...call, id: undefined },
    { ...call, id: "" },
    { ...call, id: 1 },
    { ...call, id: "x".repeat(101) },
    { ...call, operation: 7 },
    { ...call, operation: undefined },
    { ...call, input: "x" },
    { ...call, input: null },
    { ...call, input: [] },
    { ...call, input: { url: "http://example.com" } },
    { ...call, input: { query: "a=b" } },
    { ...call, input: { query: { a: { b: 1 } } } },
    { ...call, input: { path: { id: 1 } } },
    { kind: "cancel" },
  ])("%o is refused", async (message) => {
    const { page } = setUp();
    expect(await page.request(message)).toEqual(refusal("invalid_call"));
  });
});

describe("the handlers", () => {
  test("tell a page nothing of a fault inside the app, and the app all of it", async () => {
    const fault = new Error("secret detail");
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const sidecar = {
      policy: defaultPolicy,
      operations: builtInOperations,
      now: () => 0,
      call: () => Promise.reject(fault),
      on: () => () => undefined,
    } as unknown as Sidecar;
    const ipc = new FakeIpc();
    exposeToPages(sidecar, { ipcMain: ipc.ipcMain, origins: ["app://console"] });
    const answer = await ipc.page().call("tips.list");
    expect(answer).toEqual(refusal("internal_error"));
    expect(JSON.stringify(answer)).not.toContain("secret");
    expect(logged).toHaveBeenCalledWith(fault);
    logged.mockRestore();
  });

  test("are gone when the app stops exposing them", async () => {
    const { sidecar, ipc, page, unexpose } = await setUpOwn();
    await page.request({ kind: "watch" });
    unexpose();
    expect(ipc.isServed).toBe(false);
    await sidecar.stop();
    expect(page.received).toEqual([]);
  });
});
