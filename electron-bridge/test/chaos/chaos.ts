// What every scenario of the suite needs: a place of its own with a census, and hosts under load.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { expect, onTestFailed, onTestFinished } from "vitest";
import { type Policy, Sidecar, type SidecarOptions } from "../../dist/main.mjs";
import { until } from "../support.js";
import type { Acknowledged, Line } from "./acknowledged.js";

const REPOSITORY = join(__dirname, "..", "..", "..");
const PYTHON = join(REPOSITORY, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
const CENSUS = join(REPOSITORY, "scripts", "census.py");
const GONE_WITHIN_SECONDS = 2;

/** Restarts at once, and however often: what is tested is that nothing is lost, not when to give up. */
export const TIRELESS: Partial<Policy> = {
  restartFirstMs: 50,
  restartMaxMs: 50,
  restartJitter: 0,
  stableMs: 0,
  breakerCrashes: 1_000_000,
};

/** A data directory, and a text that is in the environment of every process of one scenario. */
export class Scene {
  readonly dataDir = mkdtempSync(join(tmpdir(), "chaos-"));
  readonly run = basename(this.dataDir);

  constructor() {
    onTestFinished(async () => {
      await this.nothingIsLeft();
      rmSync(this.dataDir, { recursive: true, force: true });
    });
  }

  options({ policy, env, ...rest }: Partial<SidecarOptions> = {}): SidecarOptions {
    return {
      command: PYTHON,
      args: ["-m", "sidecar"],
      dataDir: this.dataDir,
      ...rest,
      env: { CHAOS_RUN: this.run, ...env },
      policy: { ...TIRELESS, ...policy },
    };
  }

  /** A Sidecar in this process, stopped when the test ends. */
  sidecar(options: Partial<SidecarOptions> = {}): Sidecar {
    const sidecar = new Sidecar(this.options(options));
    onTestFinished(async () => {
      await sidecar.stop();
    });
    return sidecar;
  }

  /** Nothing of this scenario runs any more, or will within 2 s. */
  async nothingIsLeft(): Promise<void> {
    const words = [CENSUS, this.run, "--within", String(GONE_WITHIN_SECONDS)];
    const { stdout } = await promisify(execFile)(PYTHON, words);
    expect(stdout).toBe("");
  }
}

/** A process of its own with a sidecar under load, and the record of what that was told was done. */
export class Host {
  static #count = 0;

  readonly name = `host${++Host.#count}`;
  readonly process: ChildProcess;
  readonly record: Acknowledged;
  #status: Line = { type: "status", state: "stopped", pid: null };
  #end: Line | undefined;
  #calls = 0;
  #log: string[] = [];

  constructor(
    scene: Scene,
    record: Acknowledged,
    random: () => number,
    options: Partial<SidecarOptions> = {},
  ) {
    this.record = record;
    const words = { name: this.name, seed: Math.floor(random() * 2 ** 32), sidecar: scene.options(options) };
    this.process = spawn(process.execPath, [join(__dirname, "host.mjs"), JSON.stringify(words)], {
      env: { ...process.env, CHAOS_RUN: scene.run },
      stdio: "pipe",
    });
    this.process.on("close", () => this.#take({ type: "status", state: "gone", pid: null }));
    onTestFinished(() => void this.process.kill("SIGKILL"));
    onTestFailed(() => console.error(`── the log of ${this.name}\n${this.#log.join("\n")}`));
    if (this.process.stdout) {
      createInterface({ input: this.process.stdout }).on("line", (text) =>
        this.#take(JSON.parse(text) as Line),
      );
    }
    if (this.process.stderr) {
      createInterface({ input: this.process.stderr }).on("line", (text) => {
        this.#log.push(text);
        if (this.#log.length > 100) this.#log.shift();
      });
    }
  }

  /** Resolves with the pid of a sidecar that is ready. */
  async ready(): Promise<number> {
    while (this.state !== "ready") await this.change();
    return Number(this.#status["pid"]);
  }

  /** Resolves at the next change of the status; fails when there is none, or when the host ends by itself. */
  async change(withinMs = 20_000): Promise<void> {
    const before = this.#status;
    await until(() => this.#status !== before, `${this.name}, ${this.state}, to change`, withinMs);
    if (this.state === "gone") throw new Error(`${this.name} ended by itself`);
  }

  /** Kills the process that it has started, ready or not; false where there is none, or none can be found. */
  killChild(): boolean {
    try {
      const { pid } = this.process;
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
      const child = Number(children[0]);
      return child > 0 && process.kill(child, "SIGKILL");
    } catch {
      return false;
    }
  }

  get state(): string {
    return String(this.#status["state"]);
  }

  /** Ends the load, waits for what is under way, stops the sidecar; returns the number of calls. */
  async finish(): Promise<number> {
    const exited = new Promise((resolve) => this.process.once("close", resolve));
    this.process.stdin?.write("finish\n");
    await exited;
    expect(this.#end?.["stop"]).toMatchObject({ confirmed: true });
    return this.#calls;
  }

  /** Resolves when it is gone and what it said has been read. */
  async kill(): Promise<void> {
    const exited = new Promise((resolve) => this.process.once("close", resolve));
    this.process.kill("SIGKILL");
    await exited;
  }

  #take(line: Line): void {
    if (line.type === "status") this.#status = line;
    else if (line.type === "end") this.#end = line;
    else if (line.type === "calls") this.#calls = Number(line["count"]);
    else this.record.take(line);
  }
}
