// The Sidecar: what an app's main process makes one of. It wires the supervisor to a process, a clock and the calls.

import { randomBytes } from "node:crypto";
import { isAbsolute } from "node:path";
import { SidecarError } from "../shared/errors.js";
import type { Notice } from "../shared/events.js";
import type { CallArguments, CallResult, OperationId } from "../shared/operations.js";
import type { Ready, Status } from "../shared/status.js";
import { type CallOptions, Calls } from "./calls.js";
import type { Child, ChildEvents } from "./child.js";
import { systemClock } from "./clock.js";
import { sidecarEnvironment } from "./environment.js";
import { failureError } from "./failure.js";
import { isAlive } from "./health.js";
import { Events, type NoticesListener } from "./events.js";
import { HttpClient } from "./http-client.js";
import { definePolicy, type Policy } from "./policy.js";
import { launchProcess } from "./process.js";
import { type StopReport, Supervisor } from "./supervisor.js";

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
  readonly #policy: Policy;
  readonly #supervisor: Supervisor;
  readonly #calls: Calls;
  readonly #events: Events;
  readonly #listeners = { status: new Set<Listener<"status">>(), log: new Set<Listener<"log">>() };
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
    this.#policy = definePolicy(options.policy);
    this.#calls = new Calls(this.#policy);
    this.#events = new Events(this.#policy);
    this.#supervisor = new Supervisor({
      policy: this.#policy,
      clock: systemClock,
      random: Math.random,
      launch: (events) => this.#launch(events),
      probe: (ready) => isAlive(ready, this.#policy.probeTimeoutMs),
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
    return this.#supervisor.start();
  }

  /** Stops the sidecar, at any time. Resolves, always, with what was confirmed of its end. */
  async stop(): Promise<StopReport> {
    const report = await this.#supervisor.stop();
    // In a later task, even when nothing ran: Electron ignores app.quit() while it still handles `will-quit`.
    await new Promise((resolve) => setImmediate(resolve));
    return report;
  }

  /** For the app's `powerMonitor`: between the two, a missed health check says nothing about the sidecar. */
  suspend(): void {
    this.#supervisor.suspend();
  }

  resume(): void {
    this.#supervisor.resume();
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
    return (await this.#calls.call(operation, input, options ?? {})) as CallResult<Id>;
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

  #onStatus(status: Status): void {
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
    if (this.#logTail.length > this.#policy.logTailLines) this.#logTail.shift();
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
