// The Sidecar of an app's main process. It wires the supervisor to a process, a clock and the calls.

import { randomBytes } from "node:crypto";
import { SidecarError } from "../shared/errors.js";
import { createClient, type SidecarClient } from "../shared/client.js";
import { type Ready, type Snapshot, statusOf, type Warning } from "../shared/status.js";
import { type CallOptions, Calls } from "./calls/calls.js";
import type { Child, ChildEvents } from "./child/child.js";
import { AwakeClock, systemClock } from "./supervision/clock.js";
import { isPackaged } from "./child/environment.js";
import { developmentPolicy, watchedFolders } from "./development/options.js";
import { PythonFiles } from "./development/python-files.js";
import { failureError } from "./supervision/failure.js";
import { HalfCharacters } from "./calls/half-characters.js";
import { isAlive } from "./supervision/health.js";
import { Events, type NoticesListener } from "./events/events.js";
import { HttpClient } from "./calls/http-client.js";
import { buildRequest, topicsOf } from "./calls/http-request.js";
import { builtInOperations, type OperationTable } from "../shared/operations.js";
import { definePolicy, type Policy } from "./supervision/policy.js";
import { launchFound } from "./child/finding.js";
import { bootstrapOf, checkOptions, environmentOf, type SidecarOptions } from "./options.js";
import type { StopReport } from "./supervision/stopping.js";
import { Supervisor } from "./supervision/supervisor.js";
import { History, type SupportBundle } from "./supervision/support-bundle.js";

const TOKEN_BYTES = 32;

export interface SidecarEvents {
  /** Every change of the snapshot, in order. */
  snapshot: Snapshot;
  /** Every line of the sidecar's log, without its line ending. */
  log: string;
  /** The sidecar runs, but something should be seen to. A warning that nobody listens to goes to the console. */
  warning: Warning;
}

type Listener<Name extends keyof SidecarEvents> = (value: SidecarEvents[Name]) => void;

/** The namespaces of the app's extensions; undefined where it has some and does not say what they offer. */
function namespacesOf({ operations, extensions }: SidecarOptions): ReadonlySet<string> | undefined {
  if (operations === undefined && extensions !== undefined) return undefined;
  return new Set(Object.keys(operations ?? {}).map((id) => id.split(".")[0] ?? ""));
}

/** Asks on a connection of its own, so that no queue of calls delays the answer. */
async function askHealth(ready: Ready, signal: AbortSignal): Promise<unknown> {
  const client = new HttpClient(ready.port);
  try {
    return await client.send(buildRequest("health.live"), signal);
  } finally {
    client.close();
  }
}

// eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-unsafe-declaration-merging -- the constructor adds the client's members
export interface Sidecar extends SidecarClient<CallOptions> {}

/** The sidecar of an app: started, watched and stopped by it. Its other members are the same in a page. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- the same
export class Sidecar {
  readonly #options: SidecarOptions;
  /** The numbers by which this sidecar is supervised. @internal */
  readonly policy: Policy;
  /** The operations that it has, as far as this side knows. @internal */
  readonly operations: OperationTable;
  readonly #clock = new AwakeClock(systemClock);
  readonly #history = new History();
  readonly #supervisor: Supervisor;
  readonly #calls: Calls;
  readonly #halfCharacters: HalfCharacters;
  readonly #events: Events;
  readonly #listeners = {
    snapshot: new Set<Listener<"snapshot">>(),
    log: new Set<Listener<"log">>(),
    warning: new Set<Listener<"warning">>(),
  };
  readonly #pythonFiles: PythonFiles;
  #cancelSleepNotice: (() => void) | undefined;
  #logTail: string[] = [];
  #token = "";
  #client: HttpClient | undefined;

  /** @throws SidecarError `invalid_configuration` */
  constructor(options: SidecarOptions) {
    checkOptions(options);
    this.#options = { ...options };
    this.policy = definePolicy({ ...developmentPolicy(options.dev), ...options.policy });
    this.#pythonFiles = new PythonFiles(options.dev ? watchedFolders(options.dev, isPackaged()) : [], {
      changed: (file) => this.#reload(file),
      failed: (message) => this.#emit("log", message),
    });
    this.operations = { ...options.operations, ...builtInOperations };
    this.#calls = new Calls(this.policy, this.#clock, this.operations);
    this.#halfCharacters = new HalfCharacters((...call) => this.#calls.call(...call));
    this.#events = new Events(this.policy, namespacesOf(options));
    const client = createClient<CallOptions>(
      {
        call: (operation, input, callOptions = {}, asJob) =>
          asJob === true
            ? this.#calls.call(operation, input, callOptions, asJob)
            : this.#halfCharacters.call(operation, input, callOptions),
        status: () => Promise.resolve(statusOf(this.snapshot)),
        onStatus: (listener) => this.on("snapshot", (snapshot) => listener(statusOf(snapshot))),
        topics: (operation) => this.#topics(operation),
        subscribe: (topics, listener) => ({
          stop: this.subscribeBatches(topics, listener),
          accepted: Promise.resolve(),
        }),
      },
      this.operations,
    );
    Object.assign(this, client);
    this.#supervisor = new Supervisor({
      policy: this.policy,
      clock: this.#clock,
      random: Math.random,
      launch: (events) => this.#launch(events),
      probe: (ready) => isAlive(ready, this.policy.probeTimeoutMs, this.#clock, askHealth),
      logTail: () => this.#logTail,
      changed: (status) => this.#onStatus(status),
    });
  }

  /** All that is known of the sidecar now, process and log included: an immutable snapshot. */
  get snapshot(): Snapshot {
    return this.#supervisor.status;
  }

  /**
   * Starts the sidecar and keeps it running until `stop()`. Called again, the same promise.
   *
   * @throws SidecarError why it failed for good, or `not_running` if it was stopped before it was ready
   */
  start(): Promise<Ready> {
    this.resume();
    this.#pythonFiles.watch();
    return this.#supervisor.start();
  }

  /**
   * Stops the sidecar, at any time. Resolves, always, with what was confirmed of its end: if `confirmed`, nothing of its
   * process tree is left, and its program and its data directory may be replaced.
   */
  async stop(): Promise<StopReport> {
    this.resume();
    this.#pythonFiles.unwatch();
    const report = await this.#supervisor.stop();
    this.#history.noteStop(report);
    // In a later task, even when nothing ran: Electron ignores app.quit() while it still handles `will-quit`.
    await new Promise((resolve) => setImmediate(resolve));
    return report;
  }

  /**
   * Stops the time of starts, health checks and calls until `resume()`, because the machine is going to sleep.
   * `watchPower` calls both. A machine that keeps running for a while without a `resume()` counts as awake.
   */
  suspend(): void {
    // A stopping sidecar is not supervised any more, and its stop must not take longer.
    if (this.snapshot.state === "stopping") return;
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
   * Resolves with a report for support: what happened to the sidecar and when, why it ended, versions, its health if it
   * answers, and the end of its log. Plain data for JSON, without tokens and the name of the home directory.
   */
  async supportBundle(): Promise<SupportBundle> {
    const status = this.snapshot;
    const health = status.ready && (await this.#health());
    return this.#history.bundle({ status, health, logTail: this.#logTail });
  }

  /** As `events.subscribe`, with all notices that came at one time together: for pages. @internal */
  subscribeBatches(topics: unknown, listener: NoticesListener): () => void {
    return this.#events.subscribe(topics, listener);
  }

  /** Milliseconds on the clock of calls, which stands still while the machine sleeps. @internal */
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
    this.#token = randomBytes(TOKEN_BYTES).toString("hex");
    this.#logTail = [];
    const env = environmentOf(this.#options);
    const bootstrap = bootstrapOf(this.#options, this.#token);
    const onLog = (line: string): void => this.#onLog(line);
    return launchFound(
      this.#options,
      { env, bootstrap, onLog },
      {
        ...events,
        line: (line) => {
          if (line.event === "warning") this.warn({ code: line.code, message: line.message });
          events.line(line);
        },
      },
    );
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- an operation that has none rejects, as in a page
  async #topics(operation: string): Promise<readonly string[]> {
    return topicsOf(this.operations, operation);
  }

  #reload(file: string): void {
    this.#emit("log", `The sidecar is started again, because ${file} has changed.`);
    this.#supervisor.reload();
  }

  /** The health that the sidecar reports, or the code of the error why it does not. */
  async #health(): Promise<unknown> {
    try {
      return await this.call("health.ready", {}, { timeoutMs: this.policy.probeTimeoutMs });
    } catch (error) {
      return { error: error instanceof SidecarError ? error.code : String(error) };
    }
  }

  #onStatus(status: Snapshot): void {
    this.#history.note(status);
    this.#admitCalls(status);
    this.#emit("snapshot", status);
  }

  #admitCalls({ state, ready, failure }: Snapshot): void {
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
      this.#calls.refuse(
        new SidecarError("not_running", "The app has stopped the sidecar; start() starts it again."),
      );
    } else {
      this.#calls.hold();
    }
  }

  #onLog(line: string): void {
    this.#logTail.push(line);
    if (this.#logTail.length > this.policy.logTailLines) this.#logTail.shift();
    this.#emit("log", line);
  }

  /** Emits the warning. @internal */
  warn(warning: Warning): void {
    if (this.#listeners.warning.size === 0) console.warn(`electron-sidecar: ${warning.message}`);
    this.#emit("warning", warning);
  }

  /** Calls the listeners in a microtask, in order: a listener that throws or stops must not interrupt a transition. */
  #emit<Name extends keyof SidecarEvents>(name: Name, value: SidecarEvents[Name]): void {
    const listeners = this.#listeners[name] as Set<Listener<Name>>;
    for (const listener of listeners) {
      queueMicrotask(() => {
        if (listeners.has(listener)) listener(value);
      });
    }
  }
}
