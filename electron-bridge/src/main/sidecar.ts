// The Sidecar: what an app's main process makes one of. It wires the supervisor to a process, a clock and the calls.

import { randomBytes } from "node:crypto";
import { isAbsolute } from "node:path";
import { SidecarError } from "../shared/errors.js";
import type { Notice } from "../shared/events.js";
import type { CallArguments, CallResult, OperationId } from "../shared/operations.js";
import type { Ready, Status } from "../shared/status.js";
import { type CallOptions, Calls } from "./calls.js";
import type { Child, ChildEvents } from "./child.js";
import { AwakeClock, systemClock } from "./clock.js";
import { sidecarEnvironment } from "./environment.js";
import { failureError } from "./failure.js";
import { HalfCharacters } from "./half-characters.js";
import { isAlive } from "./health.js";
import { Events, type NoticesListener } from "./events.js";
import { HttpClient } from "./http-client.js";
import { definePolicy, type Policy } from "./policy.js";
import { launchProcess } from "./process.js";
import type { StopReport } from "./stopping.js";
import { Supervisor } from "./supervisor.js";
import { History, type SupportBundle } from "./support-bundle.js";

const PROTOCOL = 1;
const TOKEN_BYTES = 32;

export interface SidecarOptions {
  /** The program: a Python, or the frozen sidecar. Never run through a shell. */
  readonly command: string;
  /** What comes before `serve --host-pipe`, such as `-m sidecar`. */
  readonly args?: readonly string[];
  /** The absolute path of the data directory. One sidecar at a time can have it. */
  readonly dataDir: string;
  /** Settings that take precedence over the sidecar's own files. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Environment variables on top of the app's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly policy?: Partial<Policy>;
}

export interface SidecarEvents {
  /** Every change of the status, in order. */
  status: Status;
  /** Every line of the sidecar's log, without its line ending. */
  log: string;
}

type Listener<Name extends keyof SidecarEvents> = (value: SidecarEvents[Name]) => void;

export class Sidecar {
  readonly #options: SidecarOptions;
  /** Every number by which this one decides. @internal */
  readonly policy: Policy;
  readonly #clock = new AwakeClock(systemClock);
  readonly #history = new History();
  readonly #supervisor: Supervisor;
  readonly #calls: Calls;
  readonly #halfCharacters: HalfCharacters;
  readonly #events: Events;
  readonly #listeners = { status: new Set<Listener<"status">>(), log: new Set<Listener<"log">>() };
  #cancelSleepNotice: (() => void) | undefined;
  #logTail: string[] = [];
  #token = "";
  #client: HttpClient | undefined;

  /** @throws SidecarError `invalid_configuration` */
  constructor(options: SidecarOptions) {
    if (!isAbsolute(options.dataDir)) {
      throw new SidecarError(
        "invalid_configuration",
        `dataDir must be an absolute path, not '${options.dataDir}'.`,
      );
    }
    this.#options = { ...options };
    this.policy = definePolicy(options.policy);
    this.#calls = new Calls(this.policy, this.#clock);
    this.#halfCharacters = new HalfCharacters((...call) => this.#calls.call(...call));
    this.#events = new Events(this.policy);
    this.#supervisor = new Supervisor({
      policy: this.policy,
      clock: this.#clock,
      random: Math.random,
      launch: (events) => this.#launch(events),
      probe: (ready) => isAlive(ready, this.policy.probeTimeoutMs, this.#clock),
      logTail: () => this.#logTail,
      changed: (status) => this.#onStatus(status),
    });
  }

  /** What is known of the sidecar now: an immutable snapshot. */
  get status(): Status {
    return this.#supervisor.status;
  }

  /**
   * Starts the sidecar and keeps it running until `stop()`. Called again, the same promise.
   *
   * @throws SidecarError why it failed for good, or `not_running` if it was stopped before it was ready
   */
  start(): Promise<Ready> {
    this.resume();
    return this.#supervisor.start();
  }

  /**
   * Stops the sidecar, at any time. Resolves, always, with what was confirmed of its end: if `confirmed`, nothing of its
   * process tree is left, and its program and its data directory may be replaced.
   */
  async stop(): Promise<StopReport> {
    this.resume();
    const report = await this.#supervisor.stop();
    this.#history.noteStop(report);
    // In a later task, even when nothing ran: Electron ignores app.quit() while it still handles `will-quit`.
    await new Promise((resolve) => setImmediate(resolve));
    return report;
  }

  /**
   * The machine is going to sleep: until `resume()` no time passes for starts, health checks and calls. `watchPower`
   * calls both. A machine that goes on running without a word counts as awake after a while.
   */
  suspend(): void {
    // Nothing is to be judged any more, and whoever waits for the end shall not wait longer.
    if (this.status.state === "stopping") return;
    this.#cancelSleepNotice?.();
    this.#cancelSleepNotice = systemClock.after(this.policy.sleepNoticeMs, () => this.resume());
    this.#supervisor.suspend();
    this.#clock.suspend();
  }

  resume(): void {
    this.#cancelSleepNotice?.();
    this.#supervisor.resume();
    this.#clock.resume();
  }

  /**
   * What somebody who was not there needs to know: what happened to the sidecar and when, why it ended, versions, its
   * health if it answers, and the end of its log. Plain data for JSON, without tokens and the name of the home directory.
   */
  async supportBundle(): Promise<SupportBundle> {
    const { status } = this;
    const health = status.ready && (await this.#health());
    return this.#history.bundle({ status, health, logTail: this.#logTail });
  }

  /**
   * Calls an operation. Waits for a sidecar that is starting or restarting, and sends again what a crash left
   * unanswered: reads, and writes by their idempotency key.
   *
   * @throws SidecarError what the sidecar answered, or one of the bridge's own codes
   */
  async call<Id extends OperationId>(
    operation: Id,
    ...[input, options]: CallArguments<Id, CallOptions>
  ): Promise<CallResult<Id>> {
    return (await this.#halfCharacters.call(operation, input, options ?? {})) as CallResult<Id>;
  }

  /**
   * Calls the listener with every live event of these topics. The first notice is a reset, as soon as the sidecar
   * answers: read then what you need, and again at every later one. Returns a function that ends this.
   *
   * @throws SidecarError `invalid_call`
   */
  subscribe(topics: readonly string[], listener: (notice: Notice) => void): () => void {
    return this.subscribeBatches(topics, (notices) => notices.forEach((notice) => listener(notice)));
  }

  /** As `subscribe`, with all that came at one time together. For what pages subscribe to. @internal */
  subscribeBatches(topics: unknown, listener: NoticesListener): () => void {
    return this.#events.subscribe(topics, listener);
  }

  /** Milliseconds of the time that counts for calls: it stands still while the machine sleeps. @internal */
  now(): number {
    return this.#clock.now();
  }

  /** Calls the listener on every event of that name; returns a function that ends this. */
  on<Name extends keyof SidecarEvents>(name: Name, listener: Listener<Name>): () => void {
    const listeners = this.#listeners[name] as Set<Listener<Name>>;
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  #launch(events: ChildEvents): Child {
    const { command, args = [], dataDir, settings, env = {} } = this.#options;
    this.#token = randomBytes(TOKEN_BYTES).toString("hex");
    this.#logTail = [];
    return launchProcess(
      {
        command,
        args,
        env: sidecarEnvironment(process.env, env),
        bootstrap: {
          protocol: PROTOCOL,
          token: this.#token,
          data_dir: dataDir,
          ...(settings && { settings }),
        },
        onLog: (line) => this.#onLog(line),
      },
      events,
    );
  }

  /** As the sidecar tells it, or the code of the error why it does not. */
  async #health(): Promise<unknown> {
    try {
      return await this.call("health.ready", {}, { timeoutMs: this.policy.probeTimeoutMs });
    } catch (error) {
      return { error: error instanceof SidecarError ? error.code : String(error) };
    }
  }

  #onStatus(status: Status): void {
    this.#history.note(status);
    this.#admitCalls(status);
    this.#emit("status", status);
  }

  #admitCalls({ state, ready, failure }: Status): void {
    if (ready) {
      this.#client?.close();
      this.#client = new HttpClient(ready.port, this.#token);
      this.#calls.open(this.#client);
      this.#events.open({ port: ready.port, token: this.#token });
      return;
    }
    this.#events.close();
    if (state === "failed" && failure) {
      this.#calls.refuse(failureError(failure));
    } else if (state === "stopping" || state === "stopped") {
      // While it is stopping, it still answers what was sent before.
      if (state === "stopped") this.#client?.close();
      this.#calls.refuse(new SidecarError("not_running", "The app has stopped the sidecar."));
    } else {
      this.#calls.hold();
    }
  }

  #onLog(line: string): void {
    this.#logTail.push(line);
    if (this.#logTail.length > this.policy.logTailLines) this.#logTail.shift();
    this.#emit("log", line);
  }

  /** Later, though in order: what a listener does, be it stop() or an error, must not happen amid a transition. */
  #emit<Name extends keyof SidecarEvents>(name: Name, value: SidecarEvents[Name]): void {
    const listeners = this.#listeners[name] as Set<Listener<Name>>;
    for (const listener of listeners) {
      queueMicrotask(() => {
        if (listeners.has(listener)) listener(value);
      });
    }
  }
}
