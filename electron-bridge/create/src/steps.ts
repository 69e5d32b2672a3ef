// Runs the programs that set an app up, and shows one line for each step.

import { spawn } from "node:child_process";
import { CommandError } from "../../src/cli/errors.js";
import type { Program } from "../../src/main/platform.js";

const LINES_OF_A_FAILURE = 30;

export interface Step {
  /** What is made, such as `npm packages`. */
  readonly name: string;
  readonly programs: readonly { readonly command: Program; readonly shell?: boolean }[];
  /** What to do when it fails. */
  readonly advice: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Runs the programs of a step, one after the other.
 *
 * @throws CommandError with the end of what the program wrote
 */
export async function runStep({ name, programs, advice, env = {} }: Step, folder: string): Promise<void> {
  const started = Date.now();
  for (const { command, shell = false } of programs) {
    const { problem, output } = await run(command, shell, folder, { ...process.env, ...env });
    if (problem === undefined) continue;
    const end = output.trimEnd().split("\n").slice(-LINES_OF_A_FAILURE).join("\n");
    throw new CommandError(`${end}\n${name}: \`${command.join(" ")}\` ${problem}; ${advice}`);
  }
  process.stdout.write(`  ${name} (${((Date.now() - started) / 1_000).toFixed(1)} s)\n`);
}

/** Runs the steps at the same time, to the end of all. Throws the first error. */
export async function runTogether(steps: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(steps)) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}

function run(
  [command, ...args]: Program,
  shell: boolean,
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ problem?: string; output: string }> {
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command, args, {
      cwd,
      env,
      shell,
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    }
    child.on("error", (error) => resolve({ problem: `cannot be run (${error.message})`, output }));
    child.on("close", (code, signal) =>
      resolve(code === 0 ? { output } : { problem: `ended with ${String(code ?? signal)}`, output }),
    );
  });
}
