// A program that failed, as it is looked at: real files, and real programs that answer or do not.

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { askVersion, programFile } from "../../../src/main/child/inspection.js";
import { isRunning, temporaryFolder, until } from "../../support.js";

/** Node as a program that runs this script, whatever its other arguments are. */
function node(text: string) {
  const file = join(temporaryFolder(), "program.cjs");
  writeFileSync(file, text);
  return { command: process.execPath, args: [file], origin: "option" } as const;
}

const never = new AbortController().signal;

describe("the file of a program", () => {
  test("is missing, a folder, a script or a name on PATH", () => {
    const folder = temporaryFolder();
    const script = join(folder, "sidecar");
    writeFileSync(script, "#!/no/such/python -E\nprint()\n");
    expect(programFile(join(folder, "none"))).toEqual({ kind: "missing" });
    expect(programFile(join(script, "inside"))).toEqual({ kind: "missing" });
    expect(programFile(folder)).toEqual({ kind: "folder" });
    expect(programFile(script)).toEqual({
      kind: "file",
      interpreter: { path: "/no/such/python", exists: false },
    });
    expect(programFile("sidecar")).toEqual({ kind: "unknown" });
    expect(programFile(process.execPath)).toEqual({ kind: "file" });
  });

  test.skipIf(process.platform === "win32")("is a link that leads nowhere", () => {
    const link = join(temporaryFolder(), "python");
    symlinkSync("/no/such/python", link);
    expect(programFile(link)).toEqual({ kind: "broken link", target: "/no/such/python" });
  });

  test.each([
    ["venv", "home = /usr/bin\nversion = 3.10.4\n", { pythonVersion: "3.10.4", isOfUv: false }],
    ["uv", "home = /usr/bin\nuv = 0.9.1\nversion_info = 3.12.1\n", { pythonVersion: "3.12.1", isOfUv: true }],
  ])("is in an environment of %s", (_, text, venv) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "pyvenv.cfg"), text);
    expect(programFile(join(folder, "bin", "python"))).toEqual({
      kind: "missing",
      venv: { folder, ...venv },
    });
  });
});

describe("the answer to --version", () => {
  test("is what the program prints, and its exit code", async () => {
    const program = node(
      "console.log(process.argv.slice(2).join()); console.error('no'); process.exitCode = 3;",
    );
    expect(await askVersion(program, process.env, never)).toEqual({
      code: 3,
      stdout: "--version\n",
      stderr: "no\n",
    });
  });

  test("is none if the program cannot be run", async () => {
    const program = { command: "/no/such/program", args: [], origin: "option" } as const;
    expect(await askVersion(program, process.env, never)).toBeUndefined();
  });

  test("is none if nobody waits for it any more, and the program is gone", async () => {
    const pidFile = join(temporaryFolder(), "pid");
    const program = node(
      `require("node:fs").writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 1000);`,
    );
    const controller = new AbortController();
    const answer = askVersion(program, process.env, controller.signal);
    const pid = (): number => {
      try {
        return Number(readFileSync(pidFile, "utf8"));
      } catch {
        return 0;
      }
    };
    await until(() => pid() > 0, "the program to run");
    controller.abort();
    expect(await answer).toBeUndefined();
    expect(isRunning(pid())).toBe(false);
  });
});
