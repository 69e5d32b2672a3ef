// The state machine that starts, watches, restarts and stops a sidecar. It imports nothing of Node; launching,
// probing, time and chance are handed in, so that every transition can be tested without a process.
//
// Invariant: whenever the app wants a sidecar, there is a child that is not confirmed gone, or a pending restart
// timer, or the state is `failed` with the reason and the last lines of its log.

import { SidecarError } from "../../shared/errors.js";
import type { Failure, Ready, Stage, Snapshot } from "../../shared/status.js";
import type { Child, ChildEvents, Exit } from "../child/child.js";
import { type Clock, Timers } from "./clock.js";
import * as failures from "./failure.js";
import { HealthWatch } from "./health.js";
import { type Policy, RestartPolicy } from "./policy.js";
import { StartDeadlines } from "./start-deadlines.js";
import type { StatusLine } from "../child/output.js";
import { NOTHING_TO_STOP, Stopping, type StopReport } from "./stopping.js";

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
  readonly changed: (status: Snapshot) => void;
}

/** One launched process and its facts. */
interface Run {
  child: Child;
  ready?: { readonly value: Ready; readonly at: number };
  /** The failure that it reported itself. */
  reportedFailure?: failures.Cause;
  /** Why the supervisor killed it; `final` if it is not to be started again. */
  killReason?: KillReason;
  /** The stacks of its threads, requested before it is killed. */
  stacks?: readonly string[];
}

type KillReason = failures.Cause & { readonly final: boolean };

interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: SidecarError) => void;
}

const STOPPED: Snapshot = Object.freeze({
  state: "stopped",
  ready: null,
  stage: null,
  failure: null,
  restarts: 0,
});

export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #restartPolicy: RestartPolicy;
  readonly #timers: Timers<"stacks" | "restart">;
  readonly #startDeadlines: StartDeadlines;
  readonly #healthWatch: HealthWatch;
  #status = STOPPED;
  #run: Run | undefined;
  /** Set while the app wants a sidecar and it has not failed for good. */
  #pendingStart: Deferred<Ready> | undefined;
  #stopping: Stopping | undefined;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    const { clock, policy, random, probe } = parts;
    this.#timers = new Timers(clock);
    this.#startDeadlines = new StartDeadlines(clock, policy, {
      silent: () => this.#onStartSilent(),
      overdue: () => this.#onStartOverdue(),
    });
    this.#healthWatch = new HealthWatch(clock, policy, probe, (misses) => this.#onUnresponsive(misses));
    this.#restartPolicy = new RestartPolicy(policy, random);
  }

  get status(): Snapshot {
    return this.#status;
  }

  /** Resolves at the first `ready`; rejects if it fails for good or is stopped before. The same promise until then. */
  start(): Promise<Ready> {
    if (this.#pendingStart) return this.#pendingStart.promise;
    this.#pendingStart = deferred<Ready>();
    const { promise } = this.#pendingStart;
    this.#restartPolicy.forget();
    // A process that is being stopped comes first: the pending start begins when it is gone.
    if (!this.#run) this.#begin();
    return promise;
  }

  /** Resolves when nothing of the process tree is left, or with what could not be confirmed. */
  stop(): Promise<StopReport> {
    this.#pendingStart?.reject(
      new SidecarError("not_running", "The sidecar was stopped before it was ready."),
    );
    this.#pendingStart = undefined;
    if (this.#stopping) {
      if (this.#status.state !== "stopping") this.#become({ state: "stopping" });
      return this.#stopping.report;
    }
    this.#clearAllTimers();
    if (!this.#run) {
      if (this.#status.state !== "stopped") this.#become(STOPPED);
      return Promise.resolve(NOTHING_TO_STOP);
    }
    return this.#stopRun(this.#run, "stopping").report;
  }

  /**
   * Restarts a sidecar that the app wants, because its program has changed: the one that runs is stopped first. That
   * is no crash, earlier crashes say nothing about the new program, and what had failed for good may work now.
   */
  reload(): void {
    const { state } = this.#status;
    // One that is being stopped runs no more of the old program: what starts after it is new.
    if (state === "stopped" || this.#stopping) return;
    this.#restartPolicy.forget();
    this.#clearAllTimers();
    if (state === "failed") this.#pendingStart = unattended();
    if (this.#run) this.#stopRun(this.#run, "restarting");
    else this.#begin(this.#status.restarts + 1);
  }

  #stopRun(run: Run, state: "stopping" | "restarting"): Stopping {
    this.#become({ state, ready: null, stage: null, failure: null });
    const { policy, clock } = this.#parts;
    this.#stopping = new Stopping(run.child, policy, clock, run.killReason !== undefined);
    return this.#stopping;
  }

  /** Ignores health checks until `resume`, because the machine is going to sleep. The clock must stand still. */
  suspend(): void {
    this.#healthWatch.suspend();
  }

  resume(): void {
    this.#healthWatch.resume();
  }

  // Starting

  #begin(restarts = 0): void {
    this.#startDeadlines.begin();
    this.#launch({ failure: null, restarts });
  }

  #launch(change: Partial<Snapshot>): void {
    this.#become({ ...change, state: "starting", stage: null });
    const whenCurrent =
      <Value>(handle: (run: Run, value: Value) => void) =>
      (value: Value): void => {
        if (run === this.#run) handle(run, value);
      };
    const child = this.#parts.launch({
      line: whenCurrent((current, line: StatusLine) => this.#onLine(current, line)),
      stacks: whenCurrent((current, stacks: readonly string[]) => this.#onStacks(current, stacks)),
      exited: whenCurrent((current, exit: Exit) => this.#onExited(current, exit)),
      gone: whenCurrent((current, exit: Exit) => this.#onGone(current, exit)),
    });
    const run: Run = { child };
    this.#run = run;
    this.#startDeadlines.heard();
  }

  #onStartSilent(): void {
    const cause = failures.startSilent(this.#parts.policy);
    if (this.#run) this.#dumpStacksThenKill(this.#run, { ...cause, final: false });
  }

  #onStartOverdue(): void {
    const cause = failures.startOverdue(this.#parts.policy);
    if (!this.#run) return this.#fail(failures.failureOf(cause, this.#parts.logTail()));
    if (this.#run.killReason) this.#run.killReason = { ...this.#run.killReason, final: true };
    else this.#dumpStacksThenKill(this.#run, { ...cause, final: true });
  }

  #onLine(run: Run, line: StatusLine): void {
    if (line.event === "failed") run.reportedFailure = { code: line.code, message: line.message };
    if (this.#status.state !== "starting" || run.killReason) return;
    if (line.event === "ready") return this.#onReady(run, line.ready);
    this.#startDeadlines.heard();
    if (line.event === "stage") this.#onStage({ stage: line.stage, detail: line.detail });
  }

  #onStage(stage: Stage): void {
    this.#startDeadlines.heardOf(stage.stage);
    this.#become({ stage });
  }

  #onReady(run: Run, ready: Ready): void {
    this.#clearAllTimers();
    run.ready = { value: ready, at: this.#parts.clock.now() };
    this.#become({ state: "ready", ready, stage: null, failure: null });
    this.#pendingStart?.resolve(ready);
    this.#healthWatch.begin(ready);
  }

  // Watching

  #onUnresponsive(misses: number): void {
    if (!this.#run) return;
    this.#become({ state: "unresponsive", ready: null });
    this.#dumpStacksThenKill(this.#run, { ...failures.unresponsive(misses), final: false });
  }

  /** Requests the stacks of its threads, and then kills it. */
  #dumpStacksThenKill(run: Run, killReason: KillReason): void {
    this.#clearRunTimers();
    run.killReason = killReason;
    this.#timers.set("stacks", this.#parts.policy.stacksWaitMs, () => this.#kill(run));
    run.child.askForStacks();
  }

  #onStacks(run: Run, stacks: readonly string[]): void {
    run.stacks = stacks;
    if (this.#timers.isSet("stacks")) this.#kill(run);
  }

  #kill(run: Run): void {
    this.#clearRunTimers();
    run.child.kill();
  }

  // Losing it

  #onExited(run: Run, exit: Exit): void {
    this.#clearRunTimers();
    if (this.#stopping) return this.#stopping.exited(exit);
    if (!run.ready) return;
    this.#become({
      state: "restarting",
      ready: null,
      failure: this.#failureOf(run, exit),
    });
  }

  #onGone(run: Run, exit: Exit): void {
    this.#run = undefined;
    this.#clearRunTimers();
    if (this.#stopping) return this.#onStopped(this.#stopping, exit);
    const now = this.#parts.clock.now();
    const failure = this.#failureOf(run, exit);
    if (run.killReason?.final || exit.refusal?.isPermanent) return this.#fail(failure);
    const readyForMs = run.ready ? now - run.ready.at : 0;
    const action = this.#restartPolicy.afterCrash({ at: now, exitCode: exit.code, readyForMs });
    if (action.kind === "restart") {
      return this.#restartAfter(action.delayMs, failure, run.ready !== undefined);
    }
    if (action.why === "permanent") return this.#fail(failure);
    this.#fail(Object.freeze({ ...failure, ...failures.crashLoop(this.#parts.policy, failure) }));
  }

  #restartAfter(delayMs: number, failure: Failure, wasReady: boolean): void {
    if (wasReady) this.#startDeadlines.begin();
    else this.#startDeadlines.goOn();
    this.#become({ state: "restarting", ready: null, stage: null, failure });
    this.#timers.set("restart", delayMs, () => this.#launch({ restarts: this.#status.restarts + 1 }));
  }

  #fail(failure: Failure): void {
    this.#clearAllTimers();
    const pendingStart = this.#pendingStart;
    this.#pendingStart = undefined;
    this.#become({ state: "failed", ready: null, stage: null, failure });
    pendingStart?.reject(failures.failureError(failure));
  }

  #failureOf(run: Run, exit: Exit): Failure {
    const cause = run.killReason ?? run.reportedFailure ?? failures.ended(exit);
    return failures.failureOf(cause, this.#parts.logTail(), exit, run.stacks);
  }

  #onStopped(stopping: Stopping, exit: Exit): void {
    stopping.gone(exit);
    this.#stopping = undefined;
    if (!this.#pendingStart) this.#become(STOPPED);
    else if (this.#status.state === "restarting") this.#begin(this.#status.restarts + 1);
    else this.#begin();
  }

  // Timers and status

  /** Clears the timers of one process. */
  #clearRunTimers(): void {
    this.#timers.clear("stacks");
    this.#startDeadlines.endSilence();
    this.#healthWatch.end();
  }

  #clearAllTimers(): void {
    this.#timers.clearAll();
    this.#startDeadlines.end();
    this.#healthWatch.end();
  }

  #become(change: Partial<Snapshot>): void {
    this.#status = Object.freeze({ ...this.#status, ...change });
    this.#parts.changed(this.#status);
  }
}

/** A start that nobody waits for: its end is in the status. */
function unattended(): Deferred<Ready> {
  const start = deferred<Ready>();
  start.promise.catch(() => undefined);
  return start;
}

function deferred<Value>(): Deferred<Value> {
  const parts = {} as { -readonly [Name in keyof Deferred<Value>]: Deferred<Value>[Name] };
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}
