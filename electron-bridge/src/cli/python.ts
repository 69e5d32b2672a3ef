// `python`: the Python of the app's project, whatever the operating system calls it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import type { Command } from "./command.js";
import { CommandError } from "./errors.js";
import { projectPython } from "./venv.js";

const USAGE = `usage: electron-sidecar python ARGUMENT...

Run the Python of this project's .venv, on every operating system: for the scripts in package.json.

example:
  npx electron-sidecar python -m pytest -q backend
`;

export const python: Command = {
  summary: "run the Python of this project's .venv",
  usage: USAGE,
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const program = projectPython();
  if (!existsSync(program)) {
    throw new CommandError(`${program} is missing; \`npx electron-sidecar init\` makes it`);
  }
  const child = spawn(program, args, { stdio: "inherit" });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (signal !== null) throw new CommandError(`${program} was ended by ${signal}`);
  return code ?? 1;
}
