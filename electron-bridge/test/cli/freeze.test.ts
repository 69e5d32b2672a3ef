// `electron-sidecar freeze`, over a real Python. `./scripts/test --full` freezes for real, in tests/freezing.

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PYTHON } from "../notes-module.js";
import { temporaryFolder } from "../support.js";

const CLI = join(__dirname, "..", "..", "dist", "cli.js");

function freeze(folder: string, ...args: string[]) {
  return spawnSync(process.execPath, [CLI, "freeze", ...args], { cwd: folder, encoding: "utf8" });
}

describe("freeze", () => {
  test("passes its options to `sidecar freeze`, and its exit code on", () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "frozen"));
    writeFileSync(join(folder, "frozen", "thesis.txt"), "the only copy");
    const ended = freeze(folder, "--python", PYTHON, "--out", "frozen");
    expect(ended).toMatchObject({ status: 2 });
    expect(ended.stderr).toBe(
      `error: ${join(folder, "frozen")} is not a frozen sidecar and is not replaced; name another folder with --out.\n`,
    );
  });

  test("refuses one file, with the reason", () => {
    const ended = freeze(temporaryFolder(), "--python", PYTHON, "--onefile");
    expect(ended).toMatchObject({ status: 2 });
    expect(ended.stderr).toContain("error: A sidecar cannot be frozen into one file.");
  });

  test.each([
    ["another option", ["--outt", "x"], 2, "Unknown option '--outt'"],
    ["no virtual environment", [], 1, "is missing; make it with `npx electron-sidecar init`"],
    ["a Python that is not there", ["--python", "no-python"], 1, "name the Python that has"],
    [
      "a Python without the package",
      ["--python", process.execPath],
      1,
      `run \`${process.execPath} -m pip install "electron-sidecar[freeze]"\``,
    ],
  ])("refuses %s with a sentence", (_, args, status, sentence) => {
    const ended = freeze(temporaryFolder(), ...args);
    expect(ended).toMatchObject({ status });
    expect(ended.stderr).toContain("electron-sidecar freeze: ");
    expect(ended.stderr).toContain(sentence);
  });
});
