// From an empty folder to a stored row of an own operation, by the commands of README.md alone, with the built packages.

import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { built, commandsOfThePage, Newcomer } from "./newcomer.js";
import { type Registry, serveRegistry } from "./registry.js";

const RUNS = 3;
const WITHIN_S = 60;

let registry: Registry;

beforeAll(async () => {
  built("electron_sidecar-", "-py3-none-any.whl");
  registry = await serveRegistry([
    built("electron-sidecar-", ".tgz"),
    built("create-electron-sidecar-", ".tgz"),
  ]);
});

afterAll(() => registry.close());

const { start, package: packaging } = commandsOfThePage();

/** Seconds of each command; the last one's until the page shows the stored row. */
async function startedApp(newcomer: Newcomer, commands: readonly string[]): Promise<number[]> {
  mkdirSync(newcomer.folder, { recursive: true });
  const seconds: number[] = [];
  for (const [index, command] of commands.entries()) {
    const begun = performance.now();
    if (index < commands.length - 1) {
      console.log(await newcomer.type(command));
      seconds.push((performance.now() - begun) / 1_000);
    } else {
      const app = await newcomer.open(command);
      await app.addNote("water the plants");
      seconds.push((performance.now() - begun) / 1_000);
      expect(await app.quit()).toBe(0);
    }
  }
  return seconds;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

test("three commands lead from an empty folder to a stored row", async () => {
  expect(start).toHaveLength(3);
  const totals: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const seconds = await startedApp(new Newcomer(registry.url), start);
    console.log(`run ${run + 1}: ${seconds.map((one) => one.toFixed(1)).join(" + ")} s`);
    totals.push(sum(seconds));
  }
  expect(totals.sort((one, other) => one - other)[1]).toBeLessThanOrEqual(WITHIN_S);
});

test.each(["typescript", "javascript"])(
  "a new app in %s passes its own tests, keeps its rows, and is packaged",
  async (template) => {
    const newcomer = new Newcomer(registry.url);
    const [create = "", ...others] = start;
    await startedApp(newcomer, [`${create} -- --template ${template}`, ...others]);
    await newcomer.type("npm test");
    expect(await newcomer.type("npm exec electron-sidecar doctor")).not.toMatch(/^problem/m);
    const app = await newcomer.open("npm start");
    await app.noteShown("water the plants");
    expect(await app.quit()).toBe(0);

    expect(packaging).toHaveLength(2);
    await newcomer.packageWithElectronOfThisMachine();
    for (const command of packaging) await newcomer.type(command);
    const packaged = await newcomer.open(newcomer.packagedProgram());
    await packaged.addNote("buy bread");
    expect(await packaged.quit()).toBe(0);
  },
);
