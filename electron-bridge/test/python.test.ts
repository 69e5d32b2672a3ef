// The bridge with the real sidecar: what only both together can promise.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Sidecar, SidecarOptions } from "../src/main/index.js";
import { errorOf, fixturePath, isRunning, makeSidecar, temporaryFolder, until } from "./support.js";

const REPOSITORY = join(__dirname, "..", "..");
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
  const pid = sidecar.status.ready?.pid;
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
      sidecar.on("status", ({ state }) => state === "restarting" && resolve(performance.now()));
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
    expect(sidecar.status.restarts).toBeGreaterThanOrEqual(1);
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
    expect(second.status).toMatchObject({ state: "failed", restarts: 0, failure: { exitCode: 3 } });
    expect(first.status.state).toBe("ready");
  });

  test("keeps its rows from one start to the next", async () => {
    const sidecar = await startPython();
    await sidecar.call("tips.create", { body: { content: "kept" } });
    await sidecar.stop();
    await sidecar.start();
    expect(await tipsOf(sidecar)).toEqual(["kept"]);
  });
});

describe("a host", () => {
  /** A process of its own that starts the sidecar; resolves with both. */
  async function startHost(): Promise<{ host: ChildProcess; sidecarPid: number }> {
    const bundle = join(temporaryFolder(), "bridge.mjs");
    const entryPoint = join(__dirname, "..", "src", "main", "index.ts");
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
