// Which Python is taken, and what is said where there is none that is new enough.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { npm } from "../../src/cli/npm.js";
import { isAtLeast, requirePython, versionOf } from "../../src/cli/pythons.js";
import { type Program, pythonCandidates } from "../../src/main/platform.js";
import { PYTHON } from "../notes-module.js";
import { temporaryFolder } from "../support.js";

/** A program that answers as a Python of this version does. */
function pythonOf(version: string): Program {
  const script = join(temporaryFolder(), "python.mjs");
  writeFileSync(script, `console.log(${JSON.stringify(version)});`);
  return [process.execPath, script];
}

const MISSING: Program = ["/nowhere/python"];

describe("a Python", () => {
  test("is the first one that is new enough", () => {
    const [old, good, newer] = [pythonOf("3.9.2"), pythonOf("3.11.0"), pythonOf("3.14.1")];
    expect(requirePython(undefined, [MISSING, old, good, newer])).toEqual({
      program: good,
      version: "3.11.0",
    });
  });

  test("that is too old is named with its version", () => {
    const old = pythonOf("3.9.2");
    expect(() => requirePython(undefined, [MISSING, old])).toThrow(
      `an older one only (${old.join(" ")} is 3.9.2)`,
    );
  });

  test("that is missing is asked for with a way to install it", () => {
    expect(() => requirePython(undefined, [MISSING])).toThrow(
      /this machine has none; install it with .*, or install uv/,
    );
    expect(() => requirePython("/nowhere/python")).toThrow(
      "/nowhere/python cannot be run as a Python; name another",
    );
  });

  test("says its version", () => {
    expect(versionOf([PYTHON])).toMatch(/^3\.\d+\.\d+/);
    expect(versionOf([process.execPath])).toBeUndefined();
  });
});

test.each([
  ["3.11", "3.11", true],
  ["3.11.7", "3.11", true],
  ["3.9.18", "3.11", false],
  ["4.0", "3.11", true],
  ["2.7.18", "3.11", false],
  ["3.14.0rc1", "3.11", true],
  ["22.3.25", "22", true],
])("%s is at least %s: %s", (version, oldest, is) => {
  expect(isAtLeast(version, oldest)).toBe(is);
});

test("every operating system has its own names", () => {
  expect(pythonCandidates("win32")[0]).toEqual(["py", "-3"]);
  expect(pythonCandidates("linux")).toContainEqual(["python3"]);
  expect(npm({}, "win32")).toEqual({ command: ["npm"], shell: true });
  expect(npm({}, "linux")).toEqual({ command: ["npm"], shell: false });
  expect(npm({ npm_execpath: "/lib/npm-cli.js" }, "win32").command).toEqual([
    process.execPath,
    "/lib/npm-cli.js",
  ]);
});
