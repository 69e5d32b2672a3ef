// The mistakes of an app's first hour that only its windows show: each is a warning that says what to do, once.

import { describe, expect, test } from "vitest";
import type { ElectronLike, WindowContentsLike } from "../../../src/main/electron-types.js";
import { runningElectron } from "../../../src/main/electron.js";
import { watchWindows } from "../../../src/main/pages/windows.js";
import { FAILURE_EVENT, FAILURE_NAME } from "../../../src/shared/channels.js";

const OWN_URL = "app://console/";

type Listener = (...args: unknown[]) => void;

class FakeContents {
  readonly scripts: string[] = [];
  readonly served = new Set<string>();
  readonly intercepted = new Set<string>();
  /** The answer to a page of a scheme that nobody serves. */
  shown: string | undefined;
  readonly #listeners = new Map<string, Listener>();

  readonly session = {
    protocol: {
      isProtocolRegistered: (scheme: string) => this.served.has(scheme),
      isProtocolIntercepted: (scheme: string) => this.intercepted.has(scheme),
      registerStringProtocol: (
        scheme: string,
        handler: (_: unknown, done: (answer: { data: string }) => void) => void,
      ) => {
        this.served.add(scheme);
        handler({}, ({ data }) => (this.shown = data));
      },
      unregisterProtocol: (scheme: string) => this.served.delete(scheme),
    },
  };
  readonly mainFrame = {
    origin: "app://console",
    executeJavaScript: (code: string) => {
      this.scripts.push(code);
      return Promise.reject(new Error("the page is gone"));
    },
  };

  constructor(public url = OWN_URL) {}

  getURL(): string {
    return this.url;
  }

  on(event: string, listener: Listener): void {
    this.#listeners.set(event, listener);
  }

  emit(event: string, ...args: unknown[]): void {
    this.#listeners.get(event)?.({}, ...args);
  }

  start(url: string, { isInPage = false, isMainFrame = true } = {}): void {
    this.emit("did-start-navigation", url, isInPage, isMainFrame);
  }
}

function setUp(existing: FakeContents[] = []) {
  const listeners = new Set<(event: unknown, contents: WindowContentsLike) => void>();
  const electron: ElectronLike = {
    app: {
      on: (_, listener) => listeners.add(listener),
      removeListener: (_, listener) => listeners.delete(listener),
    },
    webContents: { getAllWebContents: () => existing as unknown as WindowContentsLike[] },
  };
  const warnings: { code: string; message: string }[] = [];
  const isOwn = (url: string): boolean => url.startsWith(OWN_URL) || url.startsWith("http://localhost:5173/");
  const stop = watchWindows({ electron, isOwn, warn: (warning) => warnings.push(warning) });
  const open = (url?: string): FakeContents => {
    const contents = new FakeContents(url);
    for (const listener of listeners) listener({}, contents as unknown as WindowContentsLike);
    return contents;
  };
  return { warnings, open, stop, listeners };
}

describe("a preload script that fails", () => {
  test("is a warning with its path, its error and what to do, and the page gets the reason", () => {
    const { warnings, open } = setUp();
    const contents = open();
    contents.emit(
      "preload-error",
      "/app/preload.js",
      new Error("module not found: electron-sidecar/preload"),
    );
    expect(warnings).toEqual([{ code: "preload_failed", message: expect.any(String) as string }]);
    const message = warnings[0]?.message ?? "";
    expect(message).toContain("/app/preload.js failed: module not found: electron-sidecar/preload.");
    expect(message).toContain("bundle it");
    expect(contents.scripts).toHaveLength(1);
    expect(contents.scripts[0]).toContain(`globalThis.${FAILURE_NAME} = ${JSON.stringify(message)}`);
    expect(contents.scripts[0]).toContain(FAILURE_EVENT);
  });

  test("is a warning once, however often the page is loaded", () => {
    const { warnings, open } = setUp();
    const contents = open();
    for (let load = 0; load < 3; load += 1)
      contents.emit("preload-error", "/p.js", new Error("x is not defined"));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.message).toBe("The preload script /p.js failed: x is not defined.");
    expect(contents.scripts).toHaveLength(3);
  });

  test("of a foreign page concerns nobody, unless it wanted the bridge; that page gets no reason", () => {
    const { warnings, open } = setUp();
    const contents = open("https://example.com/");
    contents.emit("preload-error", "/p.js", new Error("x is not defined"));
    expect(warnings).toEqual([]);
    contents.emit("preload-error", "/p.js", new Error("module not found: electron-sidecar/preload"));
    expect(warnings).toHaveLength(1);
    expect(contents.scripts).toEqual([]);
  });
});

describe("a page of a scheme", () => {
  test("that nobody serves is a warning, which the window shows once", async () => {
    const { warnings, open } = setUp();
    const contents = open("");
    contents.start(OWN_URL);
    expect(warnings).toEqual([
      { code: "scheme_not_handled", message: expect.stringContaining('protocol.handle("app"') as string },
    ]);
    expect(contents.shown).toBe(warnings[0]?.message);
    await new Promise(setImmediate);
    expect(contents.served.size).toBe(0);
  });

  test("that is served is none, in whatever way", () => {
    const { warnings, open } = setUp();
    const contents = open("");
    contents.served.add("app");
    contents.start(OWN_URL);
    contents.served.clear();
    contents.intercepted.add("app");
    contents.start(OWN_URL);
    expect(warnings).toEqual([]);
    expect(contents.shown).toBeUndefined();
  });

  test("is not looked at for frames, for moves inside a page, for foreign pages and for what Electron serves", () => {
    const { warnings, open } = setUp();
    const contents = open("");
    contents.start(OWN_URL, { isMainFrame: false });
    contents.start(`${OWN_URL}#part`, { isInPage: true });
    contents.start("mailto:somebody@example.com");
    contents.start("http://localhost:5173/");
    expect(warnings).toEqual([]);
    expect(contents.shown).toBeUndefined();
  });

  test("that is not registered as standard has no origin, which is a warning", () => {
    const { warnings, open } = setUp();
    const contents = open();
    contents.emit("did-navigate", OWN_URL);
    expect(warnings).toEqual([]);
    contents.mainFrame.origin = "null";
    contents.emit("did-navigate", OWN_URL);
    expect(warnings).toEqual([
      {
        code: "scheme_not_privileged",
        message: expect.stringContaining("registerSchemesAsPrivileged") as string,
      },
    ]);
  });
});

test("windows that were opened before are watched, and none after the end", () => {
  const before = new FakeContents();
  const { warnings, stop, listeners } = setUp([before]);
  before.start(OWN_URL);
  expect(warnings).toHaveLength(1);
  stop();
  expect(listeners.size).toBe(0);
  before.emit("preload-error", "/p.js", new Error("fails"));
  before.emit("did-navigate", OWN_URL);
  expect(warnings).toHaveLength(1);
});

test("without Electron, as in Node, there is nothing to watch", () => {
  expect(runningElectron()).toBeUndefined();
  expect(() =>
    watchWindows({ electron: undefined, isOwn: () => true, warn: () => undefined })(),
  ).not.toThrow();
});
