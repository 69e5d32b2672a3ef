// `doctor`: checks this machine and the project in this folder, and says what to do.

import * as util from "node:util";
import { checkExtension, checkFreezing, checkSidecar, checkVenv } from "./checks/environment.js";
import type { Finding } from "./checks/finding.js";
import { checkLinux, checkNode, checkPython } from "./checks/machine.js";
import {
  checkBridge,
  checkElectron,
  checkPreload,
  generateArguments,
  installed,
  type Manifest,
  NO_GENERATE,
  projectManifest,
} from "./checks/project.js";
import type { Command } from "./command.js";
import { CommandError } from "./errors.js";

const USAGE_ERROR = 2;

const USAGE = `usage: electron-sidecar doctor [--json]

Check this machine, and the project in this folder if there is one: Node, Python, Electron, .venv, the versions of both
packages, the extension and what was generated of it, the preload script. One line says how each is, and one what to do.
No compiler is needed. Ends with 1 if there is a problem.

  --json   print the findings as a JSON list of status, message and advice

example:
  npx electron-sidecar doctor
`;

export const doctor: Command = {
  summary: "check this machine and this project",
  usage: USAGE,
  run,
};

/** The types of Node 16 are older than it. */
const { parseArgs } = util as unknown as { parseArgs: (config: object) => { values: { json?: boolean } } };

function run(args: readonly string[]): number {
  const asJson = wantsJson(args);
  const manifest = projectManifest();
  const findings = [checkNode(), checkPython(), ...(manifest ? checkProject(manifest) : [])];
  const problems = findings.filter(({ status }) => status === "problem").length;
  if (asJson) {
    process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  } else {
    const scope = manifest ? "" : "There is no package.json here, so that only the machine was checked.\n";
    const summary = problems === 0 ? "No problem was found." : `Problems: ${String(problems)}`;
    process.stdout.write(`${findings.map(shown).join("")}\n${scope}${summary}\n`);
  }
  return problems === 0 ? 0 : 1;
}

function wantsJson(args: readonly string[]): boolean {
  try {
    return parseArgs({ args: [...args], options: { json: { type: "boolean" } } }).values.json === true;
  } catch (error) {
    throw new CommandError((error as Error).message, USAGE_ERROR);
  }
}

function checkProject(manifest: Manifest): Finding[] {
  const electron = checkElectron();
  const venv = checkVenv();
  return [
    electron.finding,
    ...(electron.program === undefined ? [] : checkLinux(electron.program)),
    checkBridge(manifest),
    checkPreload(),
    venv.finding,
    ...(venv.python === undefined ? [] : checkBackend(venv.python, manifest)),
  ];
}

function checkBackend(python: string, manifest: Manifest): Finding[] {
  const sidecar = checkSidecar(python, installed("electron-sidecar")?.version);
  if (sidecar.status === "problem") return [sidecar];
  const args = generateArguments(manifest);
  return [
    sidecar,
    ...(args === undefined ? [NO_GENERATE] : checkExtension(python, args)),
    checkFreezing(python),
  ];
}

function shown({ status, message, advice }: Finding): string {
  const line = `${status.padEnd(8)} ${message}\n`;
  return advice === undefined ? line : `${line}${" ".repeat(9)}→ ${advice}\n`;
}
