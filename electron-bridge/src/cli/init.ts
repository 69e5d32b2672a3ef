// `init`: a sidecar for an existing app. The package create-electron-sidecar, which has the templates, does it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { version } from "../../package.json";
import type { Command } from "./command.js";
import { npm } from "./npm.js";

const USAGE = `usage: electron-sidecar init [--template typescript|javascript] [--python FILE] [--no-install]

Add a sidecar to the app in this folder: backend/ with an extension and its tests, a module for the main process, a
preload script, scripts in package.json, and .venv. No file that is there is changed but package.json and .gitignore,
which get lines. It says what it left out, and what is to be pasted. Run again, it makes what is missing.

  --template NAME   TypeScript or JavaScript (default: TypeScript if there is a tsconfig.json)
  --python FILE     the Python of which .venv is made (default: uv's, or the newest of this machine)
  --no-install      write the files only

example:
  npx electron-sidecar init
`;

export const init: Command = {
  summary: "add a sidecar to the app in this folder",
  usage: USAGE,
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const {
    command: [program, ...first],
    shell,
  } = npm();
  const all = [...first, "exec", "--yes", "--", `create-electron-sidecar@${version}`, "--here", ...args];
  const child = spawn(program, all, { stdio: "inherit", shell });
  const [code] = (await once(child, "close")) as [number | null];
  return code ?? 1;
}
