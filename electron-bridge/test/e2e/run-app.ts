// Runs an app that ends by itself, without a debugger, which would keep its event loop awake.

import { execFile } from "node:child_process";
import electron from "electron";
import { onTestFinished } from "vitest";
import { freshFolder } from "./app.js";

const ENDS_WITHIN_MS = 30_000;

/** The JSON that the app prints as a line, and when it had ended, as `Date.now()` tells it. */
export function runApp(
  app: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ result: unknown; endedAt: number }> {
  const words = [
    ...(process.env["ELECTRON_NO_SANDBOX"] ? ["--no-sandbox"] : []),
    ...(process.env["ELECTRON_DISABLE_GPU"] ? ["--disable-gpu"] : []),
    app,
    `--user-data-dir=${freshFolder()}`,
  ];
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, timeout: ENDS_WITHIN_MS };
    // In Node, the package's export is the path of the executable.
    const child = execFile(electron as unknown as string, words, options, (error, stdout, stderr) => {
      const endedAt = Date.now();
      const line = stdout.split("\n").find((text) => text.startsWith("{"));
      if (error ?? line === undefined)
        reject(new Error(`${app}: no result\n${stdout}\n${stderr}`, { cause: error }));
      else resolve({ result: JSON.parse(line) as unknown, endedAt });
    });
    onTestFinished(() => void child.kill("SIGKILL"));
  });
}
