// Finding the sidecar of an app: real projects with real virtual environments, and what is wrong with them in practice.

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Failure, Sidecar, SidecarOptions } from "../../src/main/index.js";
import { BRIDGE_VERSION } from "../../src/main/child/versions.js";
import { executableName, venvPython } from "../../src/main/platform.js";
import { moduleSaying, PYTHON, wordOperations } from "../notes-module.js";
import { errorOf, fixtureOptions, isRunning, makeSidecar, temporaryFolder } from "../support.js";

const REPOSITORY = join(__dirname, "..", "..", "..");
const IS_WINDOWS = process.platform === "win32";
/** Spaces, and letters outside of ASCII, of the basic plane, and of every legacy encoding at once. */
const ODD_NAME = "Mein Übungs-Projekt ☃ 猫 𝄞 'x'";
const HOME = process.cwd();

let sitePackages = "";
beforeAll(() => {
  const print = "import sysconfig; print(sysconfig.get_path('purelib'))";
  sitePackages = execFileSync(PYTHON, ["-c", print], { encoding: "utf8" }).trim();
});

afterEach(() => {
  process.chdir(HOME);
  delete process.env["SIDECAR_COMMAND"];
});

/** A folder in which the app is started. */
function project(...names: string[]): string {
  const folder = join(temporaryFolder(), ...names);
  mkdirSync(folder, { recursive: true });
  process.chdir(folder);
  onTestFinished(() => process.chdir(HOME));
  return folder;
}

/** A virtual environment; `isInstalled` is whether it has the packages of the repository's. */
function makeVenv(folder: string, isInstalled = true): string {
  const venv = join(folder, ".venv");
  execFileSync(PYTHON, ["-m", "venv", "--without-pip", venv]);
  if (isInstalled) {
    const library = IS_WINDOWS
      ? join(venv, "Lib")
      : join(venv, "lib", readdirSync(join(venv, "lib"))[0] ?? "");
    writeFileSync(join(library, "site-packages", "repository.pth"), `${REPOSITORY}\n${sitePackages}\n`);
  }
  return venvPython(venv);
}

function script(path: string, text: string): string {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

function sidecarIn(folder: string, options: Partial<SidecarOptions> = {}): Sidecar {
  return makeSidecar({ dataDir: join(folder, "data"), policy: { restartFirstMs: 50 }, ...options });
}

/** Why it does not start: the same in the rejection, the snapshot and what pages get. */
async function failureOf(sidecar: Sidecar): Promise<Failure> {
  const error = (await errorOf(sidecar.start())) as Error;
  const { state, failure, restarts } = sidecar.snapshot;
  expect([state, restarts]).toEqual(["failed", 0]);
  expect(error).toMatchObject({ code: failure?.code, message: failure?.message });
  expect((await sidecar.status()).failure).toEqual({ code: failure?.code, message: failure?.message });
  if (!failure) throw new Error("the state is failed without a failure");
  return failure;
}

describe("a project", () => {
  test("with spaces and letters of every kind in its path has its environment found, and works", async () => {
    const folder = project(ODD_NAME, "app");
    makeVenv(join(folder, ".."));
    const backend = join(folder, "backend");
    mkdirSync(backend);
    writeFileSync(join(backend, "notes.py"), moduleSaying("hello"));
    const sidecar = sidecarIn(folder, {
      extensions: ["notes"],
      pythonPath: [backend],
      operations: wordOperations,
    });
    await sidecar.start();
    expect(await (sidecar.call as (id: string) => Promise<unknown>)("notes.word")).toBe("hello");
    await sidecar.call("tips.create", { body: { content: "猫 𝄞" } });
    expect((await sidecar.call("tips.list")).items).toMatchObject([{ content: "猫 𝄞" }]);
    expect(await sidecar.stop()).toMatchObject({ outcome: "graceful", confirmed: true });
  });

  test("whose nearest environment has no sidecar uses that of a folder above", async () => {
    const folder = project("app");
    makeVenv(folder, false);
    makeVenv(join(folder, ".."));
    const sidecar = sidecarIn(folder);
    expect(await sidecar.start()).toMatchObject({ version: BRIDGE_VERSION });
    expect(sidecar.snapshot.restarts).toBe(0);
  });

  test("whose environment has no sidecar gets advice to install it", async () => {
    const folder = project();
    const python = makeVenv(folder, false);
    const { code, message } = await failureOf(sidecarIn(folder));
    expect(code).toBe("sidecar_not_found");
    expect(message.split("\n")).toEqual([
      "No sidecar can be started. What was tried:",
      "- SIDECAR_COMMAND is not set.",
      `- The program ${python} has no package electron-sidecar; run \`${python} -m pip install electron-sidecar==${BRIDGE_VERSION}\`.`,
    ]);
  });

  test("without an environment gets advice to make one", async () => {
    const folder = project();
    const { code, message } = await failureOf(sidecarIn(folder));
    expect(code).toBe("sidecar_not_found");
    expect(message).toContain(`- There is no .venv in ${process.cwd()} or a folder above it.`);
    expect(message).toMatch(/-m venv .venv`, then `.*-m pip install electron-sidecar==/);
  });

  test.skipIf(IS_WINDOWS)("whose environment has lost its Python gets advice to make it again", async () => {
    const folder = project();
    const python = makeVenv(folder);
    rmSync(python);
    symlinkSync("/no/such/python3.9", python);
    const { code, message } = await failureOf(sidecarIn(folder));
    expect(code).toBe("spawn_failed");
    expect(message).toContain(`${python} cannot be run: it is a link to /no/such/python3.9`);
    expect(message).toContain(`python3 -m venv --clear ${join(process.cwd(), ".venv")}`);
  });

  test.skipIf(IS_WINDOWS)("whose Python is too old is refused by that Python", async () => {
    const folder = project();
    const python = makeVenv(folder);
    const older = [
      "import runpy, sys",
      "sys.version_info = (3, 10, 4, 'final', 0)",
      "sys.argv[0] = 'sidecar'",
      "runpy.run_module('sidecar', run_name='__main__')",
    ];
    rmSync(python);
    script(python, `#!/bin/sh\nshift 2\nexec "${PYTHON}" -c "${older.join("; ")}" "$@"\n`);
    const { code, message } = await failureOf(sidecarIn(folder));
    expect(code).toBe("python_too_old");
    expect(message).toContain("electron-sidecar needs Python 3.11 or newer, and");
  });
});

describe("a sidecar of another version", () => {
  test.each([
    [{ FIXTURE_VERSION: "0.0.1" }, "version_mismatch", "is version 0.0.1, older than"],
    [{ FIXTURE_API_VERSION: "2" }, "api_version_mismatch", "(API 2 and 1)"],
  ])("(%o) is refused as soon as it is bound, and is gone", async (env, code, words) => {
    const pids: number[] = [];
    const sidecar = makeSidecar(fixtureOptions("never-ready", { env }));
    sidecar.on("log", (line) => pids.push(Number(/^pid (\d+)/.exec(line)?.[1])));
    const failure = await failureOf(sidecar);
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(words);
    for (const pid of pids) expect(isRunning(pid)).toBe(false);
  });
});

describe("SIDECAR_COMMAND", () => {
  test("names a Python, which runs the package", async () => {
    const folder = project();
    process.env["SIDECAR_COMMAND"] = PYTHON;
    await sidecarIn(folder).start();
  });

  test.skipIf(IS_WINDOWS)("names a program that is not there, and no other takes its place", async () => {
    const folder = project();
    makeVenv(folder);
    process.env["SIDECAR_COMMAND"] = "dist/sidecar";
    const { code, message } = await failureOf(sidecarIn(folder));
    expect(code).toBe("spawn_failed");
    expect(message).toBe(
      `The program ${join(process.cwd(), "dist/sidecar")}, named by SIDECAR_COMMAND, cannot be run: it does not exist; correct SIDECAR_COMMAND, or unset it.`,
    );
  });

  test.skipIf(IS_WINDOWS).each([
    [
      "another program",
      "#!/bin/sh\necho 'something 1.0'\n",
      0o755,
      "sidecar_not_found",
      /it says 'something 1\.0'/,
    ],
    [
      "a script of a moved environment",
      "#!/old/.venv/bin/python\n",
      0o755,
      "spawn_failed",
      /names? of \/old\/\.venv/,
    ],
    ["a file without permission", "#!/bin/sh\n", 0o644, "spawn_failed", /is not executable; run `chmod \+x/],
    ["a file for another machine", "\x7fELF\x02\x02", 0o755, "spawn_failed", /not a program for this system/],
  ])("names %s, which is refused with the reason", async (_, text, mode, code, reason) => {
    const folder = project();
    const program = script(join(folder, "sidecar"), text);
    chmodSync(program, mode);
    process.env["SIDECAR_COMMAND"] = program;
    const failure = await failureOf(sidecarIn(folder));
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(reason);
  });
});

describe("a packaged app", () => {
  /** Has this process look like one, with these resources. */
  function packagedWith(resources: string): void {
    Object.assign(process, { resourcesPath: resources });
    onTestFinished(() => void Reflect.deleteProperty(process, "resourcesPath"));
  }

  test.skipIf(IS_WINDOWS)("starts the sidecar among its resources, whatever the variable says", async () => {
    const folder = project(ODD_NAME);
    mkdirSync(join(folder, "resources", "sidecar"), { recursive: true });
    script(join(folder, "resources", "sidecar", "sidecar"), `#!/bin/sh\nexec "${PYTHON}" -m sidecar "$@"\n`);
    packagedWith(join(folder, "resources"));
    process.env["SIDECAR_COMMAND"] = "/no/such/sidecar";
    expect(await sidecarIn(folder).start()).toMatchObject({ version: BRIDGE_VERSION });
  });

  test("without one fails, though the variable and an environment would do", async () => {
    const folder = project();
    makeVenv(folder);
    packagedWith(folder);
    process.env["SIDECAR_COMMAND"] = PYTHON;
    const { code, message } = await failureOf(sidecarIn(folder));
    expect(code).toBe("sidecar_not_found");
    expect(message).toContain(`- ${join(folder, "sidecar", executableName("sidecar"))} does not exist.`);
    expect(message).toContain("install the app again");
    expect(message).not.toContain("venv");
  });

  test("takes no command from PATH", () => {
    packagedWith("/app/resources");
    expect(() => sidecarIn("/", { command: "sidecar" })).toThrow(
      /command must be an absolute path, not 'sidecar'/,
    );
  });
});

test("arguments without a command are refused", () => {
  expect(() => sidecarIn("/", { args: ["-m", "sidecar"] })).toThrow(/there is none/);
});
