// An app's own Python in a real Electron: the module of EXTENDING.md, called from a page.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { App, freshFolder, until } from "./app.js";
import { PYTHON } from "./launch.mjs";

const PAGE = fileURLToPath(new URL("../../../EXTENDING.md", import.meta.url));

/** A folder for an app's data in which the module of the page lies. */
function userDataWithModule(): string {
  const userData = freshFolder();
  const folder = path.join(userData, "backend", "my_app");
  const [, module = ""] =
    /```python\n# backend\/my_app\/notes\.py\n(.*?)```/s.exec(readFileSync(PAGE, "utf8")) ?? [];
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "__init__.py"), "");
  writeFileSync(path.join(folder, "notes.py"), module);
  return userData;
}

/** The app with the module of the page; a packaged one has it in its frozen sidecar. */
function startOwnApp(env: Record<string, string> = {}): Promise<App> {
  return App.start({
    scene: "extension",
    userData: userDataWithModule(),
    env: { SUITE_PYTHON: PYTHON, ...env },
  });
}

type Anything = Record<string, Record<string, (input: object) => Promise<unknown>>>;

test("a page stores a row by an operation of the app's own", async () => {
  const app = await startOwnApp();
  const client = await app.client();
  const made = await client.evaluate(({ sidecar }) =>
    (sidecar as unknown as Anything)["notes"]?.["create_card"]?.({ front: "sea", back: "mer" }),
  );
  expect(made).toEqual({ id: 1, front: "sea", back: "mer" });
  expect(await app.value("notes.get_card", { card_id: 1 })).toEqual(made);
});

test("a page hears of the rows of the app's own tables, and of events of the app itself", async () => {
  const app = await startOwnApp();
  const client = await app.client();
  const heard = await client.evaluate(async ({ sidecar }) => {
    const notices: unknown[] = [];
    await new Promise<void>((done) => {
      sidecar.events.subscribe(["notes.cards" as "app.cards", "app.theme"], (notice) => {
        if (notice.kind === "reset") {
          void sidecar
            .call("notes.create_card" as never, { body: { front: "sea", back: "mer" } } as never)
            .then(() => sidecar.events.publish({ topic: "app.theme", data: { dark: true } }));
          return;
        }
        notices.push([notice.topic, notice.id, notice.data]);
        if (notices.length === 2) done();
      });
    });
    return notices;
  });
  expect(heard).toEqual([
    ["notes.cards", 1, {}],
    ["app.theme", null, { dark: true }],
  ]);
});

test("the app says which of its own operations its pages may call", async () => {
  const app = await startOwnApp({ SUITE_DENY: "notes.get_card" });
  expect((await app.call("notes.get_card", { card_id: 1 })).error).toMatchObject({
    code: "operation_not_allowed",
  });
  expect((await app.call("notes.explode")).error).toMatchObject({ code: "unknown_operation" });
});

test("a row outlives the sidecar's violent end, under the page's call", async () => {
  const app = await startOwnApp();
  await app.value("notes.create_card", { front: "sea", back: "mer" });
  const pid = await app.sidecarPid();
  process.kill(pid, "SIGKILL");
  expect(await app.value("notes.create_card", { front: "sun", back: "soleil" })).toMatchObject({ id: 2 });
  await until("another process answers", 5_000, async () => (await app.sidecarPid()) !== pid);
});
