// What differs between the operating systems, each handed in. test/imports.test.ts has it that no other file asks.

import { describe, expect, test } from "vitest";
import * as platform from "../../src/main/platform.js";

const POSIX = ["linux", "darwin"] as const;

describe("paths", () => {
  test.each(POSIX)("on %s", (name) => {
    expect(platform.executableName("sidecar", name)).toBe("sidecar");
    expect(platform.venvPython("/my app/.venv", name)).toBe("/my app/.venv/bin/python");
    expect(platform.pathsOf(name).join("a", "b")).toBe("a/b");
    expect(platform.pythonLauncher(name)).toBe("python3");
  });

  test("on win32", () => {
    expect(platform.executableName("sidecar", "win32")).toBe("sidecar.exe");
    expect(platform.venvPython("C:\\my app\\.venv", "win32")).toBe("C:\\my app\\.venv\\Scripts\\python.exe");
    expect(platform.pathsOf("win32").join("a", "b")).toBe("a\\b");
    expect(platform.pythonLauncher("win32")).toBe("py");
  });
});

describe("words of a shell", () => {
  test.each([
    ["linux", "/a/b.c-d", "/a/b.c-d"],
    ["linux", "/a b", "'/a b'"],
    ["darwin", "/it's", "'/it'\\''s'"],
    ["linux", "/ä", "'/ä'"],
    ["linux", "a\\b", "'a\\b'"],
    ["win32", "C:\\a\\b.exe", "C:\\a\\b.exe"],
    ["win32", "C:\\Program Files\\a", '"C:\\Program Files\\a"'],
  ] as const)("on %s, %s is %s", (name, word, expected) => {
    expect(platform.shellWord(word, name)).toBe(expected);
  });
});

describe("a process and its tree", () => {
  test.each(POSIX)("on %s are a group, which signals reach", (name) => {
    expect(platform.treeOptions(name)).toEqual({ detached: true, windowsHide: true });
    expect(platform.killTarget(7, name)).toBe(-7);
    expect(platform.treeKiller(7, name)).toBeUndefined();
  });

  test("on win32 are ended by a program", () => {
    expect(platform.treeOptions("win32")).toEqual({ detached: false, windowsHide: true });
    expect(platform.killTarget(7, "win32")).toBe(7);
    expect(platform.treeKiller(7, "win32")).toEqual(["taskkill", "/pid", "7", "/t", "/f"]);
  });

  test("have a table that tells zombies on linux only", () => {
    expect([...POSIX, "win32" as const].map((name) => platform.processTable(name))).toEqual([
      "/proc",
      undefined,
      undefined,
    ]);
  });
});

describe("an error of spawn", () => {
  test.each([
    ["win32", "UNKNOWN", "spawn UNKNOWN", /antivirus/],
    ["win32", "EPERM", "spawn EPERM", /antivirus/],
    ["darwin", "EPERM", "spawn EPERM", /quarantine/],
    ["darwin", "Unknown system error -86", "spawn Unknown system error -86", /this system and processor/],
    ["linux", "ENOEXEC", "spawn ENOEXEC", /this system and processor/],
  ] as const)("on %s, %s is explained", (name, errno, message, explanation) => {
    const { reason, advice } = platform.explainSpawnError(errno, message, name) ?? { reason: "", advice: "" };
    expect(`${reason}; ${advice}`).toMatch(explanation);
  });

  test.each([
    ["linux", "EPERM"],
    ["linux", "EACCES"],
    ["darwin", "EACCES"],
  ] as const)("on %s, %s means nothing special", (name, errno) => {
    expect(platform.explainSpawnError(errno, `spawn ${errno}`, name)).toBeUndefined();
  });
});

describe("the first bytes of a program", () => {
  const elf = (machine: number): Buffer =>
    Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, ...Array<number>(10).fill(0), machine, 0]);
  const machO = (cpu: number): Buffer => Buffer.from([0xcf, 0xfa, 0xed, 0xfe, cpu, 0, 0, 1]);

  test.each([
    ["linux", "x64", elf(0x3e), false],
    ["linux", "x64", elf(0xb7), true],
    ["linux", "arm64", elf(0xb7), false],
    ["linux", "x64", elf(0x3e).subarray(0, 6), true],
    ["linux", "x64", Buffer.from("#!/bin/sh\n"), false],
    ["linux", "x64", Buffer.from("MZ\0\0"), true],
    ["darwin", "arm64", elf(0xb7), true],
    ["darwin", "arm64", machO(0x07), false],
    ["darwin", "x64", machO(0x0c), true],
    ["darwin", "x64", Buffer.from([0xca, 0xfe, 0xba, 0xbe]), false],
    ["linux", "x64", machO(0x07), true],
    ["win32", "x64", Buffer.from("MZ\0\0"), false],
    ["win32", "x64", elf(0x3e), true],
  ] as const)("say on %s %s whether it is for another machine (%o: %s)", (name, arch, head, isForeign) => {
    expect(platform.isForeignProgram(head, name, arch)).toBe(isForeign);
  });
});

describe("an end without a word", () => {
  test("by SIGKILL is macOS's answer to a program that is not signed, and nobody else's", () => {
    expect(platform.explainEnd(null, "SIGKILL", "darwin")?.advice).toContain(
      "xattr -dr com.apple.quarantine",
    );
    expect(platform.explainEnd(null, "SIGKILL", "linux")).toBeUndefined();
  });

  test.each([0xc0000135, -1073741515])("with exit code %i is a missing DLL on Windows", (code) => {
    expect(platform.explainEnd(code, null, "win32")?.reason).toBe("lacks a DLL that it needs");
    expect(platform.explainEnd(code, null, "linux")).toBeUndefined();
  });

  test("with exit code 1 means nothing special", () => {
    expect(platform.explainEnd(1, null, "win32")).toBeUndefined();
  });
});

test("a packaged program that is missing may be in an antivirus program's quarantine on Windows", () => {
  expect(platform.missingProgramAdvice("win32")).toContain("quarantine");
  expect(platform.missingProgramAdvice("linux")).toBe("install the app again");
});
