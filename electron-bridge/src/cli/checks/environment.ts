// Checks of the Python side of a project: .venv, the sidecar in it, and the app's extension.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { venvPython } from "../../main/platform.js";
import { projectVenv } from "../venv.js";
import { isAtLeast, OLDEST_PYTHON, versionOf } from "../pythons.js";
import { type Finding, note, ok, problem } from "./finding.js";

const RENEW = "delete .venv and run `npx electron-sidecar init`, which makes it again";
const VERSION = "import sidecar; print(sidecar.__version__)";
const PYINSTALLER = "import PyInstaller; print(PyInstaller.__version__)";

/** The Python of .venv, if it runs, and how it is. */
export function checkVenv(): { finding: Finding; python?: string } {
  const venv = projectVenv();
  const python = venvPython(venv);
  if (!existsSync(venv)) {
    return { finding: problem(".venv is missing", "run `npx electron-sidecar init`, which makes it") };
  }
  const version = versionOf([resolve(python)]);
  if (version === undefined) {
    const why = existsSync(python)
      ? "cannot be run"
      : "is missing, or the Python that it was made of is gone";
    return { finding: problem(`the Python of .venv, ${python}, ${why}`, RENEW) };
  }
  if (!isAtLeast(version, OLDEST_PYTHON)) {
    return { finding: problem(`the Python of .venv is ${version}; ${OLDEST_PYTHON} is the oldest`, RENEW) };
  }
  const origin = placeOf(join(dirname(python), "sidecar"));
  if (origin !== undefined && origin !== realpathSync(venv)) {
    return { finding: problem(`.venv was made in another place, ${origin}, and moved`, RENEW) };
  }
  return { finding: ok(`${venv} with Python ${version}`), python: resolve(python) };
}

/** The environment for which a program of a .venv was written, by its first line; on Windows programs have none. */
function placeOf(program: string): string | undefined {
  if (!existsSync(program)) return undefined;
  // A long path or one with spaces is named in the second line, of a shell.
  const [, path] =
    /^(?:#!\/bin\/sh\n'''exec' )?(?:#!)?"?(\/[^"\n]*)\/bin\/python/.exec(readFileSync(program, "utf8")) ?? [];
  return path;
}

export function checkSidecar(python: string, bridge: string | undefined): Finding {
  const { status, stdout } = spawnSync(python, ["-c", VERSION], { encoding: "utf8" });
  const install = "run `npx electron-sidecar init`, which installs backend/requirements.txt";
  if (status !== 0) return problem("the Python package electron-sidecar is not in .venv", install);
  const version = stdout.trim();
  if (bridge === undefined || bridge === version) return ok(`Python package electron-sidecar ${version}`);
  return problem(
    `the Python package is electron-sidecar ${version}, and the npm package is ${bridge}`,
    `name the same version in package.json and backend/requirements.txt, then ${install}`,
  );
}

/** Whether the extension is imported, and whether what was generated of it is up to date. */
export function checkExtension(python: string, args: readonly string[]): Finding[] {
  const value = (name: string): string[] => args.filter((_, index) => args[index - 1] === name);
  const modules = value("--extension");
  const named = ["--extension", "--python-path"].flatMap((name) => value(name).flatMap((one) => [name, one]));
  const described = spawnSync(python, ["-m", "sidecar.extension", ...named], {
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  if (described.status !== 0) {
    const cause = described.stderr.trim().split("\n").at(-1) ?? "";
    return [
      problem(
        `the extension ${modules.join(", ")} cannot be loaded: ${cause}`,
        "correct it and run this again",
      ),
    ];
  }
  return [ok(`the extension ${modules.join(", ")} is loaded`), checkGenerated(args, value("--out")[0] ?? "")];
}

function checkGenerated(args: readonly string[], file: string): Finding {
  const [, cli = ""] = process.argv;
  const { status, stderr } = spawnSync(process.execPath, [cli, "generate", ...args, "--check"], {
    encoding: "utf8",
  });
  if (status === 0) return ok(`${file} is up to date`);
  return problem(
    stderr.trim().replace(/^electron-sidecar generate: |; run this again.*$/g, ""),
    "run `npm run generate`",
  );
}

export function checkFreezing(python: string): Finding {
  const { status, stdout } = spawnSync(python, ["-c", PYINSTALLER], { encoding: "utf8" });
  if (status === 0) return ok(`PyInstaller ${stdout.trim()} for \`electron-sidecar freeze\``);
  return note(
    "PyInstaller is not in .venv; freezing the sidecar for a packaged app needs it",
    "install the extra: electron-sidecar[freeze]",
  );
}
