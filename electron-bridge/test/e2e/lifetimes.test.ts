// How long processes and rows live: crashes of the sidecar, ends of the app, a second start.

import { expect, test } from "vitest";
import { App, freshFolder, until } from "./app.js";
import { leftBehind, quit } from "./launch.mjs";

const GONE_WITHIN_SECONDS = 2;

interface TodoPage {
  readonly items: readonly { readonly content: string }[];
}

test("calls of a page outlive the sidecar's violent end: slow, without an error, each exactly once", async () => {
  const app = await App.start();
  const victim = await app.sidecarPid();
  const client = await app.client();
  const count = 60;
  const calls = client.evaluate(async ({ sidecar }, total) => {
    const slowest = { milliseconds: 0 };
    for (let number = 0; number < total; number += 1) {
      const started = performance.now();
      await sidecar.call("todos.create", { body: { content: `todo ${number}` } });
      slowest.milliseconds = Math.max(slowest.milliseconds, performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return slowest.milliseconds;
  }, count);
  await until("some calls", 5_000, async () => (await todos(app)).length > 5);
  process.kill(victim, "SIGKILL");

  expect(await calls).toBeGreaterThan(300);
  expect(await app.sidecarPid()).not.toBe(victim);
  expect((await todos(app)).sort()).toEqual(
    Array.from({ length: count }, (_, number) => `todo ${number}`).sort(),
  );
});

test("a page hears that the sidecar is lost and that it is back", async () => {
  const app = await App.start();
  const victim = await app.sidecarPid();
  const client = await app.client();
  const states = client.evaluate(
    ({ sidecar }) =>
      new Promise<string[]>((resolve) => {
        const heard: string[] = [];
        sidecar.onStatus(({ state }) => {
          heard.push(state);
          if (state === "ready" && heard.includes("restarting")) resolve(heard);
        });
      }),
  );
  await app.value("health.live");
  process.kill(victim, "SIGKILL");

  expect(await states).toContain("restarting");
});

test("the app quits while the machine says that it goes to sleep, and leaves no process behind", async () => {
  const app = await App.start();
  const pid = await app.sidecarPid();
  const listeners = await app.electron.evaluate(({ powerMonitor }) => {
    powerMonitor.emit("suspend");
    return ["suspend", "resume"].map((name) => powerMonitor.listenerCount(name));
  });
  expect(listeners).toEqual([1, 1]);
  // A sidecar that does not obey has to be waited for, in time that passes.
  process.kill(pid, "SIGSTOP");
  await quit(app.electron);

  expect(await leftBehind(app.run, GONE_WITHIN_SECONDS)).toEqual([]);
});

test("quitting the app leaves no process behind", async () => {
  const app = await App.start();
  await app.ready();
  await quit(app.electron);

  expect(await leftBehind(app.run, GONE_WITHIN_SECONDS)).toEqual([]);
});

test("quitting while the sidecar is still starting leaves no process behind", async () => {
  const app = await App.start();
  await quit(app.electron);

  expect(await leftBehind(app.run, GONE_WITHIN_SECONDS)).toEqual([]);
});

test("an app whose sidecar cannot be started tells its page so, and quits", async () => {
  const app = await App.start({ env: { SUITE_SIDECAR: "/there/is/no/sidecar" } });
  const { error } = await app.call("tips.list");
  await app.page.locator('#state[data-state="failed"]').waitFor();
  await quit(app.electron);

  expect(error).toMatchObject({ isSidecarError: true, code: "spawn_failed" });
  expect(await leftBehind(app.run, GONE_WITHIN_SECONDS)).toEqual([]);
});

test("when the app is killed, its sidecar is gone within two seconds", async () => {
  const app = await App.start();
  const pid = await app.sidecarPid();
  expect(await leftBehind(app.run, 0)).toContainEqual(expect.stringMatching(`^${pid} `));
  app.electron.process().kill("SIGKILL");

  expect(await leftBehind(app.run, GONE_WITHIN_SECONDS)).toEqual([]);
});

test("a second start shows the rows of the first", async () => {
  const userData = freshFolder();
  const first = await App.start({ userData });
  await first.value("tips.create", { body: { content: "Write it down" } });
  const rows = await first.value("tips.list");
  await quit(first.electron);
  const second = await App.start({ userData });

  expect(await second.value("tips.list")).toEqual(rows);
});

async function todos(app: App): Promise<string[]> {
  const { items } = await app.value<TodoPage>("todos.list", { query: { limit: 200 } });
  return items.map(({ content }) => content);
}
