// Which pages may speak to the sidecar at all, and what a page of theirs can do besides.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Frame } from "playwright-core";
import { expect, test } from "vitest";
import type { PageBridge } from "../../src/shared/channels.js";
import { App } from "./app.js";

const PRELOAD_WORLD = fileURLToPath(new URL("fixtures/preload-world.cjs", import.meta.url));

test("the bridge serves a page whose preload world is sandboxed and isolated", async () => {
  const app = await App.start();
  await app.ready();
  await app.electron.evaluate(
    ({ session }, path) => session.defaultSession.setPreloads([path]),
    PRELOAD_WORLD,
  );
  await app.page.reload();

  expect(await app.page.evaluate("window.preloadWorld")).toEqual({ sandboxed: true, contextIsolated: true });
  expect(await app.page.evaluate("[typeof require, typeof process, typeof Buffer]")).toEqual(
    Array<string>(3).fill("undefined"),
  );
  expect(await app.value("health.live")).toMatchObject({ status: "live" });
});

test.runIf(process.platform === "linux")("the kernel confines the page's process, where it can", async () => {
  const app = await App.start();
  await app.ready();
  const pid = await app.electron.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]?.webContents.getOSProcessId(),
  );
  const filtered = /^Seccomp:\s+2$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));

  expect(filtered).toBe(!process.env["ELECTRON_NO_SANDBOX"]);
});

test("a frame of another origin is refused, and so is any frame inside a page", async () => {
  const app = await App.start({ scene: "frames" });
  await app.page.waitForLoadState("load");
  const codes = Object.fromEntries(
    await Promise.all(
      app.page.frames().map(async (frame) => [frame.url(), await codeOfCall(frame)] as const),
    ),
  );

  expect(codes).toEqual({
    "app://own/": "not_running",
    "app://own/frame": "foreign_frame",
    "app://foreign/": "foreign_frame",
  });
});

test("a page of another origin in the app's own window is refused", async () => {
  const app = await App.start({ scene: "frames" });
  await app.page.waitForLoadState("load");
  await app.page.goto("app://foreign/");

  expect(await codeOfCall(app.page.mainFrame())).toBe("foreign_frame");
});

/** Calls through what the preload script left on the window, as any page can. */
function codeOfCall(frame: Frame): Promise<string> {
  return frame.evaluate(async () => {
    const { electronSidecar } = window as unknown as { electronSidecar: PageBridge };
    const answer = await electronSidecar.call("1", "health.live");
    return answer.ok ? "ok" : answer.error.code;
  });
}
