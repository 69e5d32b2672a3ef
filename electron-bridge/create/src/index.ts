// create-electron-sidecar: a new app from a template, or a sidecar for the app in this folder.

import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { CommandError } from "../../src/cli/errors.js";
import { addToApp } from "./existing-app.js";
import { type Options, parseOptions, type Template, USAGE } from "./options.js";
import { setUp } from "./setting-up.js";
import { writeApp } from "./template.js";

async function main(args: readonly string[]): Promise<number> {
  if (args.some((argument) => argument === "--help" || argument === "-h")) {
    process.stdout.write(USAGE);
    return 0;
  }
  try {
    const options = parseOptions(args);
    if (options.folder === undefined) await extend(process.cwd(), options);
    else await create(options.folder, options);
    return 0;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    process.stderr.write(`create-electron-sidecar: ${error.message}\n`);
    return error.exitCode;
  }
}

async function create(folder: string, { template, python, install, force }: Options): Promise<void> {
  const chosen = template ?? (await askForTemplate());
  writeApp(folder, chosen, force);
  process.stdout.write(`${folder}: an app in ${chosen === "typescript" ? "TypeScript" : "JavaScript"}\n`);
  if (install) await setUp(folder, python);
  const next = [
    `cd ${quoted(relative(process.cwd(), folder) || ".")}`,
    ...(install ? [] : ["npx electron-sidecar init"]),
  ];
  process.stdout.write(`\nNext:\n${[...next, "npm start"].map((line) => `  ${line}\n`).join("")}`);
}

async function extend(folder: string, { template, python, install }: Options): Promise<void> {
  if (!existsSync(resolve(folder, "package.json"))) {
    throw new CommandError(
      "there is no package.json here; a new app is made by `npm create electron-sidecar my-app`",
    );
  }
  const language = template ?? (existsSync(resolve(folder, "tsconfig.json")) ? "typescript" : "javascript");
  const { report, toPaste } = addToApp(folder, language);
  process.stdout.write(report);
  if (install) await setUp(folder, python);
  process.stdout.write(toPaste);
}

/** A question for a person at a terminal; programs get the default. */
async function askForTemplate(): Promise<Template> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return "typescript";
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await new Promise<string>((resolve) => {
    terminal.on("close", () => resolve(""));
    terminal.question("TypeScript or JavaScript? (T/j) ", resolve);
  });
  terminal.close();
  return /^j/i.test(answer.trim()) ? "javascript" : "typescript";
}

function quoted(path: string): string {
  return /^[\w./\\:@-]+$/.test(path) ? path : `"${path}"`;
}

void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
