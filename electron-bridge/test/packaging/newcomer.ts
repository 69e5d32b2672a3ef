// A person with an empty folder, who types what the page says, and uses the app that results.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { _electron, type ElectronApplication, type Page } from "playwright-core";
import { onTestFailed, onTestFinished } from "vitest";
import manifest from "../../package.json";

export const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
const { version } = manifest;
const DIST = join(REPOSITORY, "dist");
const WINDOW_WITHIN_MS = 120_000;
const QUIT_WITHIN_MS = 20_000;

/** A built package, by the beginning of its file's name. */
export function built(start: string, end: string): string {
  const found = readdirSync(DIST).find((name) => name === `${start}${version}${end}`);
  if (found === undefined) throw new Error(`dist has no ${start}${version}${end}; run ./scripts/build first`);
  return join(DIST, found);
}

/** The commands of the page's section, which lead from an empty folder to a running app and to a packaged one. */
export function commandsOfThePage(): { start: string[]; package: string[] } {
  const page = readFileSync(join(REPOSITORY, "README.md"), "utf8");
  const section = /^## Start\n(.*?)^## /ms.exec(page)?.[1] ?? "";
  const [start = [], packaging = []] = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = ""]) =>
    text
      .trim()
      .split("\n")
      .map((line) => line.replace(/\s+#.*$/, "")),
  );
  return { start, package: packaging };
}

export class Newcomer {
  folder: string;
  readonly #home: string;
  readonly #environment: Record<string, string>;
  #log = "";

  /** @param programs a folder with programs that are found before the machine's own */
  constructor(registry: string, programs?: string) {
    this.#home = temporaryFolder();
    this.folder = join(this.#home, "Ordner für Äpfel");
    this.#environment = environment(registry, this.#home, programs);
    onTestFailed(() => console.error(`── what was written\n${this.#log}`));
  }

  /** Types a command, to its end; resolves with what it wrote. `cd` stays in effect. */
  async type(command: string): Promise<string> {
    const [, target] = /^cd (\S+)$/.exec(command) ?? [];
    if (target !== undefined) {
      this.folder = join(this.folder, target);
      return "";
    }
    const child = this.#spawn(command);
    const before = this.#log.length;
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    if (code !== 0) throw new Error(`\`${command}\` ended with ${String(code ?? signal)}`);
    return this.#log.slice(before);
  }

  /** Types a command that opens the app's window. Arguments go through it to Electron, as `npm start -- --flag` does. */
  async open(command: string): Promise<OpenApp> {
    const script = join(this.#home, "typed");
    writeFileSync(script, `#!/bin/sh\nexec ${command} ${command.startsWith("npm ") ? "-- " : ""}"$@"\n`, {
      mode: 0o755,
    });
    this.#log += `$ ${command}\n`;
    const electron = await _electron.launch({
      executablePath: script,
      args: process.env["ELECTRON_DISABLE_GPU"] ? ["--disable-gpu"] : [],
      chromiumSandbox: !process.env["ELECTRON_NO_SANDBOX"],
      cwd: this.folder,
      env: this.#environment,
      timeout: WINDOW_WITHIN_MS,
    });
    onTestFinished(() => electron.close());
    const child = electron.process();
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
    }
    return new OpenApp(electron, await electron.firstWindow(), once(child, "exit") as OpenApp["exited"]);
  }

  /**
   * Has the app packaged with the Electron of this machine, where none can be downloaded, and with Node's inspector,
   * which Playwright needs. `BARE_ELECTRON` is a folder with that Electron as packagers want it.
   */
  async packageWithElectronOfThisMachine(): Promise<void> {
    const bare = process.env["BARE_ELECTRON"] ?? "";
    const { devDependencies } = manifest;
    await this.type(`npm install --save-dev --ignore-scripts electron@${devDependencies.electron}`);
    this.#environment["PACKAGE_FOR_TESTS"] = "1";
    const here = existsSync(join(this.folder, "forge.config.js"))
      ? [
          "forge.config.js",
          `module.exports.packagerConfig.electronZipDir = ${JSON.stringify(join(bare, "zip"))};\n`,
        ]
      : ["electron-builder.js", `module.exports.electronDist = ${JSON.stringify(join(bare, "dist"))};\n`];
    appendFileSync(join(this.folder, here[0] ?? ""), here[1] ?? "");
  }

  /** The command that starts the packaged app. */
  packagedProgram(): string {
    const [builder, forge] = [
      join("release", "linux-unpacked", "my-app"),
      join("out", "My App-linux-x64", "My App"),
    ];
    return `"./${existsSync(join(this.folder, builder)) ? builder : forge}"`;
  }

  #spawn(command: string): ChildProcess {
    this.#log += `$ ${command}\n`;
    const child = spawn(command, {
      cwd: this.folder,
      env: this.#environment,
      shell: true,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
    }
    return child;
  }
}

/** The app, with its window open. */
export class OpenApp {
  constructor(
    readonly electron: ElectronApplication,
    readonly page: Page,
    readonly exited: Promise<[number | null, string | null]>,
  ) {}

  /** Stores a row by the app's own operation; resolves when the list shows it. */
  async addNote(text: string): Promise<void> {
    await this.page.getByLabel("Note").fill(text);
    await this.page.getByRole("button", { name: "Add" }).click();
    await this.noteShown(text);
  }

  async noteShown(text: string): Promise<void> {
    await this.page.getByText(text, { exact: true }).waitFor({ timeout: WINDOW_WITHIN_MS });
  }

  /** Closes the window, which quits the app; resolves with its exit code. */
  async quit(): Promise<number | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`the app did not quit in ${QUIT_WITHIN_MS} ms`)),
        QUIT_WITHIN_MS,
      );
    });
    await this.electron.evaluate(({ BrowserWindow }) => {
      for (const window of BrowserWindow.getAllWindows()) setTimeout(() => window.close(), 0);
    });
    const [code] = await Promise.race([this.exited, late]);
    clearTimeout(timer);
    return code;
  }
}

/** Warm caches stand for a fast network, so that what is measured is the work. */
function environment(registry: string, home: string, programs?: string): Record<string, string> {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|SIDECAR_|VITEST|NODE_|PYTHON)/i.test(name),
  );
  const env = Object.fromEntries(own) as Record<string, string>;
  const hidden = [join(REPOSITORY, ".venv"), join("node_modules", ".bin")];
  const path = (env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => !hidden.some((part) => folder.includes(part)));
  return {
    ...env,
    PATH: [...(programs === undefined ? [] : [programs]), ...path].join(delimiter),
    npm_config_registry: registry,
    npm_config_cache: npmCache(home),
    npm_config_prefer_offline: "true",
    npm_config_yes: "true",
    PIP_FIND_LINKS: [DIST, env["PIP_FIND_LINKS"]].filter((one) => one !== undefined).join(" "),
    ELECTRON_SKIP_BINARY_DOWNLOAD: "1",
    // Electron keeps the app's data there, on Linux.
    XDG_CONFIG_HOME: join(home, "config"),
  };
}

/** npm's cache as it is, without the packages that `npm create` installed before: they may be older builds. */
function npmCache(home: string): string {
  const [cache, shared] = [
    join(home, "npm"),
    execFileSync("npm", ["config", "get", "cache"], { encoding: "utf8" }),
  ];
  mkdirSync(join(shared.trim(), "_cacache"), { recursive: true });
  mkdirSync(cache);
  symlinkSync(join(shared.trim(), "_cacache"), join(cache, "_cacache"), "junction");
  return cache;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "electron-sidecar-newcomer-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
