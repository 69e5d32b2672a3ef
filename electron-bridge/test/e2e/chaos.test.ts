// A real app at bad moments: its sidecar is killed, it is started twice, and ended at any moment of its start.

import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { dice, repeat, timeoutMs } from "../chaos/length.js";
import { App, freshFolder, until } from "./app.js";
import { commandOf, leftBehind, quit, SUITE_APP } from "./launch.mjs";

const GONE_WITHIN_SECONDS = 2;
/** As long as a start of the app and its sidecar may take. */
const START_MS = 2_000;
/** Fewer than trip the breaker of the default policy. */
const KILLS = 2;
/** The longest that a sidecar is left alone before it is killed. */
const PEACE_MS = 500;

interface TipPage {
  readonly items: readonly { readonly content: string }[];
  readonly next_cursor: string | null;
}

test(
  "SIGKILL of the sidecar at random moments while a page calls: no call fails, and each is done once",
  async () => {
    const random = dice("page");
    const apps = await repeat(1, 0.05, async () => {
      const app = await App.start();
      const client = await app.client();
      const done = client.evaluate(async ({ sidecar }) => {
        const contents: string[] = [];
        while (!("finish" in window)) {
          contents.push(`tip ${contents.length}`);
          await sidecar.call("tips.create", { body: { content: contents.at(-1) ?? "" } });
        }
        return contents;
      });
      for (let kill = 0; kill < KILLS; kill += 1) {
        const victim = await app.sidecarPid();
        await sleep(random() * PEACE_MS);
        process.kill(victim, "SIGKILL");
        await until("another sidecar", 15_000, async () => (await app.sidecarPid()) !== victim);
      }
      await app.page.evaluate(() => Object.assign(window, { finish: true }));
      const contents = await done;
      expect((await tips(app)).sort()).toEqual(contents.sort());
      await quit(app.electron);
    });
    console.log(`${apps * KILLS} SIGKILLs of the sidecar of an app`);
  },
  timeoutMs(0.05),
);

test("an app that is started a second time has one sidecar: the second gives way, and nothing is lost", async () => {
  const userData = freshFolder();
  const app = await App.start({ userData });
  await app.value("tips.create", { body: { content: "one" } });
  const pid = await app.sidecarPid();
  const second = launchAgain(app, userData);
  await until("the end of the second app", 15_000, () => second.exitCode !== null);

  expect(second.exitCode).toBe(0);
  expect(await app.sidecarPid()).toBe(pid);
  expect(await tips(app)).toEqual(["one"]);
});

test(
  "an app that is quit or killed at any moment of its start leaves no process behind, and starts again",
  async () => {
    const random = dice("start of the app");
    const userData = freshFolder();
    const ends = await repeat(2, 0.05, async () => {
      const app = await App.start({ userData });
      await sleep(random() * START_MS);
      if (random() < 0.5) await quit(app.electron);
      else app.electron.process().kill("SIGKILL");
      expect(await leftBehind(app.run, GONE_WITHIN_SECONDS)).toEqual([]);
    });
    const app = await App.start({ userData });
    await app.ready();
    console.log(`${ends} ends of an app that was starting`);
  },
  timeoutMs(0.05),
);

async function tips(app: App): Promise<string[]> {
  const contents: string[] = [];
  let cursor: string | null = null;
  do {
    const query: object = { limit: 1_000, ...(cursor !== null && { cursor }) };
    const page = await app.value<TipPage>("tips.list", { query });
    contents.push(...page.items.map(({ content }) => content));
    cursor = page.next_cursor;
  } while (cursor !== null);
  return contents;
}

/** Starts the same app on the same data as a person does by a second click. */
function launchAgain(app: App, userData: string) {
  const { command, args } = commandOf(SUITE_APP);
  const words = [...args, `--user-data-dir=${userData}`];
  if (process.env["ELECTRON_NO_SANDBOX"]) words.push("--no-sandbox");
  const env = { ...process.env, ELECTRON_SIDECAR_RUN: app.run };
  const second = spawn(command, words, { env, stdio: "ignore" });
  onTestFinished(() => void second.kill("SIGKILL"));
  return second;
}
