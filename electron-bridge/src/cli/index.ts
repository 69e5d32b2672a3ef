// electron-sidecar: the command for an app's own project.

import type { Command } from "./command.js";
import { CommandError } from "./errors.js";
import { doctor } from "./doctor.js";
import { freeze } from "./freeze.js";
import { generate } from "./generate.js";
import { init } from "./init.js";
import { python } from "./python.js";
import { nearest } from "../shared/nearest.js";

const COMMANDS: Readonly<Record<string, Command>> = { init, generate, python, freeze, doctor };

const USAGE_ERROR = 2;

const USAGE = `usage: electron-sidecar COMMAND [options]

commands:
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}\n`)
  .join("")}
electron-sidecar COMMAND --help shows the options of a command, with examples.
`;

const asksForHelp = (argument: string | undefined): boolean => argument === "--help" || argument === "-h";

function suggested(name: string): string {
  const near = nearest(name, Object.keys(COMMANDS));
  return near === undefined ? "" : `; did you mean '${near}'?`;
}

async function main([name = "", ...args]: readonly string[]): Promise<number> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const output = asksForHelp(name) ? process.stdout : process.stderr;
    if (name !== "" && !asksForHelp(name))
      output.write(`electron-sidecar: there is no command '${name}'${suggested(name)}\n\n`);
    output.write(USAGE);
    return asksForHelp(name) ? 0 : USAGE_ERROR;
  }
  if (args.some(asksForHelp)) {
    process.stdout.write(command.usage);
    return 0;
  }
  try {
    return await command.run(args);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    process.stderr.write(`electron-sidecar ${name}: ${error.message}\n`);
    return error.exitCode;
  }
}

void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
