// The development loop with the real sidecar: Python files that change under it.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Sidecar, type SidecarOptions } from "../../../src/main/index.js";
import { moduleSaying, PYTHON, wordOperations } from "../../notes-module.js";
import { errorOf, makeSidecar, temporaryFolder, until } from "../../support.js";

const START_MS = 10_000;

/** An app's folder with the module `notes`, and a sidecar that watches it. */
function project(options: Partial<SidecarOptions> = {}) {
  const backend = join(temporaryFolder(), "backend");
  const module = join(backend, "notes.py");
  mkdirSync(backend);
  writeFileSync(module, moduleSaying("one"));
  const sidecar = makeSidecar({
    command: PYTHON,
    args: ["-m", "sidecar"],
    dataDir: join(temporaryFolder(), "data"),
    extensions: ["notes"],
    pythonPath: [backend],
    operations: wordOperations,
    dev: { watch: [backend] },
    ...options,
  });
  const word = (): Promise<unknown> =>
    (sidecar.call as (operation: string) => Promise<unknown>)("notes.word");
  return { sidecar, module, word };
}

describe("a Python file that changes", () => {
  test("restarts the sidecar; calls wait meanwhile, rows stay, and subscribers get a reset", async () => {
    const { sidecar, module, word } = project();
    await sidecar.start();
    await sidecar.call("tips.create", { content: "kept" });
    const resets: string[] = [];
    sidecar.events.subscribe(["tips"], (notice) => notice.kind === "reset" && resets.push(notice.reason));
    await until(() => resets.length === 1, "the first reset", START_MS);
    expect(await word()).toBe("one");

    const log: string[] = [];
    sidecar.on("log", (line) => log.push(line));
    writeFileSync(module, moduleSaying("two"));
    await until(() => sidecar.snapshot.state === "restarting", "the restart");
    expect(await word()).toBe("two");
    expect((await sidecar.call("tips.list")).items).toMatchObject([{ content: "kept" }]);
    expect(log).toContain(`The sidecar is started again, because ${module} has changed.`);
    await until(() => resets.length === 2, "the reset after the restart", START_MS);
    expect(resets).toEqual(["subscribed", "another_instance"]);
    expect(sidecar.snapshot).toMatchObject({ restarts: 1, failure: null });
    expect((await sidecar.supportBundle()).exits).toEqual([]);
  });

  test("so that it does not load fails with its traceback, and works again when it is repaired", async () => {
    const { sidecar, module, word } = project();
    await sidecar.start();
    writeFileSync(module, `def begin():\n    raise RuntimeError("no key")\n\nbegin()\n`);
    await until(() => sidecar.snapshot.state === "failed", "the failure", START_MS);
    const { failure } = sidecar.snapshot;
    expect(failure).toMatchObject({ code: "extension_refused", exitCode: 8 });
    expect(failure?.message).toContain(`RuntimeError: no key (${module}, line 2)`);
    expect(failure?.logTail.join("\n")).toMatch(/line 4, in <module>[^]*line 2, in begin/);
    expect(await errorOf(word())).toMatchObject({ code: "extension_refused" });

    writeFileSync(module, moduleSaying("three"));
    await until(() => sidecar.snapshot.state !== "failed", "the new start");
    expect(await word()).toBe("three");
  });

  test("in the same second, with the same length, is not taken for the earlier one", async () => {
    const { sidecar, module, word } = project();
    await sidecar.start();
    for (const next of ["two", "six"]) {
      writeFileSync(module, moduleSaying(next));
      await until(() => sidecar.snapshot.state === "restarting", "the restart");
      expect(await word()).toBe(next);
    }
  });

  test("does nothing to a sidecar that the app has stopped", async () => {
    const { sidecar, module } = project();
    await sidecar.start();
    await sidecar.stop();
    const states: string[] = [];
    sidecar.on("snapshot", ({ state }) => states.push(state));
    writeFileSync(module, moduleSaying("two"));
    const other = project();
    await other.sidecar.start();
    writeFileSync(other.module, moduleSaying("two"));
    await until(() => other.sidecar.snapshot.state === "restarting", "the restart of another");
    expect(states).toEqual([]);
  });
});

describe("the options of development", () => {
  const options = { dataDir: "/data" };

  test.each([
    [{ watch: ["nowhere"] }, join(process.cwd(), "nowhere")],
    [{ debugpy: 0 }, "dev.debugpy must be a port"],
    [{ debugpy: 70_000 }, "dev.debugpy must be a port"],
  ])("%o is refused", (dev, said) => {
    const make = (): Sidecar => new Sidecar({ ...options, dev });
    expect(make).toThrow(expect.objectContaining({ code: "invalid_configuration" }) as Error);
    expect(make).toThrow(said);
  });

  test("are not for a packaged app", () => {
    const described = Object.getOwnPropertyDescriptor(process, "resourcesPath");
    Object.defineProperty(process, "resourcesPath", { value: "/app/resources", configurable: true });
    try {
      expect(() => new Sidecar({ ...options, dev: {} })).toThrow("dev is not for a packaged app");
    } finally {
      if (described) Object.defineProperty(process, "resourcesPath", described);
      else Reflect.deleteProperty(process, "resourcesPath");
    }
  });

  test("with a debugger, nothing has a time limit unless the app sets one", () => {
    const sidecar = new Sidecar({ ...options, dev: { debugpy: 5678 }, policy: { callTimeoutMs: 90_000 } });
    expect(sidecar.policy).toMatchObject({
      probeMisses: Infinity,
      startTotalMs: Infinity,
      callTimeoutMs: 90_000,
    });
  });
});
