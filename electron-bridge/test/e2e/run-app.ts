// Runs a scene of the suite's app that ends by itself, without a debugger, which would keep its event loop awake.

import { execFile } from "node:child_process";
import { onTestFinished } from "vitest";
import { freshFolder } from "./app.js";
import { commandOf, SUITE_APP } from "./launch.mjs";

const ENDS_WITHIN_MS = 30_000;

/** The JSON that the scene prints as a line, and when it had ended, as `Date.now()` tells it. */
export function runApp(
  scene: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ result: unknown; endedAt: number }> {
  const { command, args } = commandOf(SUITE_APP);
  const words = [...args, `--scene=${scene}`, `--user-data-dir=${freshFolder()}`];
  if (process.env["ELECTRON_NO_SANDBOX"]) words.push("--no-sandbox");
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, timeout: ENDS_WITHIN_MS };
    const child = execFile(command, words, options, (error, stdout, stderr) => {
      const endedAt = Date.now();
      const line = stdout.split("\n").find((text) => text.startsWith("{"));
      if (error ?? line === undefined)
        reject(new Error(`${scene}: no result\n${stdout}\n${stderr}`, { cause: error }));
      else resolve({ result: JSON.parse(line) as unknown, endedAt });
    });
    onTestFinished(() => void child.kill("SIGKILL"));
  });
}
