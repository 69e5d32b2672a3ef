// The bridge with the real sidecar: what only both together can promise.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Failure, Policy, Sidecar, SidecarOptions } from "../../src/main/index.js";
import { API_VERSION } from "../../src/main/child/versions.js";
import { errorOf, fixturePath, isRunning, makeSidecar, temporaryFolder, until } from "../support.js";

const REPOSITORY = join(__dirname, "..", "..", "..");
const PYTHON = join(REPOSITORY, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");

function pythonOptions(dataDir = temporaryFolder()): SidecarOptions {
  return { command: PYTHON, args: ["-m", "sidecar"], dataDir, policy: { restartFirstMs: 50 } };
}

async function startPython(dataDir?: string): Promise<Sidecar> {
  const sidecar = makeSidecar(pythonOptions(dataDir));
  await sidecar.start();
  return sidecar;
}

function pidOf(sidecar: Sidecar): number {
  const pid = sidecar.snapshot.ready?.pid;
  if (pid === undefined) throw new Error("the sidecar is not ready");
  return pid;
}

async function tipsOf(sidecar: Sidecar): Promise<string[]> {
  const { items } = await sidecar.call("tips.list", { query: { limit: 100 } });
  return items.map(({ content }) => content).sort();
}

describe("a sidecar that is killed", () => {
  test("is missed within 100 ms; a call made meanwhile succeeds, no row is lost, and stop() leaves no process", async () => {
    const sidecar = await startPython();
    await sidecar.call("tips.create", { body: { content: "before" } });
    const firstPid = pidOf(sidecar);
    const noticed = new Promise<number>((resolve) => {
      sidecar.on("snapshot", ({ state }) => state === "restarting" && resolve(performance.now()));
    });
    const killedAt = performance.now();
    process.kill(firstPid, "SIGKILL");
    expect((await noticed) - killedAt).toBeLessThan(100);
    await sidecar.call("tips.create", { body: { content: "meanwhile" } });
    expect(await tipsOf(sidecar)).toEqual(["before", "meanwhile"]);
    const secondPid = pidOf(sidecar);
    expect(await sidecar.stop()).toMatchObject({ outcome: "graceful", confirmed: true, exitCode: 0 });
    expect([isRunning(firstPid), isRunning(secondPid)]).toEqual([false, false]);
  });

  test("under load loses no write and makes none twice, and no call fails", async () => {
    const sidecar = await startPython();
    const contents = Array.from({ length: 60 }, (_, index) => `tip ${String(index).padStart(2, "0")}`);
    const create = (content: string) => sidecar.call("tips.create", { body: { content } });
    const writes = contents.slice(0, 30).map(create);
    await Promise.race(writes);
    process.kill(pidOf(sidecar), "SIGKILL");
    writes.push(...contents.slice(30).map(create));
    const records = await Promise.all(writes);
    expect(sidecar.snapshot.restarts).toBeGreaterThanOrEqual(1);
    expect(records.map(({ content }) => content)).toEqual(contents);
    expect(await tipsOf(sidecar)).toEqual(contents);
  });
});

describe("a write", () => {
  test("that is asked for again with its key is done once", async () => {
    const sidecar = await startPython();
    const input = { body: { content: "once" } };
    const first = await sidecar.call("tips.create", input, { key: "my-key" });
    expect(await sidecar.call("tips.create", input, { key: "my-key" })).toEqual(first);
    expect(await tipsOf(sidecar)).toEqual(["once"]);
  });

  test("that is wrong is refused, with the field that is", async () => {
    const sidecar = await startPython();
    const error = await errorOf(sidecar.call("tips.create", { body: { content: 7 as never } }));
    expect(error).toMatchObject({ status: 422, retryable: false, errors: [{ field: "body.content" }] });
  });

  test("to a row that is not there is refused", async () => {
    const sidecar = await startPython();
    const input = { path: { vault_id: 4711 }, body: { title: "x" } };
    expect(await errorOf(sidecar.call("vaults.update", input))).toMatchObject({ status: 404 });
  });
});

describe("a data directory", () => {
  test("that another sidecar has makes the second one fail with a sentence that names it", async () => {
    const dataDir = temporaryFolder();
    const first = await startPython(dataDir);
    const second = makeSidecar(pythonOptions(dataDir));
    const error = await errorOf(second.start());
    expect(error).toMatchObject({
      code: "data_directory_locked",
      message: expect.stringContaining(String(pidOf(first))) as string,
    });
    expect(second.snapshot).toMatchObject({ state: "failed", restarts: 0, failure: { exitCode: 3 } });
    expect(first.snapshot.state).toBe("ready");
  });

  test("keeps its rows from one start to the next", async () => {
    const sidecar = await startPython();
    await sidecar.call("tips.create", { body: { content: "kept" } });
    await sidecar.stop();
    await sidecar.start();
    expect(await tipsOf(sidecar)).toEqual(["kept"]);
  });
});

describe("a sidecar that does not answer any more", () => {
  const policy: Partial<Policy> = { probeIntervalMs: 300, probeTimeoutMs: 200, restartFirstMs: 50 };
  /** `GET /health/ready` takes the event loop and does not give it back. */
  const BLOCKING = [
    "import sys",
    "from sidecar.api.routes import health",
    "def never_return(*_):",
    "    while True: pass",
    "health._process = never_return",
    "from sidecar.cli import main",
    "sys.exit(main())",
  ].join("\n");

  /** Resolves with why the sidecar was lost. */
  async function failureOf(sidecar: Sidecar): Promise<Failure> {
    await until(() => sidecar.snapshot.restarts === 1, "the restart", 10_000);
    const { exits } = await sidecar.supportBundle();
    expect(exits).toHaveLength(1);
    return exits[0] as Failure;
  }

  test("tells what it was doing before it is killed", async () => {
    const sidecar = makeSidecar({ ...pythonOptions(), args: ["-c", BLOCKING], policy });
    await sidecar.start();
    void errorOf(sidecar.call("health.ready"));
    const failure = await failureOf(sidecar);
    expect(failure).toMatchObject({ code: "sidecar_unresponsive", signal: "SIGKILL" });
    expect(failure.stacks.join("\n")).toContain("in never_return");
    expect(failure.logTail.join("\n")).not.toContain("in never_return");
  });

  test.skipIf(process.platform === "win32")("because it is stopped is killed all the same", async () => {
    const sidecar = makeSidecar({ ...pythonOptions(), policy });
    const { pid } = await sidecar.start();
    process.kill(pid, "SIGSTOP");
    expect(await failureOf(sidecar)).toMatchObject({ code: "sidecar_unresponsive", stacks: [] });
    expect(isRunning(pid)).toBe(false);
  });
});

describe("a support bundle", () => {
  test("holds what happened, versions, health and log, as plain data without secrets", async () => {
    const sidecar = await startPython();
    const log: string[] = [];
    sidecar.on("log", (line) => log.push(line));
    process.kill(pidOf(sidecar), "SIGKILL");
    await until(() => sidecar.snapshot.restarts === 1 && sidecar.snapshot.state === "ready", "the restart");
    const bundle = await sidecar.supportBundle();
    expect(JSON.parse(JSON.stringify(bundle))).toEqual(bundle);
    expect(bundle).toMatchObject({
      versions: { node: process.versions.node, electron: null, api: API_VERSION },
      state: "ready",
      restarts: 1,
      exits: [{ code: "sidecar_exited", signal: "SIGKILL" }],
      lastStop: null,
      health: { status: "ready" },
    });
    expect(bundle.transitions.map(({ state }) => state)).toEqual(
      expect.arrayContaining(["starting", "ready", "restarting"]),
    );
    expect(bundle.versions.bridge).toMatch(/^\d+\.\d+\.\d+/);
    expect(bundle.versions.sidecar).toMatch(/^\d+\.\d+\.\d+/);
    expect(bundle.logTail.join("\n")).toContain("ready at http://127.0.0.1:");
    expect(JSON.stringify(bundle)).not.toMatch(/[0-9a-f]{64}/);
  });

  test("can be had when no sidecar runs, and then tells how it was stopped", async () => {
    const sidecar = await startPython();
    await sidecar.stop();
    expect(await sidecar.supportBundle()).toMatchObject({
      state: "stopped",
      health: null,
      lastStop: { outcome: "graceful", confirmed: true },
      exits: [],
    });
  });
});

describe("a host", () => {
  /** A process of its own that starts the sidecar; resolves with both. */
  async function startHost(): Promise<{ host: ChildProcess; sidecarPid: number }> {
    const bundle = join(temporaryFolder(), "bridge.mjs");
    const entryPoint = join(__dirname, "..", "..", "src", "main", "index.ts");
    buildSync({ entryPoints: [entryPoint], outfile: bundle, bundle: true, platform: "node", format: "esm" });
    const host = spawn(process.execPath, [fixturePath("host"), bundle, JSON.stringify(pythonOptions())]);
    onTestFinished(() => void host.kill("SIGKILL"));
    let output = "";
    host.stdout.on("data", (text) => (output += String(text)));
    await until(() => output.includes("\n"), "the host to start its sidecar", 10_000);
    return { host, sidecarPid: Number(output) };
  }

  test("that is killed takes its sidecar with it within 2 s", async () => {
    const { host, sidecarPid } = await startHost();
    expect(isRunning(sidecarPid)).toBe(true);
    host.kill("SIGKILL");
    await until(() => !isRunning(sidecarPid), "the sidecar to be gone", 2_000);
  });
});
