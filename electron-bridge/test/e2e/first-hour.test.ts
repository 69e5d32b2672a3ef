// The mistakes of an app's first hour, in a real Electron: each is named, with what to do, where its author looks.

import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { App, until } from "./app.js";

const FIRST_HOUR = fileURLToPath(new URL("apps/first-hour/main.js", import.meta.url));
const WARNED_WITHIN_MS = 10_000;

interface Warning {
  readonly code: string;
  readonly message: string;
}

async function startWith(mistake: string): Promise<App> {
  return App.start({ app: FIRST_HOUR, env: { MISTAKE: mistake } });
}

function warningsOf(app: App): Promise<Warning[]> {
  return app.electron.evaluate(() => (globalThis as unknown as { warnings: Warning[] }).warnings);
}

async function warningOf(app: App): Promise<Warning | undefined> {
  await until("the warning", WARNED_WITHIN_MS, async () => (await warningsOf(app)).length > 0);
  const [warning, ...others] = await warningsOf(app);
  expect(others).toEqual([]);
  return warning;
}

test("an app without a mistake has no warning, and its calls come through", async () => {
  const app = await startWith("none");
  expect((await app.call("tips.list")).error).toMatchObject({ code: "not_running" });
  expect(await warningsOf(app)).toEqual([]);
});

test("a window without a preload script", async () => {
  const app = await startWith("no preload");
  const { error } = await app.call("tips.list");
  expect(error).toMatchObject({ isSidecarError: true, code: "bridge_missing" });
  expect(error?.message).toContain("Name electron-sidecar/preload as webPreferences.preload");
  expect(await warningsOf(app)).toEqual([]);
});

test.each([
  ["preload not bundled", "not-bundled.js failed: module not found: electron-sidecar/preload. A sandboxed"],
  ["preload missing", "missing.js failed: ENOENT"],
  ["no context isolation", "contextBridge API can only be used when contextIsolation is enabled"],
])("%s: the page and the main process get the error of the preload script", async (mistake, part) => {
  const app = await startWith(mistake);
  const { error } = await app.call("tips.list");
  expect(error).toMatchObject({ code: "bridge_missing" });
  expect(error?.message).toContain(part);
  const warning = await warningOf(app);
  expect(warning?.code).toBe("preload_failed");
  expect(warning?.message).toContain(part);
});

test("a main process that does not serve pages", async () => {
  const app = await startWith("not exposed");
  const { error } = await app.call("tips.list");
  expect(error).toMatchObject({ code: "bridge_missing" });
  expect(error?.message).toContain("it must call exposeToPages");
});

test("a scheme that nobody serves", async () => {
  const app = await startWith("scheme not handled");
  const warning = await warningOf(app);
  expect(warning?.code).toBe("scheme_not_handled");
  expect(warning?.message).toContain('protocol.handle("app"');
  expect(await app.page.textContent("body")).toBe(warning?.message);
});

test("a scheme that is not registered as standard", async () => {
  const app = await startWith("scheme not privileged");
  const warning = await warningOf(app);
  expect(warning?.code).toBe("scheme_not_privileged");
  expect(warning?.message).toContain("registerSchemesAsPrivileged");
});

test("a misspelt operation, as a method of a page, is refused with the right name", async () => {
  const app = await startWith("none");
  const client = await app.client();
  const messages = await client.evaluate(async ({ sidecar }) => {
    const todos = sidecar.todos as unknown as Record<string, () => Promise<unknown>>;
    const other = sidecar as unknown as Record<string, Record<string, () => Promise<unknown>>>;
    const message = (error: unknown): string => (error as Error).message;
    return Promise.all([todos["creat"]?.().catch(message), other["todoos"]?.["create"]?.().catch(message)]);
  });
  expect(messages).toEqual([
    "There is no operation 'todos.creat'; did you mean 'todos.create'?",
    "There is no operation 'todoos.create'; did you mean 'todos.create'?",
  ]);
});
