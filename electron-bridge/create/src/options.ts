// The command line of `npm create electron-sidecar`.

import { basename, resolve } from "node:path";
import * as util from "node:util";
import { CommandError } from "../../src/cli/errors.js";

const USAGE_ERROR = 2;
const LONGEST_NAME = 214;

export const TEMPLATES = ["typescript", "javascript"] as const;
export type Template = (typeof TEMPLATES)[number];

export const USAGE = `usage: npm create electron-sidecar FOLDER -- [--template typescript|javascript] [--python FILE] [--no-install] [--force]

Create an Electron app with a Python backend in a new folder, whose name is the app's.

  --template NAME   typescript: electron-vite and electron-builder; javascript: no bundler and Electron Forge
                    (default: typescript)
  --python FILE     the Python of which .venv is made (default: uv's, or the newest of this machine)
  --no-install      write the files only
  --force           write into a folder that has files in it, over those of the same name
  --here            add to the app in this folder what is missing, as \`npx electron-sidecar init\` does

examples:
  npm create electron-sidecar my-app
  npm create electron-sidecar my-app -- --template javascript
`;

export interface Options {
  /** Undefined for the app in the current folder. */
  readonly folder: string | undefined;
  readonly template: Template | undefined;
  readonly python: string | undefined;
  readonly install: boolean;
  readonly force: boolean;
}

interface Parsed {
  readonly values: {
    readonly template?: string;
    readonly python?: string;
    readonly "no-install"?: boolean;
    readonly force?: boolean;
    readonly here?: boolean;
  };
  readonly positionals: readonly string[];
}

/** The types of Node 16, which the bridge is checked with, are older than it. */
const { parseArgs } = util as unknown as { parseArgs: (config: object) => Parsed };

/** @throws CommandError */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parsed(args);
  const { template, python, force = false, here = false } = values;
  if (template !== undefined && !isTemplate(template)) {
    throw usageError(`there is no template '${template}'; choose one of ${TEMPLATES.join(", ")}`);
  }
  if (here && positionals.length > 0) throw usageError("--here takes no folder");
  if (!here && positionals.length !== 1) throw usageError("name one folder, such as my-app");
  const folder = here ? undefined : resolve(positionals[0] ?? "");
  if (folder !== undefined) requireName(basename(folder));
  return { folder, template, python, install: values["no-install"] !== true, force };
}

function parsed(args: readonly string[]): Parsed {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        template: { type: "string" },
        python: { type: "string" },
        "no-install": { type: "boolean" },
        force: { type: "boolean" },
        here: { type: "boolean" },
      },
    });
  } catch (error) {
    throw usageError((error as Error).message);
  }
}

function isTemplate(name: string): name is Template {
  return (TEMPLATES as readonly string[]).includes(name);
}

/** npm's rules for the name of a package, without scopes. */
function requireName(name: string): void {
  const isValid = /^[a-z0-9][a-z0-9._-]*$/.test(name) && name.length <= LONGEST_NAME;
  if (isValid && name !== "node_modules" && name !== "favicon.ico") return;
  const better = name
    .normalize("NFKD")
    .replace(/[^\w\s.-]/g, "")
    .toLowerCase()
    .replace(/[\s_]+/g, "-")
    .replace(/^[.-]+/, "");
  const advice = better === "" || better === name ? "choose another one" : `try ${better}`;
  throw usageError(
    `'${name}' cannot be the name of an npm package, which has small letters, digits, '-', '_' and '.'; ${advice}`,
  );
}

function usageError(message: string): CommandError {
  return new CommandError(message, USAGE_ERROR);
}
