// Starts an app in a real Electron and drives it: what the demo and every test of the real-Electron suite begin with.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { _electron } from "playwright-core";

const SCRIPTS = new URL("../../../scripts/", import.meta.url);
const PYTHON = new URL(
  `../../../.venv/${process.platform === "win32" ? "Scripts/python.exe" : "bin/python"}`,
  import.meta.url,
);
const LAUNCH_TIMEOUT_MS = 30_000;
const QUIT_TIMEOUT_MS = 15_000;

/** The folder of the example app, the console. */
export const CONSOLE = fileURLToPath(new URL("../../example/main.js", import.meta.url));

/** A command for the console that starts the sidecar SLOW_SIDECAR_SECONDS later. */
export const SLOW_SIDECAR = fileURLToPath(new URL("fixtures/slow-sidecar", import.meta.url));

/**
 * ELECTRON_NO_SANDBOX and ELECTRON_DISABLE_GPU are set by the scripts, where the machine leaves no choice.
 *
 * @param {string} app path of the app's main file
 * @param {{ userData: string, run: string, env?: Record<string, string>, cwd?: string }} options `run` marks every
 * process of this run
 */
export async function launch(app, { userData, run, env = {}, cwd = process.cwd() }) {
  const electron = await _electron.launch({
    args: [
      ...(process.env.ELECTRON_DISABLE_GPU ? ["--disable-gpu"] : []),
      app,
      `--user-data-dir=${userData}`,
    ],
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
  const { stdout } = await promisify(execFile)(fileURLToPath(PYTHON), [
    census,
    run,
    "--within",
    String(withinSeconds),
  ]);
  return stdout.split("\n").filter((line) => line !== "");
}
