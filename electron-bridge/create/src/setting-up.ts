// Sets an app up: its npm packages, its Python environment, and the types of its own operations.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { npm } from "../../src/cli/npm.js";
import { requirePython, uvVersion, versionOf } from "../../src/cli/pythons.js";
import { type Program, venvPython } from "../../src/main/platform.js";
import { runStep, runTogether, type Step } from "./steps.js";

const VENV = ".venv";
const REQUIREMENTS = join("backend", "requirements.txt");

/** uv reads no setting of pip's. */
const SETTINGS_OF_UV: Readonly<Record<string, string>> = {
  PIP_FIND_LINKS: "UV_FIND_LINKS",
  PIP_INDEX_URL: "UV_DEFAULT_INDEX",
  PIP_EXTRA_INDEX_URL: "UV_INDEX",
};

/**
 * @param python the Python that the person named
 * @throws CommandError
 */
export async function setUp(folder: string, python: string | undefined): Promise<void> {
  const pythonStep = environment(folder, python);
  await runTogether([
    runStep(packages(), folder).then(() => runStep(electron(folder), folder)),
    runStep(pythonStep, folder),
  ]);
  await runStep(types(), folder);
}

function packages(): Step {
  const { command, shell } = npm();
  const advice = "put that right, then run `npm install` and `npm run generate` in the folder of the app";
  return { name: "npm packages", programs: [{ command: [...command, "install"], shell }], advice };
}

/** From Electron 45 on, its package downloads nothing before it is first run. */
function electron(folder: string): Step {
  const script = join("node_modules", "electron", "install.js");
  const isGiven = ["ELECTRON_OVERRIDE_DIST_PATH", "ELECTRON_SKIP_BINARY_DOWNLOAD"].some(
    (name) => process.env[name],
  );
  const isNeeded = !isGiven && existsSync(join(folder, script));
  const advice =
    "put that right, then run `npx install-electron` and `npm run generate` in the folder of the app";
  return { name: "Electron", programs: isNeeded ? [{ command: [process.execPath, script] }] : [], advice };
}

/** .venv, made if it is not there, with the sidecar in it. */
function environment(folder: string, python: string | undefined): Step {
  const ownPython = venvPython(VENV);
  const isThere = versionOf([join(folder, ownPython)]) !== undefined;
  const uv = uvVersion();
  const advice = "put that right, then run `npx electron-sidecar init` in the folder of the app";
  if (uv !== undefined) {
    const make: Program = ["uv", "venv", "--quiet", "--allow-existing", "--python", python ?? ">=3.11", VENV];
    const install: Program = ["uv", "pip", "install", "--quiet", "--python", ownPython, "-r", REQUIREMENTS];
    const name = `Python packages in .venv, by uv ${uv}`;
    return { name, programs: programs(isThere ? [install] : [make, install]), advice, env: uvSettings() };
  }
  const install: Program = [
    join(folder, ownPython),
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "-r",
    REQUIREMENTS,
  ];
  if (isThere) return { name: "Python packages in .venv", programs: programs([install]), advice };
  const { program, version } = requirePython(python);
  const make: Program = [...program, "-m", "venv", "--clear", VENV];
  return {
    name: `Python packages in .venv, of Python ${version}`,
    programs: programs([make, install]),
    advice,
  };
}

function programs(commands: readonly Program[]): Step["programs"] {
  return commands.map((command) => ({ command }));
}

function uvSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(SETTINGS_OF_UV)
      .filter(([pip, uv]) => process.env[pip] !== undefined && process.env[uv] === undefined)
      // pip has spaces between the entries of a list. uv has commas between links; an index is mostly one.
      .map(([pip, uv]) => [
        uv,
        (process.env[pip] ?? "").trim().replace(/\s+/g, pip === "PIP_FIND_LINKS" ? "," : " "),
      ]),
  );
}

function types(): Step {
  const { command, shell } = npm();
  const advice = "put that right, then run `npm run generate` in the folder of the app";
  const programs = [{ command: [...command, "run", "generate"] as const, shell }];
  return { name: "the types of backend/notes.py", programs, advice };
}
