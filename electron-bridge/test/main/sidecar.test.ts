// The Sidecar with real processes, most of them deliberately misbehaving.

import { tmpdir } from "node:os";
import { EventEmitter } from "node:events";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { setTimeout as delay } from "node:timers/promises";
import { Sidecar, SidecarError, type Status, watchPower } from "../../src/main/index.js";
import { BRIDGE_VERSION } from "../../src/main/child/versions.js";
import type { Policy } from "../../src/main/supervision/policy.js";
import { errorOf, fixtureOptions, fixtureSidecar, isRunning, temporaryFolder, until } from "../support.js";

/** What the well-behaved fixture answers: what it received. */
interface Received {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: unknown;
  bootstrap: Record<string, unknown>;
  env: Record<string, string>;
  argv: string[];
  /** Of all writes that this process has received. */
  seenKeys: string[];
}

async function createTip(sidecar: Sidecar, content = "hello"): Promise<Received> {
  return (await sidecar.call("tips.create", { body: { content } })) as unknown as Received;
}

function logOf(sidecar: Sidecar): string[] {
  const lines: string[] = [];
  sidecar.on("log", (line) => lines.push(line));
  return lines;
}

async function grandchildPid(log: readonly string[]): Promise<number> {
  await until(() => log.some((line) => line.startsWith("grandchild")), "the grandchild's line");
  return Number(log.find((line) => line.startsWith("grandchild"))?.split(" ")[1]);
}

/** The policy's pauses before a call is sent again are not longer. */
const LONGEST_REPLAY_PAUSE_MS = 1_000;

function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

describe("options", () => {
  test("a data directory that is not absolute is refused", () => {
    expect(() => new Sidecar({ command: "x", dataDir: "data" })).toThrow(
      /dataDir must be an absolute path, not 'data'/,
    );
  });

  test.each([{ probeIntervalMs: -1 }, { stopGraceMs: NaN }, { noSuchNumber: 1 }])(
    "the policy %o is refused",
    (policy) => {
      const make = (): Sidecar => new Sidecar({ command: "x", dataDir: temporaryFolder(), policy });
      expect(make).toThrow(expect.objectContaining({ code: "invalid_configuration" }) as Error);
    },
  );
});

describe("a well-behaved sidecar", () => {
  test("starts, says what it is, and stops without leaving a process", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    const ready = await sidecar.start();
    expect(ready).toMatchObject({ version: BRIDGE_VERSION, apiVersion: 1, schemaVersion: 1 });
    expect(sidecar.snapshot).toMatchObject({ state: "ready", ready });
    expect(isRunning(ready.pid)).toBe(true);
    expect(await sidecar.stop()).toMatchObject({ outcome: "graceful", confirmed: true, exitCode: 0 });
    expect(isRunning(ready.pid)).toBe(false);
    expect(sidecar.snapshot.state).toBe("stopped");
  });

  test("gets its bootstrap over the pipe, and nothing secret in its arguments or environment", async () => {
    const options = fixtureOptions("well-behaved", { settings: { log_level: "debug" } });
    const sidecar = fixtureSidecar("well-behaved", options);
    await sidecar.start();
    const { bootstrap, argv, env, headers } = await createTip(sidecar);
    expect(bootstrap).toMatchObject({
      protocol: 1,
      data_dir: options.dataDir,
      settings: { log_level: "debug" },
    });
    expect(bootstrap["token"]).toMatch(/^[0-9a-f]{64}$/);
    expect(argv).toEqual(["serve", "--host-pipe"]);
    expect(JSON.stringify(env)).not.toContain(bootstrap["token"]);
    expect(headers["authorization"]).toBe(`Bearer ${String(bootstrap["token"])}`);
    expect(headers["host"]).toBe(`127.0.0.1:${sidecar.snapshot.ready?.port}`);
    expect(headers["origin"]).toBeUndefined();
  });

  test("gets the names of the app's own modules and where they are", async () => {
    const own = { extensions: ["my_app.backend"], pythonPath: [tmpdir()] };
    const sidecar = fixtureSidecar("well-behaved", fixtureOptions("well-behaved", own));
    await sidecar.start();
    const { bootstrap } = await createTip(sidecar);
    expect(bootstrap).toMatchObject({
      extensions: own.extensions,
      python_path: own.pythonPath,
      packaged: false,
    });
  });

  test("has a new token at every start", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    await sidecar.start();
    const first = await createTip(sidecar);
    await sidecar.stop();
    await sidecar.start();
    const second = await createTip(sidecar);
    expect(second.bootstrap["token"]).not.toBe(first.bootstrap["token"]);
  });

  test("gets none of the host's PYTHON variables, and those that the app sets", async () => {
    process.env["PYTHONHOME"] = "/nowhere";
    const sidecar = fixtureSidecar("well-behaved", { env: { PYTHONWARNINGS: "error", MINE: "1" } });
    await sidecar.start();
    delete process.env["PYTHONHOME"];
    const { env } = await createTip(sidecar);
    expect(env["PYTHONHOME"]).toBeUndefined();
    expect(env).toMatchObject({
      PYTHONWARNINGS: "error",
      MINE: "1",
      PYTHONUTF8: "1",
      PATH: process.env["PATH"],
    });
  });

  test("whose log line holds the token is not quoted", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    const log = logOf(sidecar);
    await sidecar.start();
    await createTip(sidecar, "tell secrets");
    await until(() => log.length > 0, "the log line");
    expect(log).toEqual(["the token is [token]"]);
  });

  test("that is killed is known to be gone within 100 ms, and is restarted", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    const first = await sidecar.start();
    const noticed = new Promise<number>((resolve) => {
      sidecar.on("snapshot", ({ state }) => state === "restarting" && resolve(performance.now()));
    });
    const killedAt = performance.now();
    process.kill(first.pid, "SIGKILL");
    expect((await noticed) - killedAt).toBeLessThan(100);
    await until(() => sidecar.snapshot.state === "ready", "the restart");
    expect(sidecar.snapshot.ready?.instance).not.toBe(first.instance);
    expect(sidecar.snapshot.restarts).toBe(1);
  });

  test("is told of by events until the listener is taken away", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    const states: Status["state"][] = [];
    const stopListening = sidecar.on("snapshot", ({ state }) => states.push(state));
    await sidecar.start();
    stopListening();
    await sidecar.stop();
    expect(states).toEqual(["starting", "ready"]);
  });

  test("may be stopped by a listener of its own, whenever it is told", async () => {
    for (const state of ["starting", "ready", "restarting"] as const) {
      const sidecar = fixtureSidecar("well-behaved");
      sidecar.on("snapshot", (status) => {
        if (status.state === "ready") process.kill(status.ready?.pid ?? 0, "SIGKILL");
        if (status.state === state) void sidecar.stop();
      });
      void errorOf(sidecar.start());
      await until(() => sidecar.snapshot.state === "stopped", `the stop while ${state}`);
      expect(await sidecar.stop()).toMatchObject({ outcome: "not_running" });
    }
  });

  test("that says it is migrating shows what it does", async () => {
    const sidecar = fixtureSidecar("migrates");
    const details: (string | null)[] = [];
    sidecar.on("snapshot", ({ stage }) => stage && details.push(stage.detail));
    await sidecar.start();
    expect(details).toEqual(["1 of 3", "2 of 3", "3 of 3"]);
    expect(sidecar.snapshot.stage).toBeNull();
  });
});

describe("a misbehaving sidecar", () => {
  test("that crashes at every start fails with the reason and the last lines of its log", async () => {
    const sidecar = fixtureSidecar("crashes-at-start");
    const error = await errorOf(sidecar.start());
    expect(error).toBeInstanceOf(SidecarError);
    expect(error).toMatchObject({ code: "crash_loop" });
    expect(String((error as Error).cause)).toContain("about to crash");
    expect(sidecar.snapshot).toMatchObject({
      state: "failed",
      restarts: 4,
      failure: { code: "crash_loop", exitCode: 1, logTail: ["about to crash"] },
    });
  });

  test("that ends with a permanent exit code is not restarted, and says why", async () => {
    const sidecar = fixtureSidecar("exits-permanently");
    expect(await errorOf(sidecar.start())).toMatchObject({ code: "data_directory_locked" });
    const failure = {
      message: "Another sidecar (4711) has it.",
      exitCode: 3,
      logTail: ["the lock is taken"],
    };
    expect(sidecar.snapshot).toMatchObject({ state: "failed", restarts: 0, failure });
  });

  test("whose program does not exist fails at once", async () => {
    const sidecar = fixtureSidecar("", { command: "/no/such/program" });
    expect(await errorOf(sidecar.start())).toMatchObject({
      code: "spawn_failed",
      message: expect.stringContaining("/no/such/program") as string,
    });
  });

  test("whose program has an impossible name fails at once", async () => {
    const sidecar = fixtureSidecar("", { command: "a\0b" });
    expect(await errorOf(sidecar.start())).toMatchObject({ code: "spawn_failed" });
  });

  test.each(["never-ready", "stays-silent"])(
    "(%s) that does not get ready is killed and given up",
    async (name) => {
      const sidecar = fixtureSidecar(name, { policy: { startSilenceMs: 400, startTotalMs: 1_000 } });
      expect(await errorOf(sidecar.start())).toMatchObject({ code: "start_timeout" });
      expect(sidecar.snapshot).toMatchObject({ state: "failed", failure: { code: "start_timeout" } });
    },
  );

  test("that ignores the shutdown command is terminated", async () => {
    const sidecar = fixtureSidecar("ignores-shutdown");
    const { pid } = await sidecar.start();
    expect(await sidecar.stop()).toMatchObject({ outcome: "terminated", confirmed: true, signal: "SIGTERM" });
    expect(isRunning(pid)).toBe(false);
  });

  test("that ignores signals too is killed with its whole tree", async () => {
    const sidecar = fixtureSidecar("ignores-signals");
    const log = logOf(sidecar);
    const { pid } = await sidecar.start();
    const grandchild = await grandchildPid(log);
    expect(await sidecar.stop()).toMatchObject({ outcome: "killed", confirmed: true, signal: "SIGKILL" });
    expect([isRunning(pid), isRunning(grandchild)]).toEqual([false, false]);
  });

  test("that leaves a process behind leaves none when stop() has resolved", async () => {
    const sidecar = fixtureSidecar("leaves-a-child");
    const log = logOf(sidecar);
    await sidecar.start();
    const grandchild = await grandchildPid(log);
    expect(await sidecar.stop()).toMatchObject({ outcome: "graceful", confirmed: true });
    expect(isRunning(grandchild)).toBe(false);
  });

  test("whose program is to be replaced lets go of it by the time that stop() has resolved", async () => {
    const program = join(temporaryFolder(), process.platform === "win32" ? "sidecar.exe" : "sidecar");
    copyFileSync(process.execPath, program);
    const sidecar = fixtureSidecar("leaves-a-child", { command: program });
    const log = logOf(sidecar);
    await sidecar.start();
    await grandchildPid(log);
    expect(await sidecar.stop()).toMatchObject({ confirmed: true });
    writeFileSync(program, "the new version");
  });

  test.each(["hangs-on-health", "wrong-instance"])(
    "(%s) that misses its health checks is replaced",
    async (name) => {
      const sidecar = fixtureSidecar(name);
      const { pid } = await sidecar.start();
      await until(() => sidecar.snapshot.state === "unresponsive", "it to be unresponsive");
      await until(() => sidecar.snapshot.restarts >= 1, "the restart");
      expect(isRunning(pid)).toBe(false);
    },
  );

  test("that floods its log without a newline neither hangs nor fills the memory", async () => {
    const sidecar = fixtureSidecar("floods-stderr");
    const log = logOf(sidecar);
    await sidecar.start();
    await until(() => log.includes("after the flood"), "the line after the flood");
    expect(log).toHaveLength(2);
    expect(log[0]?.length).toBeLessThan(10_000);
  });

  test("that prints garbage among its status lines is understood, and the garbage is log", async () => {
    const sidecar = fixtureSidecar("prints-garbage");
    const log = logOf(sidecar);
    await sidecar.start();
    expect(log.slice(0, 5)).toEqual([
      "hello",
      '{"event":"ready","port":"no number"}',
      '{"event":',
      "[1]",
      "null",
    ]);
  });

  test("that is stopped while it starts does not stay", async () => {
    const sidecar = fixtureSidecar("never-ready");
    const started = errorOf(sidecar.start());
    expect(await sidecar.stop()).toMatchObject({ confirmed: true });
    expect(await started).toMatchObject({ code: "not_running" });
    expect(sidecar.snapshot.state).toBe("stopped");
  });
});

describe("a machine that sleeps", () => {
  function sleepy(name: string, policy: Partial<Policy> = {}) {
    const sidecar = fixtureSidecar(name, { policy });
    const powerMonitor = new EventEmitter();
    return { sidecar, powerMonitor, stopWatching: watchPower(sidecar, powerMonitor) };
  }

  test("does not lose a sidecar that did not answer meanwhile", async () => {
    const { sidecar, powerMonitor } = sleepy("stops-answering");
    const { pid } = await sidecar.start();
    powerMonitor.emit("suspend");
    await createTip(sidecar, "stop answering");
    await delay(600);
    await createTip(sidecar, "answer again");
    powerMonitor.emit("resume");
    await delay(300);
    expect(sidecar.snapshot).toMatchObject({ state: "ready", restarts: 0, ready: { pid } });
  });

  test("finds out after it woke that a sidecar does not answer", async () => {
    const { sidecar, powerMonitor } = sleepy("hangs-on-health");
    await sidecar.start();
    powerMonitor.emit("suspend");
    await delay(600);
    expect(sidecar.snapshot).toMatchObject({ state: "ready", restarts: 0 });
    powerMonitor.emit("resume");
    await until(() => sidecar.snapshot.restarts >= 1, "the restart");
  });

  test("does not fail a start, nor a call that waits for it", async () => {
    const { sidecar, powerMonitor } = sleepy("never-ready", {
      startSilenceMs: 200,
      startTotalMs: 400,
      callTimeoutMs: 200,
    });
    const started = errorOf(sidecar.start());
    let callHasEnded = false;
    const call = errorOf(sidecar.call("tips.list")).finally(() => (callHasEnded = true));
    powerMonitor.emit("suspend");
    await delay(700);
    expect(sidecar.snapshot).toMatchObject({ state: "starting", restarts: 0 });
    expect(callHasEnded).toBe(false);
    powerMonitor.emit("resume");
    expect(await call).toMatchObject({ code: "timeout" });
    expect(await started).toMatchObject({ code: "start_timeout" });
  });

  test("that never says that it woke counts as awake after a while", async () => {
    const { sidecar, powerMonitor } = sleepy("hangs-on-health", { sleepNoticeMs: 300 });
    await sidecar.start();
    powerMonitor.emit("suspend");
    await until(() => sidecar.snapshot.restarts >= 1, "the restart");
  });

  test.each(["before", "during"])("does not hold up a stop(), whether it says so %s that", async (when) => {
    const { sidecar, powerMonitor } = sleepy("ignores-shutdown");
    await sidecar.start();
    if (when === "before") powerMonitor.emit("suspend");
    const stopped = sidecar.stop();
    if (when === "during") powerMonitor.emit("suspend");
    expect(await stopped).toMatchObject({ outcome: "terminated", confirmed: true });
  });

  test("is not listened to any more when the app says so", () => {
    const { powerMonitor, stopWatching } = sleepy("well-behaved");
    expect(powerMonitor.eventNames()).toEqual(["suspend", "resume"]);
    stopWatching();
    expect(powerMonitor.eventNames()).toEqual([]);
  });
});

describe("calls", () => {
  test("send the operation's method, path, query and body", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    await sidecar.start();
    const input = { path: { vault_id: 7 }, body: { title: "Ünïcode & more" } };
    const patched = (await sidecar.call("vaults.update", input)) as unknown as Received;
    expect(patched).toMatchObject({ method: "PATCH", url: "/vaults/7", body: { title: "Ünïcode & more" } });
    const listed = (await sidecar.call("todos.list", {
      query: { limit: 5 },
    })) as unknown as Received;
    expect(listed).toMatchObject({ method: "GET", url: "/todos?limit=5", body: null });
  });

  test("carry an idempotency key of their own if they change something, and none if they read", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    await sidecar.start();
    const [one, other] = [await createTip(sidecar), await createTip(sidecar)];
    expect(one.headers["idempotency-key"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(other.headers["idempotency-key"]).not.toBe(one.headers["idempotency-key"]);
    const read = (await sidecar.call("tips.list")) as unknown as Received;
    expect(read.headers["idempotency-key"]).toBeUndefined();
  });

  test("carry the caller's key if there is one", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    await sidecar.start();
    const input = { body: { content: "x" } };
    const sent = (await sidecar.call("tips.create", input, { key: "my-key" })) as unknown as Received;
    expect(sent.headers["idempotency-key"]).toBe("my-key");
  });

  test("made while it starts wait for it", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    void sidecar.start();
    expect(await createTip(sidecar)).toMatchObject({ body: { content: "hello" } });
  });

  test("made while it restarts wait for it", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    const { pid } = await sidecar.start();
    process.kill(pid, "SIGKILL");
    await until(() => sidecar.snapshot.state === "restarting", "the crash to be noticed");
    expect(await createTip(sidecar)).toMatchObject({ body: { content: "hello" } });
  });

  test("whose answer was lost in a crash are sent again with the same key", async () => {
    const dataDir = temporaryFolder();
    const sidecar = fixtureSidecar("well-behaved", { dataDir });
    await sidecar.start();
    const answer = await createTip(sidecar, "crash once");
    expect(sidecar.snapshot.restarts).toBe(1);
    expect(answer.headers["idempotency-key"]).toBe(readFileSync(join(dataDir, "crashed-with-key"), "utf8"));
  });

  test("that take no key are not sent again, and say that they may have happened", async () => {
    const change = {
      method: "POST",
      path: "/tips",
      mutating: true,
      replayable: false,
      restricted: false,
      flat: null,
    };
    const options = fixtureOptions("well-behaved", { operations: { "own.change": change } });
    const sidecar = fixtureSidecar("well-behaved", options);
    await sidecar.start();
    const call = sidecar.call as (operation: string, input: object) => Promise<unknown>;
    const error = await errorOf(call("own.change", { body: { content: "crash once" } }));
    expect(error).toMatchObject({ code: "unanswered", retryable: false });
    expect(await createTip(sidecar)).toMatchObject({ method: "POST" });
  });

  test("whose connection breaks are sent again with the same key, with no restart", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    await sidecar.start();
    expect(await createTip(sidecar, "break the connection once")).toMatchObject({ method: "POST" });
    expect(sidecar.snapshot.restarts).toBe(0);
  });

  test("reject with what the sidecar's problem says", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    await sidecar.start();
    const error = await errorOf(createTip(sidecar, "be refused"));
    expect(error).toBeInstanceOf(SidecarError);
    expect(error).toMatchObject({
      code: "validation_failed",
      message: "The content is too long.",
      status: 422,
      retryable: false,
      errors: [{ field: "body.content", message: "is too long" }],
    });
  });

  test("resolve with undefined where the answer has no content", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    await sidecar.start();
    expect(await createTip(sidecar, "answer nothing")).toBeUndefined();
  });

  test("resolve with an answer that is no problem, whatever its status", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    await sidecar.start();
    expect(await createTip(sidecar, "be degraded")).toEqual({ status: "degraded" });
  });

  test.each(["answer garbage", "answer 500"])("reject with invalid_answer on %s", async (content) => {
    const sidecar = fixtureSidecar("well-behaved");
    await sidecar.start();
    expect(await errorOf(createTip(sidecar, content))).toMatchObject({ code: "invalid_answer" });
  });

  test("end at their deadline, on the wire and in the queue", async () => {
    const answering = fixtureSidecar("well-behaved");
    await answering.start();
    const input = { body: { content: "never answer" } };
    expect(await errorOf(answering.call("tips.create", input, { timeoutMs: 50 }))).toMatchObject({
      code: "timeout",
      retryable: true,
    });
    const starting = fixtureSidecar("never-ready");
    void errorOf(starting.start());
    expect(await errorOf(starting.call("tips.list", {}, { timeoutMs: 50 }))).toMatchObject({
      code: "timeout",
    });
  });

  test("end when their signal says so, before, in the queue and on the wire", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    const input = { body: { content: "never answer" } };
    const controller = new AbortController();
    const { signal } = controller;
    void sidecar.start();
    const waiting = errorOf(sidecar.call("tips.create", input, { signal }));
    controller.abort();
    expect(await waiting).toMatchObject({ code: "cancelled", retryable: false });
    expect(await errorOf(sidecar.call("tips.create", input, { signal }))).toMatchObject({
      code: "cancelled",
    });
    await sidecar.start();
    const later = new AbortController();
    const sent = errorOf(sidecar.call("tips.create", input, { signal: later.signal }));
    await sidecar.call("tips.list");
    later.abort();
    expect(await sent).toMatchObject({ code: "cancelled" });
  });

  test("that wait are bounded in number", async () => {
    const sidecar = fixtureSidecar("never-ready", { policy: { maxWaitingCalls: 2 } });
    void errorOf(sidecar.start());
    const waiting = [errorOf(sidecar.call("tips.list")), errorOf(sidecar.call("tips.list"))];
    expect(await errorOf(sidecar.call("tips.list"))).toMatchObject({
      code: "too_many_calls",
      retryable: true,
    });
    await sidecar.stop();
    expect(await Promise.all(waiting)).toMatchObject([{ code: "not_running" }, { code: "not_running" }]);
  });

  test("that were sent before their sidecar was lost keep their place, however many may wait", async () => {
    const sidecar = fixtureSidecar("well-behaved", { policy: { maxWaitingCalls: 0 } });
    await sidecar.start();
    const sent = createTip(sidecar, "crash once");
    await until(() => sidecar.snapshot.state === "restarting", "the crash to be noticed");
    expect(await errorOf(createTip(sidecar))).toMatchObject({ code: "too_many_calls", retryable: true });
    expect(await sent).toMatchObject({ method: "POST" });
  });

  test("that were cancelled when their answer was lost are not sent again", async () => {
    const dataDir = temporaryFolder();
    const sidecar = fixtureSidecar("well-behaved", { dataDir });
    await sidecar.start();
    const { signal, abort } = abortable();
    const input = { body: { content: "crash once" } };
    const cancelled = errorOf(sidecar.call("tips.create", input, { signal, key: "cancelled" }));
    await until(() => sidecar.snapshot.state === "restarting", "the crash to be noticed");
    expect(readFileSync(join(dataDir, "crashed-with-key"), "utf8")).toBe("cancelled");
    abort();
    expect(await cancelled).toMatchObject({ code: "cancelled" });
    const { seenKeys } = await createTip(sidecar);
    expect(seenKeys).not.toContain("cancelled");
    await delay(LONGEST_REPLAY_PAUSE_MS);
    expect((await createTip(sidecar)).seenKeys).not.toContain("cancelled");
  });

  test("that were refused are not sent again, not even after a restart", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    const { pid } = await sidecar.start();
    const input = { body: { content: "be refused" } };
    const refused = errorOf(sidecar.call("tips.create", input, { key: "refused" }));
    expect(await refused).toMatchObject({ status: 422 });
    expect((await createTip(sidecar)).seenKeys.filter((key) => key === "refused")).toHaveLength(1);
    process.kill(pid, "SIGKILL");
    await until(() => sidecar.snapshot.restarts === 1, "the restart");
    expect((await createTip(sidecar)).seenKeys).not.toContain("refused");
  });

  test("are refused before start(), after stop() and after it has failed", async () => {
    const sidecar = fixtureSidecar("exits-permanently");
    expect(await errorOf(sidecar.call("tips.list"))).toMatchObject({ code: "not_running" });
    await errorOf(sidecar.start());
    expect(await errorOf(sidecar.call("tips.list"))).toMatchObject({ code: "data_directory_locked" });
    await sidecar.stop();
    expect(await errorOf(sidecar.call("tips.list"))).toMatchObject({ code: "not_running" });
  });

  test("go past whatever proxy the environment names", async () => {
    const proxies = {
      http_proxy: "http://127.0.0.1:9",
      HTTP_PROXY: "http://127.0.0.1:9",
      ALL_PROXY: "http://127.0.0.1:9",
    };
    Object.assign(process.env, proxies);
    const sidecar = fixtureSidecar("well-behaved");
    await sidecar.start();
    expect(await createTip(sidecar)).toMatchObject({ method: "POST" });
    for (const name of Object.keys(proxies)) Reflect.deleteProperty(process.env, name);
  });

  test("that are under way when stop() is called do not hold it up", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    await sidecar.start();
    const call = errorOf(createTip(sidecar, "never answer"));
    expect(await sidecar.stop()).toMatchObject({ outcome: "graceful" });
    expect(await call).toMatchObject({ code: "not_running" });
  });
});

describe("the surface", () => {
  test("is the one that a page has", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    const states: string[] = [];
    const stop = sidecar.onStatus(({ state }) => states.push(state));
    expect(await sidecar.status()).toEqual({ state: "stopped", stage: null, failure: null });
    await sidecar.start();
    expect(await sidecar.status()).toEqual({ state: "ready", stage: null, failure: null });
    stop();
    const created = (await sidecar.tips.create({ content: "flat" })) as unknown as Received;
    expect([created.url, created.body]).toEqual(["/tips", { content: "flat" }]);
    const read = (await sidecar.call("todos.get", { todo_id: 7 })) as unknown as Received;
    expect(read.url).toBe("/todos/7");
    await sidecar.stop();
    expect(states).toEqual(["starting", "ready"]);
  });

  test("has a message's text, which throws when the sidecar does not run", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    const text = sidecar.messages.text(7);
    expect(await errorOf(text.next())).toMatchObject({ code: "not_running" });
  });

  test("says of an input that cannot be flat how it must be given", async () => {
    const sidecar = fixtureSidecar("well-behaved");
    const error = await errorOf(sidecar.call("todos.update", { todo_id: 1 } as never));
    expect(error).toMatchObject({
      code: "invalid_call",
      message: expect.stringContaining("path, query or body") as string,
    });
  });
});
