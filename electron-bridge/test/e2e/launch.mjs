// Starts an app in a real Electron and drives it: what the demo and every test of the real-Electron suite begin with.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { _electron } from "playwright-core";
import electronProgram from "electron";

const SCRIPTS = new URL("../../../scripts/", import.meta.url);
const LAUNCH_TIMEOUT_MS = 30_000;
const QUIT_TIMEOUT_MS = 15_000;

/** @param {string} relative */
const file = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** The Python of this repository, with the sidecar in it. */
export const PYTHON = file(
  `../../../.venv/${process.platform === "win32" ? "Scripts/python.exe" : "bin/python"}`,
);

/** The apps that can be packaged, by the main files from which they are started when they are not. */
export const SUITE_APP = file("suite-app/main.js");
export const CONSOLE = file("../../example/main.js");
export const CARDS = file("../../example/cards/main.js");

/** A program for the suite's app that starts the sidecar SLOW_SIDECAR_SECONDS later. */
export const SLOW_SIDECAR = fileURLToPath(new URL("fixtures/slow-sidecar", import.meta.url));

/**
 * The packaged apps of a run with E2E_PACKAGED, which names the folder where test/packaging/package-apps.mjs made them.
 *
 * @type {Record<string, string>}
 */
const PACKAGED = process.env.E2E_PACKAGED
  ? JSON.parse(readFileSync(path.join(process.env.E2E_PACKAGED, "apps.json"), "utf8"))
  : {};
const NAMES = { [SUITE_APP]: "suite", [CONSOLE]: "console", [CARDS]: "cards" };

/**
 * The program of an app and its first arguments: the packaged app itself, or an Electron that loads the main file.
 *
 * @param {string} app path of the app's main file
 */
export function commandOf(app) {
  const program = PACKAGED[NAMES[app] ?? ""];
  // In Node, the export of the package is the path of the executable.
  const [command, mainFile] = program
    ? [program, []]
    : [/** @type {string} */ (/** @type {unknown} */ (electronProgram)), [app]];
  return { command, args: [...(process.env.ELECTRON_DISABLE_GPU ? ["--disable-gpu"] : []), ...mainFile] };
}

/**
 * ELECTRON_NO_SANDBOX and ELECTRON_DISABLE_GPU are set by the scripts, where the machine leaves no choice.
 *
 * @param {string} app path of the app's main file
 * @param {{ userData: string, run: string, args?: string[], env?: Record<string, string>, cwd?: string }} options `run`
 * marks every process of this run
 */
export async function launch(app, { userData, run, args = [], env = {}, cwd = process.cwd() }) {
  const program = commandOf(app);
  const electron = await _electron.launch({
    // Named only where it is no Electron of the package's: Playwright prepares that one itself.
    ...(program.args.includes(app) ? {} : { executablePath: program.command }),
    args: [...program.args, `--user-data-dir=${userData}`, ...args],
    chromiumSandbox: !process.env.ELECTRON_NO_SANDBOX,
    env: { .../** @type {Record<string, string>} */ (process.env), ...env, ELECTRON_SIDECAR_RUN: run },
    cwd,
    timeout: LAUNCH_TIMEOUT_MS,
  });
  let log = "";
  for (const stream of [electron.process().stdout, electron.process().stderr]) {
    stream?.on("data", (chunk) => (log += chunk));
  }
  electron.context().on("page", (page) => {
    page.on("console", (message) => (log += `page: ${message.text()}\n`));
    page.on("pageerror", (error) => (log += `page: ${error.stack}\n`));
  });
  return { electron, log: () => log };
}

/**
 * Quits an app as a person does. One that does not go is killed, which is an error.
 *
 * @param {import("playwright-core").ElectronApplication} electron
 */
export async function quit(electron) {
  let stuck = false;
  const timer = setTimeout(() => (stuck = electron.process().kill("SIGKILL")), QUIT_TIMEOUT_MS);
  await electron.close();
  clearTimeout(timer);
  if (stuck) throw new Error(`The app did not quit within ${QUIT_TIMEOUT_MS} ms.`);
}

/**
 * The processes of a run that are left after waiting for them to end, as lines of `pid name`.
 *
 * @param {string} run
 * @param {number} withinSeconds
 */
export async function leftBehind(run, withinSeconds) {
  const census = fileURLToPath(new URL("census.py", SCRIPTS));
  const { stdout } = await promisify(execFile)(PYTHON, [census, run, "--within", String(withinSeconds)]);
  return stdout.split("\n").filter((line) => line !== "");
}
