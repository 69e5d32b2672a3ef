// `freeze`: the sidecar with the app's own Python as a folder that needs no Python. `sidecar freeze` makes it.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import * as util from "node:util";
import type { Command } from "./command.js";
import { CommandError } from "./errors.js";
import { projectPython } from "./venv.js";

const USAGE_ERROR = 2;
const PROJECT_PYTHON = projectPython();

const USAGE = `usage: electron-sidecar freeze [--extension MODULE] [--python-path DIR] [--out DIR] [--python FILE] ...

Make a folder with an executable that needs no Python, for the packaged app: the sidecar, the app's own Python and the
packages that it imports. The folder is tested before it replaces an earlier one. It runs on this operating system and
processor only.

  --extension MODULE   an extension module, such as my_app.backend; may be repeated
  --python-path DIR    a directory in which the modules are looked for first; may be repeated
  --out DIR            the folder to make (default: frozen/sidecar)
  --include PACKAGE    take a package as a whole, if it is imported by a name that is made at run time; may be repeated
  --without EXTRA      leave out an extra that is installed, such as vectors; may be repeated
  --python FILE        the Python that has electron-sidecar[freeze] (default: .venv of this project)

example:
  npx electron-sidecar freeze --python-path backend --extension my_app.backend
`;

export const freeze: Command = {
  summary: "make the executable of the sidecar for the packaged app",
  usage: USAGE,
  run,
};

type Value = string | boolean | readonly string[];

/** Node has it from 16.17 on; the types of Node 16 are older. */
const { parseArgs } = util as unknown as {
  parseArgs: (config: object) => { values: Readonly<Record<string, Value>> };
};

async function run(args: readonly string[]): Promise<number> {
  const { python = PROJECT_PYTHON, ...passed } = parsed(args);
  requireSidecar(python as string);
  const options = Object.entries(passed).flatMap(([name, value]) => asArguments(name, value));
  const child = spawn(python as string, ["-m", "sidecar", "freeze", ...options], { stdio: "inherit" });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (signal !== null) throw new CommandError(`${python as string} was ended by ${signal}`);
  return code ?? 1;
}

function parsed(args: readonly string[]): Readonly<Record<string, Value>> {
  const repeated = { type: "string", multiple: true };
  const options = {
    extension: repeated,
    "python-path": repeated,
    include: repeated,
    without: repeated,
    out: { type: "string" },
    python: { type: "string" },
    onefile: { type: "boolean" },
  };
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new CommandError((error as Error).message, USAGE_ERROR);
  }
}

function asArguments(name: string, value: Value): string[] {
  if (typeof value === "boolean") return [`--${name}`];
  // With `=`, so that a value may begin with a dash.
  return [value].flat().map((each) => `--${name}=${each}`);
}

function requireSidecar(python: string): void {
  if (python === PROJECT_PYTHON && !existsSync(python)) {
    throw new CommandError(
      `${resolve(python)} is missing; make it with \`npx electron-sidecar init\`, or name the Python that has ` +
        "electron-sidecar[freeze] with --python",
    );
  }
  const { error, status } = spawnSync(python, ["-c", "import sidecar.freezing"], { windowsHide: true });
  if (error) {
    throw new CommandError(
      `${error.message}; name the Python that has electron-sidecar[freeze] with --python`,
    );
  }
  if (status !== 0) {
    throw new CommandError(
      `${python} does not have electron-sidecar; run \`${python} -m pip install "electron-sidecar[freeze]"\``,
    );
  }
}
