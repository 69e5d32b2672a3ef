// What surrounds the sidecar goes wrong: ports, proxies, pipes, files, sleep, starts that come to nothing. Real sidecars;
// after each scenario no process of it is left. Violent ends are in kills.test.ts, with the table of all scenarios.

import { EventEmitter, once } from "node:events";
import { open, stat } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { type Notice, type Sidecar, SidecarError, watchPower } from "../../dist/main.mjs";
import { errorOf, until } from "../support.js";
import { Scene } from "./chaos.js";
import { dice, repeat, timeoutMs } from "./length.js";

const POSIX = process.platform !== "win32";
const TIPS = 300;
const PAGE_BYTES = 4_096;
const BEYOND_REPAIR = 6;
/** Ends a start that hangs soon, and gives up soon after. */
const IMPATIENT = { startSilenceMs: 400, startTotalMs: 1_500, stacksWaitMs: 100 };

test("a squatted port is told by its number, at once; when it is free, the next start has it", async () => {
  const scene = new Scene();
  const squatter = await listen(createServer());
  const sidecar = scene.sidecar({ args: python(`import sys; sys.argv += ["--port", "${squatter.port}"]`) });
  const started = errorOf(sidecar.start());
  const call = errorOf(sidecar.call("tips.list"));
  expect(await started).toMatchObject({
    code: "bad_configuration",
    message: expect.stringContaining(String(squatter.port)) as string,
  });
  expect(await call).toMatchObject({ code: "bad_configuration" });
  expect(sidecar.snapshot).toMatchObject({ state: "failed", restarts: 0 });
  await scene.nothingIsLeft();

  await squatter.close();
  expect(await sidecar.start()).toMatchObject({ port: squatter.port });
});

test("proxies of the environment get to see nothing: neither calls nor health checks nor events", async () => {
  const scene = new Scene();
  let visits = 0;
  const blackHole = await listen(createServer(() => (visits += 1)));
  const url = `http://127.0.0.1:${blackHole.port}`;
  const names = ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "npm_config_proxy"];
  const proxies = Object.fromEntries(
    names.flatMap((name) => [name, name.toUpperCase()].map((each) => [each, /^no/i.test(each) ? "" : url])),
  );
  for (const [name, value] of Object.entries(proxies)) process.env[name] = value;
  onTestFinished(() => Object.keys(proxies).forEach((name) => Reflect.deleteProperty(process.env, name)));
  const sidecar = scene.sidecar({ env: proxies, policy: { probeIntervalMs: 300, probeTimeoutMs: 290 } });
  const heard: Notice[] = [];
  await sidecar.start();
  sidecar.events.subscribe(["tips"], (notice) => heard.push(notice));
  await until(() => heard.length === 1, "the first reset");
  await sidecar.call("tips.create", { body: { content: "one" } });
  await until(() => heard.length === 2, "the event");
  await delay(700);
  expect(sidecar.snapshot).toMatchObject({ state: "ready", restarts: 0 });
  expect(visits).toBe(0);
});

test("ten megabytes on standard error without a newline hold up no call", async () => {
  const scene = new Scene();
  const flood =
    "import os, threading; threading.Thread(target=os.write, args=(2, b'x' * 10_000_000)).start()";
  const sidecar = scene.sidecar({ args: python(flood) });
  let longest = 0;
  sidecar.on("log", (line) => (longest = Math.max(longest, line.length)));
  await sidecar.start();
  await sidecar.call("tips.create", { body: { content: "one" } });
  expect(await tips(sidecar)).toEqual(["one"]);
  await until(() => longest > 0, "the log");
  expect(longest).toBeLessThan(10_000);
  expect(await sidecar.stop()).toMatchObject({ outcome: "graceful" });
});

test("a start that never becomes ready is given up, calls that waited are told why, and nothing is left", async () => {
  const scene = new Scene();
  const family = "import subprocess, time; subprocess.Popen(['sleep', '600']); time.sleep(600)";
  const sidecar = scene.sidecar({
    args: POSIX ? python(family) : python("import time; time.sleep(600)"),
    policy: IMPATIENT,
  });
  const started = errorOf(sidecar.start());
  const call = errorOf(sidecar.call("tips.list"));
  expect(await started).toMatchObject({ code: "start_timeout" });
  expect(await call).toMatchObject({ code: "start_timeout" });
  expect(sidecar.snapshot.restarts).toBeGreaterThan(0);
  await scene.nothingIsLeft();
});

test("a crash loop ends with the breaker, not before, and a start by the app begins anew", async () => {
  const scene = new Scene();
  const sidecar = scene.sidecar({ policy: { breakerCrashes: 3 } });
  for (let crash = 1; crash <= 3; crash += 1) {
    const { pid } = crash === 1 ? await sidecar.start() : { pid: await pidOf(sidecar) };
    await sidecar.call("tips.create", { body: { content: `tip ${crash}` } });
    process.kill(pid, "SIGKILL");
    await until(() => sidecar.snapshot.state !== "ready", "the loss");
  }
  expect(await errorOf(sidecar.call("tips.list"))).toMatchObject({ code: "crash_loop" });
  expect(sidecar.snapshot).toMatchObject({ state: "failed", restarts: 2 });
  await scene.nothingIsLeft();
  await sidecar.start();
  expect(await tips(sidecar)).toEqual(["tip 1", "tip 2", "tip 3"]);
});

test.runIf(POSIX)(
  "a machine that sleeps loses neither the sidecar nor a call that was under way",
  async () => {
    const scene = new Scene();
    const policy = { probeIntervalMs: 300, probeTimeoutMs: 290, callTimeoutMs: 1_200, sleepNoticeMs: 60_000 };
    const sidecar = scene.sidecar({ policy });
    const { pid } = await sidecar.start();
    const power = new EventEmitter();
    watchPower(sidecar, power);
    power.emit("suspend");
    process.kill(pid, "SIGSTOP");
    const call = sidecar.call("tips.create", { body: { content: "across the night" } });
    await delay(1_500);
    process.kill(pid, "SIGCONT");
    power.emit("resume");
    await call;
    expect(await tips(sidecar)).toEqual(["across the night"]);
    expect(sidecar.snapshot).toMatchObject({ state: "ready", restarts: 0, ready: { pid } });
  },
);

test(
  "random bytes in the file of a stopped sidecar: mended with a report, or refused with a reason, never silently less",
  async () => {
    const random = dice("damage");
    const outcomes = new Map<string, number>();
    await repeat(1, 0.1, async () => {
      const scene = new Scene();
      const sidecar = scene.sidecar();
      await sidecar.start();
      const expected = Array.from({ length: TIPS }, (_, number) => `tip ${number} ${"x".repeat(100)}`);
      await Promise.all(expected.map((content) => sidecar.call("tips.create", { body: { content } })));
      await sidecar.stop();
      const damage = await overwriteSomewhere(join(scene.dataDir, "sidecar.db"), random);
      const outcome = await whatBecameOf(sidecar, expected);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      expect(["whole", "reported", "refused"], damage).toContain(outcome);
      await sidecar.stop();
      await scene.nothingIsLeft();
    });
    console.log(`random bytes: ${[...outcomes].map(([name, count]) => `${count} ${name}`).join(", ")}`);
  },
  timeoutMs(0.1),
);

/** Arguments for a Python that does something before it becomes the sidecar. */
function python(first: string): string[] {
  return ["-c", `${first}\nimport sys\nfrom sidecar.cli import main\nsys.exit(main())`];
}

async function listen(server: Server): Promise<{ port: number; close: () => Promise<unknown> }> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { port, close: () => once(server.close(), "close") };
}

async function pidOf(sidecar: Sidecar): Promise<number> {
  await until(() => sidecar.snapshot.ready !== null, "it to be ready");
  return sidecar.snapshot.ready?.pid ?? 0;
}

async function tips(sidecar: Sidecar): Promise<string[]> {
  const { items } = await sidecar.call("tips.list", { query: { limit: 1_000 } });
  return items.map(({ content }) => content).sort();
}

async function overwriteSomewhere(path: string, random: () => number): Promise<string> {
  const pages = Math.floor((await stat(path)).size / PAGE_BYTES);
  const position = Math.floor(random() * pages) * PAGE_BYTES;
  const bytes = Uint8Array.from({ length: PAGE_BYTES }, () => random() * 256);
  const file = await open(path, "r+");
  await file.write(bytes, 0, PAGE_BYTES, position);
  await file.close();
  return `page ${position / PAGE_BYTES} of ${pages} overwritten`;
}

/** Starts it on a damaged file and reads everything: what a page would see. */
async function whatBecameOf(sidecar: Sidecar, expected: readonly string[]): Promise<string> {
  const refusal = await errorOf(sidecar.start());
  if (refusal) return sidecar.snapshot.failure?.exitCode === BEYOND_REPAIR ? "refused" : "failed otherwise";
  const found = await tipsOnceMended(sidecar);
  const { items } = await sidecar.call("recovery.list");
  if (items.length > 0) return "reported";
  return JSON.stringify(found) === JSON.stringify([...expected].sort()) ? "whole" : "silently less";
}

/** Damage that is met only now is mended while it runs; a page is told to try again. */
async function tipsOnceMended(sidecar: Sidecar): Promise<string[]> {
  for (;;) {
    try {
      return await tips(sidecar);
    } catch (error) {
      if (!(error instanceof SidecarError) || !error.retryable) throw error;
      await delay(50);
    }
  }
}
