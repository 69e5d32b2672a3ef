// `electron-sidecar doctor` and `python`, over projects that are sound and projects that are not.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { PYTHON, moduleSaying } from "../notes-module.js";
import { temporaryFolder } from "../support.js";

const PACKAGE = join(__dirname, "..", "..");
const CLI = join(PACKAGE, "dist", "cli.js");
const GENERATE = "electron-sidecar generate --python-path backend --extension notes --out operations.json";

interface Finding {
  readonly status: string;
  readonly message: string;
  readonly advice?: string;
}

function run(folder: string, ...args: string[]) {
  const env = { ...process.env, ELECTRON_OVERRIDE_DIST_PATH: join(folder, "electron-dist") };
  return spawnSync(process.execPath, [CLI, ...args], { cwd: folder, encoding: "utf8", env });
}

function findings(folder: string): Finding[] {
  return JSON.parse(run(folder, "doctor", "--json").stdout) as Finding[];
}

function problems(folder: string): Finding[] {
  return findings(folder).filter(({ status }) => status === "problem");
}

/** A project that is set up. Its .venv is this repository's, by a link. */
function project(): string {
  const folder = temporaryFolder();
  for (const name of ["backend", "node_modules", "electron-dist"]) mkdirSync(join(folder, name));
  for (const name of ["electron", "electron.exe"]) copyFileSync(PYTHON, join(folder, "electron-dist", name));
  symlinkSync(
    join(PACKAGE, "node_modules", "electron"),
    join(folder, "node_modules", "electron"),
    "junction",
  );
  symlinkSync(PACKAGE, join(folder, "node_modules", "electron-sidecar"), "junction");
  symlinkSync(dirname(dirname(PYTHON)), join(folder, ".venv"), "junction");
  writeFileSync(join(folder, "package.json"), JSON.stringify({ scripts: { generate: GENERATE } }));
  writeFileSync(join(folder, "main.js"), 'const preload = require.resolve("electron-sidecar/preload");\n');
  writeFileSync(join(folder, "backend", "notes.py"), moduleSaying("sea"));
  return folder;
}

describe("doctor", () => {
  test("finds no problem in a sound project, and each one that is made", () => {
    const folder = project();
    expect(run(folder, ...GENERATE.split(" ").slice(1))).toMatchObject({ status: 0 });
    expect(problems(folder)).toEqual([]);

    writeFileSync(
      join(folder, "backend", "notes.py"),
      moduleSaying("sea").replace("def word", "def other_word"),
    );
    writeFileSync(join(folder, "main.js"), "");
    expect(problems(folder)).toEqual([
      expect.objectContaining({
        message: expect.stringContaining("names electron-sidecar/preload") as string,
      }),
      { status: "problem", message: "operations.json is out of date", advice: "run `npm run generate`" },
    ]);

    writeFileSync(join(folder, "backend", "notes.py"), "import nothing_of_that_name\n");
    expect(problems(folder)[1]?.message).toMatch(
      /^the extension notes cannot be loaded: .*nothing_of_that_name/,
    );
  }, 60_000);

  test("says what to do in a project in which nothing is installed", () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "package.json"), "{}");
    const { status, stdout } = run(folder, "doctor");
    expect(status).toBe(1);
    expect(stdout).toContain(
      "problem  Electron is not installed\n         → run `npm install --save-dev electron`\n",
    );
    expect(stdout).toContain("problem  .venv is missing\n");
    expect(stdout).toMatch(/\nProblems: \d\n$/);
  });

  test("checks the machine alone where there is no project", () => {
    const { status, stdout } = run(temporaryFolder(), "doctor");
    expect(stdout).toContain("ok       Node ");
    expect(stdout).toContain("only the machine was checked");
    expect(status).toBe(0);
  });

  test("knows a .venv whose Python is gone", () => {
    const folder = project();
    rmSync(join(folder, ".venv"));
    mkdirSync(join(folder, ".venv"));
    expect(problems(folder)).toEqual([
      {
        status: "problem",
        message: expect.stringMatching(/^the Python of \.venv, .*, is missing, or/) as string,
        advice: "delete .venv and run `npx electron-sidecar init`, which makes it again",
      },
    ]);
  });

  test.runIf(process.platform !== "win32")("knows a .venv that was moved", () => {
    const folder = project();
    rmSync(join(folder, ".venv"));
    mkdirSync(join(folder, ".venv", "bin"), { recursive: true });
    symlinkSync(PYTHON, join(folder, ".venv", "bin", "python"));
    writeFileSync(join(folder, ".venv", "bin", "sidecar"), "#!/old place/app/.venv/bin/python\n");
    expect(problems(folder)[0]?.message).toBe(
      ".venv was made in another place, /old place/app/.venv, and moved",
    );
  });

  test("knows an electron-sidecar that electron-vite leaves out of the preload script", () => {
    const folder = project();
    const manifest = { dependencies: { "electron-sidecar": "0" }, devDependencies: { "electron-vite": "6" } };
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
    expect(problems(folder)[0]).toMatchObject({
      advice: "move electron-sidecar to devDependencies: `npm install --save-dev electron-sidecar`",
    });
  });
});

describe("python", () => {
  test("runs the project's own, and ends with its exit code", () => {
    const folder = project();
    const script = "import sys; print(sys.prefix != sys.base_prefix); sys.exit(7)";
    expect(run(folder, "python", "-c", script)).toMatchObject({
      status: 7,
      stdout: expect.stringMatching(/^True/) as string,
    });
  });

  test("says how to make it", () => {
    expect(run(temporaryFolder(), "python").stderr).toContain(
      "is missing; `npx electron-sidecar init` makes it",
    );
  });
});

test("a package of a larger repository uses the .venv of that, as its app does", () => {
  const folder = join(project(), "packages");
  mkdirSync(folder);
  expect(run(folder, "python", "-c", "print('found')").stdout).toBe("found\n");
  writeFileSync(join(folder, "package.json"), "{}");
  expect(findings(folder).map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/^\.\..\.venv with Python/),
  );
});
