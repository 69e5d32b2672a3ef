// Checks of the machine: Node, a Python or uv, and what Electron needs of a Linux.

import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { needsDesktopLibraries, PLATFORM } from "../../main/platform.js";
import { CommandError } from "../errors.js";
import { isAtLeast, OLDEST_PYTHON, requirePython, uvVersion } from "../pythons.js";
import { type Finding, note, ok, problem } from "./finding.js";

const OLDEST_NODE = "20";
const LIBRARIES = "libgtk-3-0 libnss3 libasound2 libgbm1 libxss1 libxtst6";

export function checkNode(version = process.versions.node): Finding {
  if (isAtLeast(version, OLDEST_NODE)) return ok(`Node ${version}`);
  return problem(`Node ${version} is too old`, `install Node ${OLDEST_NODE} or newer`);
}

/** Which Python a new .venv would be made of. */
export function checkPython(uv = uvVersion()): Finding {
  if (uv !== undefined) return ok(`uv ${uv}, which brings Python ${OLDEST_PYTHON} or newer`);
  try {
    const { program, version } = requirePython();
    return ok(`Python ${version} (${program.join(" ")})`);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const [message = "", ...advice] = error.message.split("; ");
    return problem(message, advice.join("; "));
  }
}

/** The libraries, the sandbox and the display that an Electron needs; nothing but on Linux. */
export function checkLinux(electron: string, environment = process.env, platform = PLATFORM): Finding[] {
  if (!needsDesktopLibraries(platform)) return [];
  return [checkLibraries(electron), checkSandbox(electron), checkDisplay(environment)];
}

function checkLibraries(electron: string): Finding {
  const { status, stdout } = spawnSync("ldd", [electron], { encoding: "utf8" });
  if (status !== 0) {
    return note("Electron's libraries were not checked, because ldd does not run", "start the app to see");
  }
  const missing = [...stdout.matchAll(/^\s*(\S+) => not found/gm)].map(([, library]) => library);
  if (missing.length === 0) return ok("the libraries that Electron needs are installed");
  return problem(
    `Electron cannot start: ${missing.join(", ")} is missing`,
    `on Debian and Ubuntu: \`sudo apt-get install ${LIBRARIES}\``,
  );
}

/** Chromium's sandbox needs user namespaces, or a helper of root's. */
function checkSandbox(electron: string): Finding {
  if (process.getuid() === 0) {
    return note("Electron refuses to sandbox its pages for root", "start the app as another user");
  }
  const { status } = spawnSync("unshare", ["--user", "--net", "true"]);
  if (status === 0) return ok("Chromium's sandbox can use user namespaces");
  const helper = statSync(join(dirname(electron), "chrome-sandbox"), { throwIfNoEntry: false });
  if (helper?.uid === 0 && (helper.mode & 0o4000) !== 0) return ok("Chromium's sandbox has its helper");
  return problem(
    "this system allows no user namespaces, so that Electron cannot sandbox its pages",
    `${sandboxAdvice()}; never ship an app with --no-sandbox`,
  );
}

function sandboxAdvice(): string {
  const restricted = read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
  return restricted === "1"
    ? "run `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or give Electron a profile of AppArmor"
    : "run `sudo sysctl kernel.unprivileged_userns_clone=1`, or in a container allow user namespaces";
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined; // this kernel has no such setting
  }
}

function checkDisplay(environment: NodeJS.ProcessEnv): Finding {
  const display = environment["WAYLAND_DISPLAY"] ?? environment["DISPLAY"];
  if (display) return ok(`display ${display}`);
  return note("there is no display here", "start the app and its tests with `xvfb-run --auto-servernum`");
}
