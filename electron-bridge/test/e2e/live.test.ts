// Live queries in real windows: a list follows the commits of others, and the sidecar's violent end.

import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { App, clientOf, openWindow, until } from "./app.js";

const SOON_MS = 10_000;

interface Shown {
  readonly lists: string[][];
  readonly errors: string[];
  end: () => void;
}

/** A list of todos that a page shows, each time that it is delivered. */
async function showTodos(page: Page) {
  const client = await clientOf(page);
  return client.evaluateHandle(({ sidecar }): Shown => {
    const [lists, errors]: [string[][], string[]] = [[], []];
    const end = sidecar.live(
      "todos.list",
      { query: { status: 0 } },
      ({ items }) => lists.push(items.map(({ content }) => content).sort()),
      { onError: ({ code }) => errors.push(code) },
    );
    return { lists, errors, end };
  });
}

test("a page's list follows what another window writes, until it ends", async () => {
  const app = await App.start();
  const shown = await showTodos(app.page);
  const count = (): Promise<number> => shown.evaluate(({ lists }) => lists.length);
  await until("the first list", SOON_MS, async () => (await count()) === 1);
  const other = await clientOf(await openWindow(app));
  const create = (content: string): Promise<void> =>
    other.evaluate(async ({ sidecar }, content) => {
      await sidecar.todos.create({ content });
    }, content);
  await create("one");
  await until("the second list", SOON_MS, async () => (await count()) === 2);
  await shown.evaluate(({ end }) => end());
  await create("two");
  await app.value("todos.list");
  expect(await shown.evaluate(({ lists, errors }) => ({ lists, errors }))).toEqual({
    lists: [[], ["one"]],
    errors: [],
  });
});

test("a page's list is right again after the sidecar was killed, without an error in between", async () => {
  const app = await App.start();
  await app.value("todos.create", { content: "before" });
  const shown = await showTodos(app.page);
  const last = (): Promise<string[] | undefined> => shown.evaluate(({ lists }) => lists.at(-1));
  await until("the first list", SOON_MS, async () => (await last())?.length === 1);
  const pid = await app.sidecarPid();
  process.kill(pid, "SIGKILL");
  await app.value("todos.create", { content: "meanwhile" });
  await until("the row of meanwhile", SOON_MS, async () => (await last())?.length === 2);
  await until("another process", SOON_MS, async () => (await app.sidecarPid()) !== pid);
  await app.value("todos.create", { content: "afterwards" });
  await until("the row of afterwards", SOON_MS, async () => (await last())?.length === 3);
  expect(await last()).toEqual(["afterwards", "before", "meanwhile"]);
  expect(await shown.evaluate(({ errors }) => errors)).toEqual([]);
});
