// electron-sidecar/testing, as the tests of an app use it.

import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test as base } from "vitest";
import { fakeSidecar, sidecarFixture, startSidecar, type TestSidecar } from "../../src/testing/index.js";
import { moduleSaying, PYTHON, wordOperations } from "../notes-module.js";
import { errorOf, isRunning, temporaryFolder, until } from "../support.js";

const PACKAGE = join(__dirname, "..", "..");
type AnyCall = (operation: string) => Promise<unknown>;

function backend(module = moduleSaying("hello")): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "notes.py"), module);
  return folder;
}

describe("startSidecar", () => {
  base("starts one with the app's own Python, on data that are gone when it is closed", async () => {
    const sidecar = await startSidecar({
      python: PYTHON,
      extensions: ["notes"],
      pythonPath: [backend()],
      operations: wordOperations,
    });
    onTestFinished(() => sidecar.close());
    expect(await (sidecar.call as AnyCall)("notes.word")).toBe("hello");
    await sidecar.tips.create({ content: "kept" });
    const { pid } = sidecar.snapshot.ready ?? { pid: 0 };
    expect(existsSync(join(sidecar.dataDir, "sidecar.db"))).toBe(true);
    await sidecar.close();
    await sidecar.close();
    expect(isRunning(pid)).toBe(false);
    expect(existsSync(sidecar.dataDir)).toBe(false);
  });

  base("says why one does not start, with its log, and leaves nothing", async () => {
    const error = await errorOf(
      startSidecar({ python: PYTHON, extensions: ["notes"], pythonPath: [backend("1 / 0\n")] }),
    );
    expect(error).toMatchObject({ code: "extension_refused" });
    expect(String((error as Error).cause)).toContain('notes.py", line 1, in <module>');
  });

  base("keeps a data directory that was given", async () => {
    const dataDir = join(temporaryFolder(), "data");
    const first = await startSidecar({ python: PYTHON, dataDir });
    await first.tips.create({ content: "kept" });
    await first.close();
    const second = await startSidecar({ python: PYTHON, dataDir });
    onTestFinished(() => second.close());
    expect((await second.tips.list()).items).toMatchObject([{ content: "kept" }]);
  });

  base("leaves no process and no data when a test forgets to close it", async () => {
    const script = join(temporaryFolder(), "forgets.cjs");
    writeFileSync(
      script,
      `const { startSidecar } = require(${JSON.stringify(join(PACKAGE, "dist", "testing.js"))});
       startSidecar({ python: ${JSON.stringify(PYTHON)} }).then((sidecar) => {
         console.log(JSON.stringify([sidecar.snapshot.ready.pid, sidecar.dataDir]));
         process.exit(0);
       });`,
    );
    const { stdout } = spawnSync(process.execPath, [script], { encoding: "utf8" });
    const [pid, dataDir] = JSON.parse(stdout) as [number, string];
    expect(existsSync(dataDir)).toBe(false);
    await until(() => !isRunning(pid), "the end of the sidecar");
  });
});

describe("sidecarFixture", () => {
  const closed: TestSidecar[] = [];
  const test = base.extend({ sidecar: sidecarFixture({ python: PYTHON }) });

  test("gives a test a sidecar of its own", async ({ sidecar }) => {
    closed.push(sidecar);
    await sidecar.tips.create({ content: "mine" });
    expect((await sidecar.tips.list()).items).toHaveLength(1);
  });

  test("which is closed before the next, and whose data the next does not see", async ({ sidecar }) => {
    expect(closed.map(({ snapshot }) => snapshot.state)).toEqual(["stopped"]);
    expect((await sidecar.tips.list()).items).toEqual([]);
  });
});

describe("fakeSidecar", () => {
  const TIP = { id: 1, content: "x", created_at: "2026-01-01T00:00:00.000Z" };

  base("answers what it was told, as a call and as a method, and remembers the calls", async () => {
    const { sidecar, calls, answer } = fakeSidecar({
      "tips.list": { items: [], next_cursor: null, total: null },
    });
    expect(await sidecar.call("tips.list")).toMatchObject({ items: [] });
    answer({ "tips.create": ({ body }) => ({ ...TIP, content: body.content }) });
    expect(await sidecar.tips.create({ content: "water" })).toMatchObject({ content: "water" });
    expect(calls).toEqual([
      { operation: "tips.list", input: undefined },
      { operation: "tips.create", input: { body: { content: "water" } } },
    ]);
  });

  base("rejects with what an answer throws, and for a call without an answer", async () => {
    const { sidecar } = fakeSidecar({
      "tips.list": () => {
        throw new Error("no tips today");
      },
    });
    await expect(sidecar.tips.list()).rejects.toThrow("no tips today");
    await expect(sidecar.todos.list()).rejects.toThrow("no answer to 'todos.list'");
  });

  base("tells subscribers of events and resets, and watchers of the status", async () => {
    const { sidecar, emit, reset, become } = fakeSidecar();
    const notices: unknown[] = [];
    const stop = sidecar.events.subscribe(["tips"], (notice) => notices.push(notice));
    await Promise.resolve();
    emit("tips", { id: 1, data: {} });
    emit("todos", { id: 2, data: {} });
    reset();
    stop();
    reset();
    expect(notices).toEqual([
      { kind: "reset", reason: "subscribed" },
      { kind: "event", topic: "tips", id: 1, data: {} },
      { kind: "reset", reason: "another_instance" },
    ]);
    const states: string[] = [];
    sidecar.onStatus(({ state }) => states.push(state));
    become({ state: "restarting" });
    expect(states).toEqual(["restarting"]);
    expect(await sidecar.status()).toMatchObject({ state: "restarting", failure: null });
  });
});
