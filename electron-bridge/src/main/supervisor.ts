// When a sidecar is started, watched, restarted and stopped: a state machine. It imports nothing of Node; launching,
// probing, time and chance are handed in, so that every transition can be tested without a process.
//
// Invariant: whenever the app wants a sidecar, there is a child that is not confirmed gone, or a pending restart
// timer, or the state is `failed` with the reason and the last lines of its log.

import { SidecarError } from "../shared/errors.js";
import type { Failure, Ready, Stage, Status } from "../shared/status.js";
import type { Child, ChildEvents, Exit } from "./child.js";
import { type Clock, Countdown, Timers } from "./clock.js";
import { type Cause, causeOf, failureError } from "./failure.js";
import { type Policy, RestartPolicy } from "./policy.js";
import type { StatusLine } from "./status-line.js";

export interface SupervisorParts {
  readonly policy: Policy;
  readonly clock: Clock;
  /** A number from 0 to below 1. */
  readonly random: () => number;
  readonly launch: (events: ChildEvents) => Child;
  /** Whether this very instance answers its health check. Never rejects. */
  readonly probe: (ready: Ready) => Promise<boolean>;
  readonly logTail: () => readonly string[];
  /** Must not call the supervisor back. */
  readonly changed: (status: Status) => void;
}

/** How a stop went. */
export interface StopReport {
  /** The mildest means that was enough. */
  readonly outcome: "not_running" | "graceful" | "terminated" | "killed";
  /** Whether nothing of the process tree is left. False only if the operating system did not remove it in time. */
  readonly confirmed: boolean;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly durationMs: number;
}

/** One launched process and what is known of it. */
interface Run {
  child: Child;
  ready?: { readonly value: Ready; readonly at: number };
  missedProbes: number;
  /** Its own account of why it fails. */
  lastWords?: Cause;
  /** Why the supervisor killed it; `final` if it is not to be started again. */
  verdict?: Cause & { readonly final: boolean };
}

interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: SidecarError) => void;
}

interface Stopping extends Deferred<StopReport> {
  readonly startedAt: number;
  outcome: StopReport["outcome"];
}

type TimerName = "startSilence" | "probe" | "restart" | "stop";

/** Stages whose time does not count against the start: they take as long as the data is large. */
const UNCOUNTED_STAGES: readonly string[] = ["migrating", "backing_up", "recovering"];

const STOPPED: Status = Object.freeze({
  state: "stopped",
  ready: null,
  stage: null,
  failure: null,
  restarts: 0,
});

const NOTHING_TO_STOP: StopReport = Object.freeze({
  outcome: "not_running",
  confirmed: true,
  exitCode: null,
  signal: null,
  durationMs: 0,
});

export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #restartPolicy: RestartPolicy;
  readonly #timers: Timers<TimerName>;
  /** For the whole start, whatever becomes of the processes that it takes. */
  readonly #startCountdown: Countdown;
  #status = STOPPED;
  #run: Run | undefined;
  /** There while the app wants a sidecar and it has not failed for good. */
  #wish: Deferred<Ready> | undefined;
  #stopping: Stopping | undefined;
  #suspended = false;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#timers = new Timers(parts.clock);
    this.#startCountdown = new Countdown(parts.clock, () => this.#onStartOverdue());
    this.#restartPolicy = new RestartPolicy(parts.policy, parts.random);
  }

  get status(): Status {
    return this.#status;
  }

  /** Resolves at the first `ready`; rejects if it fails for good or is stopped before. The same promise until then. */
  start(): Promise<Ready> {
    if (this.#wish) return this.#wish.promise;
    this.#wish = deferred<Ready>();
    const { promise } = this.#wish;
    this.#restartPolicy.forget();
    // A process that is being stopped comes first: when it is gone, the wish is looked at again.
    if (!this.#run) this.#begin();
    return promise;
  }

  /** Resolves when nothing of the process tree is left, or with what could not be confirmed. */
  stop(): Promise<StopReport> {
    this.#wish?.reject(new SidecarError("not_running", "The sidecar was stopped before it was ready."));
    this.#wish = undefined;
    if (this.#stopping) return this.#stopping.promise;
    this.#clearAllTimers();
    if (!this.#run) {
      if (this.#status.state !== "stopped") this.#become(STOPPED);
      return Promise.resolve(NOTHING_TO_STOP);
    }
    const stopping = { ...deferred<StopReport>(), startedAt: this.#parts.clock.now() };
    this.#stopping = { ...stopping, outcome: "graceful" };
    this.#become({ state: "stopping", ready: null, stage: null });
    if (this.#run.verdict) this.#stopByKilling(this.#run);
    else this.#stopGracefully(this.#run);
    return stopping.promise;
  }

  /** The machine is going to sleep: what happens until it wakes says nothing about the sidecar. */
  suspend(): void {
    this.#suspended = true;
  }

  resume(): void {
    this.#suspended = false;
    if (this.#run) this.#run.missedProbes = 0;
  }

  // Starting

  #begin(): void {
    this.#startCountdown.start(this.#parts.policy.startTotalMs);
    this.#launch({ failure: null, restarts: 0 });
  }

  #launch(change: Partial<Status>): void {
    this.#become({ ...change, state: "starting", stage: null });
    const whenCurrent =
      <Value>(handle: (run: Run, value: Value) => void) =>
      (value: Value): void => {
        if (run === this.#run) handle(run, value);
      };
    const child = this.#parts.launch({
      line: whenCurrent((current, line: StatusLine) => this.#onLine(current, line)),
      exited: whenCurrent((current, exit: Exit) => this.#onExited(current, exit)),
      gone: whenCurrent((current, exit: Exit) => this.#onGone(current, exit)),
    });
    const run: Run = { child, missedProbes: 0 };
    this.#run = run;
    this.#awaitStatusLine(run);
  }

  #awaitStatusLine(run: Run): void {
    const { startSilenceMs } = this.#parts.policy;
    this.#timers.set("startSilence", startSilenceMs, () => {
      const message = `The sidecar said nothing for ${seconds(startSilenceMs)} while it was starting.`;
      this.#condemn(run, { code: "start_timeout", message, final: false });
    });
  }

  #onStartOverdue(): void {
    const message = `The sidecar did not become ready within ${seconds(this.#parts.policy.startTotalMs)}.`;
    const cause = { code: "start_timeout", message };
    if (this.#run) this.#condemn(this.#run, { ...cause, final: true });
    else this.#fail(this.#failure(cause));
  }

  #onLine(run: Run, line: StatusLine): void {
    if (line.event === "failed") run.lastWords = { code: line.code, message: line.message };
    if (this.#status.state !== "starting" || run.verdict) return;
    if (line.event === "ready") return this.#onReady(run, line.ready);
    this.#awaitStatusLine(run);
    if (line.event === "stage") this.#onStage({ stage: line.stage, detail: line.detail });
  }

  #onStage(stage: Stage): void {
    if (UNCOUNTED_STAGES.includes(stage.stage)) this.#startCountdown.pause();
    else this.#startCountdown.run();
    this.#become({ stage });
  }

  #onReady(run: Run, ready: Ready): void {
    this.#clearAllTimers();
    run.ready = { value: ready, at: this.#parts.clock.now() };
    this.#become({ state: "ready", ready, stage: null, failure: null });
    this.#wish?.resolve(ready);
    this.#scheduleProbe(run, ready);
  }

  // Watching

  #scheduleProbe(run: Run, ready: Ready): void {
    this.#timers.set("probe", this.#parts.policy.probeIntervalMs, () => {
      this.#scheduleProbe(run, ready);
      if (!this.#suspended) void this.#probe(run, ready);
    });
  }

  async #probe(run: Run, ready: Ready): Promise<void> {
    const alive = await this.#parts.probe(ready);
    if (run !== this.#run || this.#status.state !== "ready" || this.#suspended) return;
    run.missedProbes = alive ? 0 : run.missedProbes + 1;
    if (run.missedProbes < this.#parts.policy.probeMisses) return;
    const message = `The sidecar missed ${run.missedProbes} health checks in a row.`;
    this.#become({ state: "unresponsive", ready: null });
    this.#condemn(run, { code: "sidecar_unresponsive", message, final: false });
  }

  #condemn(run: Run, verdict: NonNullable<Run["verdict"]>): void {
    this.#clearRunTimers();
    run.verdict = verdict;
    run.child.kill();
  }

  // Losing it

  #onExited(run: Run, exit: Exit): void {
    this.#clearRunTimers();
    if (this.#stopping) return this.#awaitConfirmation(exit);
    if (!run.ready) return;
    this.#become({
      state: "restarting",
      ready: null,
      failure: this.#failure(this.#causeOf(run, exit), exit),
    });
  }

  #onGone(run: Run, exit: Exit): void {
    this.#run = undefined;
    this.#clearRunTimers();
    if (this.#stopping) return this.#onStopped(exit);
    const now = this.#parts.clock.now();
    const cause = this.#causeOf(run, exit);
    const failure = this.#failure(cause, exit);
    if (run.verdict?.final || exit.spawnError?.permanent) return this.#fail(failure);
    const readyForMs = run.ready ? now - run.ready.at : 0;
    const action = this.#restartPolicy.afterCrash({ at: now, exitCode: exit.code, readyForMs });
    if (action.kind === "restart") {
      return this.#restartAfter(action.delayMs, failure, run.ready !== undefined);
    }
    if (action.why === "permanent") return this.#fail(failure);
    const { breakerCrashes, breakerWindowMs } = this.#parts.policy;
    const message = `The sidecar failed ${breakerCrashes} times within ${seconds(breakerWindowMs)}. ${cause.message}`;
    this.#fail({ ...failure, code: "crash_loop", message });
  }

  #restartAfter(delayMs: number, failure: Failure, wasReady: boolean): void {
    if (wasReady) this.#startCountdown.start(this.#parts.policy.startTotalMs);
    else this.#startCountdown.run();
    this.#become({ state: "restarting", ready: null, stage: null, failure });
    this.#timers.set("restart", delayMs, () => this.#launch({ restarts: this.#status.restarts + 1 }));
  }

  #fail(failure: Failure): void {
    this.#clearAllTimers();
    const wish = this.#wish;
    this.#wish = undefined;
    this.#become({ state: "failed", ready: null, stage: null, failure });
    wish?.reject(failureError(failure));
  }

  #causeOf(run: Run, exit: Exit): Cause {
    return run.verdict ?? run.lastWords ?? causeOf(exit);
  }

  #failure(cause: Cause, exit?: Exit): Failure {
    return Object.freeze({
      code: cause.code,
      message: cause.message,
      exitCode: exit?.code ?? null,
      signal: exit?.signal ?? null,
      logTail: Object.freeze([...this.#parts.logTail()]),
    });
  }

  // Stopping

  #stopGracefully(run: Run): void {
    run.child.shutdown();
    this.#timers.set("stop", this.#parts.policy.stopGraceMs, () => this.#stopByTerminating(run));
  }

  #stopByTerminating(run: Run): void {
    this.#noteOutcome("terminated");
    run.child.terminate();
    this.#timers.set("stop", this.#parts.policy.stopTerminateMs, () => this.#stopByKilling(run));
  }

  #stopByKilling(run: Run): void {
    this.#noteOutcome("killed");
    run.child.kill();
    this.#awaitConfirmation({ code: null, signal: null });
  }

  #awaitConfirmation(exit: Exit): void {
    this.#timers.set("stop", this.#parts.policy.stopConfirmMs, () => this.#report(exit, false));
  }

  #noteOutcome(outcome: StopReport["outcome"]): void {
    if (this.#stopping) this.#stopping.outcome = outcome;
  }

  #onStopped(exit: Exit): void {
    this.#report(exit, true);
    this.#stopping = undefined;
    if (this.#wish) this.#begin();
    else this.#become(STOPPED);
  }

  #report(exit: Exit, confirmed: boolean): void {
    if (!this.#stopping) return;
    const { resolve, outcome, startedAt } = this.#stopping;
    const durationMs = this.#parts.clock.now() - startedAt;
    resolve({ outcome, confirmed, exitCode: exit.code, signal: exit.signal, durationMs });
  }

  // Timers and status

  /** Those of one process. */
  #clearRunTimers(): void {
    this.#timers.clear("startSilence", "probe", "stop");
  }

  #clearAllTimers(): void {
    this.#timers.clearAll();
    this.#startCountdown.pause();
  }

  #become(change: Partial<Status>): void {
    this.#status = Object.freeze({ ...this.#status, ...change });
    this.#parts.changed(this.#status);
  }
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

function deferred<Value>(): Deferred<Value> {
  const parts = {} as { -readonly [Name in keyof Deferred<Value>]: Deferred<Value>[Name] };
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}
