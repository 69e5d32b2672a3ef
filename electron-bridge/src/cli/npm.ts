// npm as a program that can be spawned.

import { isShellScript, PLATFORM, type Program } from "../main/platform.js";

/** The package manager that runs this, or npm; and whether it needs a shell. */
export function npm(
  environment: NodeJS.ProcessEnv = process.env,
  platform = PLATFORM,
): { command: Program; shell: boolean } {
  const running = environment["npm_execpath"];
  if (running !== undefined && /\.[cm]?js$/.test(running)) {
    return { command: [process.execPath, running], shell: false };
  }
  return { command: ["npm"], shell: isShellScript("npm", platform) };
}
