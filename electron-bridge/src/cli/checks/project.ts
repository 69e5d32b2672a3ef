// Checks of the npm side of a project: packages, Electron, and the preload script.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { isAtLeast } from "../pythons.js";
import { type Finding, note, ok, problem } from "./finding.js";

const OLDEST_ELECTRON = "22";
const SOURCE = /\.[cm]?[jt]sx?$/;
const NOT_SOURCES = new Set(["node_modules", "dist", "out", "build", "frozen", ".venv", ".git"]);
const DEEPEST_FOLDER = 5;

export interface Manifest {
  readonly version?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** The package.json of the project; undefined where there is none. */
export function projectManifest(): Manifest | undefined {
  return existsSync("package.json")
    ? (JSON.parse(readFileSync("package.json", "utf8")) as Manifest)
    : undefined;
}

/** The folder and the version of a package that the project has installed. */
export function installed(name: string): { folder: string; version: string } | undefined {
  try {
    const file = createRequire(resolve("package.json")).resolve(`${name}/package.json`);
    const { version = "" } = JSON.parse(readFileSync(file, "utf8")) as Manifest;
    return { folder: dirname(file), version };
  } catch {
    return undefined; // it is not installed, or not to its end
  }
}

export function checkBridge(manifest: Manifest): Finding {
  const bridge = installed("electron-sidecar");
  if (bridge === undefined) {
    return problem("the npm package electron-sidecar is not installed", "run `npm install electron-sidecar`");
  }
  if (manifest.dependencies?.["electron-sidecar"] && manifest.devDependencies?.["electron-vite"]) {
    return problem(
      "electron-vite leaves the `dependencies` out of the preload script's bundle, and a sandboxed page can load nothing else",
      "move electron-sidecar to devDependencies: `npm install --save-dev electron-sidecar`",
    );
  }
  return ok(`npm package electron-sidecar ${bridge.version}`);
}

/** The finding, and the path of Electron's program if there is one. */
export function checkElectron(environment = process.env): { finding: Finding; program?: string } {
  const electron = installed("electron");
  if (electron === undefined) {
    return { finding: problem("Electron is not installed", "run `npm install --save-dev electron`") };
  }
  if (!isAtLeast(electron.version, OLDEST_ELECTRON)) {
    const advice = "run `npm install --save-dev electron@latest`";
    return {
      finding: problem(`Electron ${electron.version} is too old; ${OLDEST_ELECTRON} is the oldest`, advice),
    };
  }
  const program = electronProgram(electron.folder, environment);
  if (program === undefined || !existsSync(program)) {
    return { finding: problem("Electron's program is not downloaded", "run `npx install-electron`") };
  }
  return { finding: ok(`Electron ${electron.version}`), program };
}

function electronProgram(folder: string, environment: NodeJS.ProcessEnv): string | undefined {
  const file = join(folder, "path.txt");
  const name = existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
  const given = environment["ELECTRON_OVERRIDE_DIST_PATH"];
  if (given) return join(given, name ?? "electron");
  return name === undefined ? undefined : join(folder, "dist", name);
}

export function checkPreload(): Finding {
  const file = sourceFiles(".", 0).find((file) =>
    readFileSync(file, "utf8").includes("electron-sidecar/preload"),
  );
  if (file !== undefined) return ok(`the preload script is named in ${file}`);
  return problem(
    "no file of this project names electron-sidecar/preload, so that pages have no bridge",
    'set `preload: require.resolve("electron-sidecar/preload")` in webPreferences, or begin your own preload script with `import "electron-sidecar/preload"`',
  );
}

function sourceFiles(folder: string, depth: number): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return NOT_SOURCES.has(entry.name) || depth === DEEPEST_FOLDER ? [] : sourceFiles(path, depth + 1);
    }
    return entry.isFile() && SOURCE.test(entry.name) ? [path] : [];
  });
}

/** The arguments of `electron-sidecar generate` in the script of this name. */
export function generateArguments({ scripts = {} }: Manifest): readonly string[] | undefined {
  const words = scripts["generate"]?.match(/"[^"]*"|\S+/g)?.map((word) => word.replace(/^"|"$/g, "")) ?? [];
  const first = words.findIndex(
    (word, index) => word === "electron-sidecar" && words[index + 1] === "generate",
  );
  return first === -1 ? undefined : words.slice(first + 2);
}

export const NO_GENERATE = note(
  'package.json has no script "generate" that runs `electron-sidecar generate`, so the extension was not checked',
  "run `npx electron-sidecar init`, or see `npx electron-sidecar generate --help`",
);
