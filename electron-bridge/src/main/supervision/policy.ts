// Every number of the supervision, with its reason, and the decision whether a lost sidecar is restarted.

import { SidecarError } from "../../shared/errors.js";

export interface Policy {
  /** A start is given up after this long without a status line: even a slow disk lets Python say `bound` in time. */
  readonly startSilenceMs: number;
  /**
   * How long it may take to become ready in all, over every attempt. The time in which the sidecar says that it is
   * migrating, backing up or recovering does not count: these take as long as the data is large.
   */
  readonly startTotalMs: number;
  /** Often enough to notice a hang while a person still waits, rarely enough to cost nothing. */
  readonly probeIntervalMs: number;
  /** How long one probe waits. Shorter than the interval, so that probes never overlap. */
  readonly probeTimeoutMs: number;
  /** Misses in a row that make it unresponsive. One is not enough: a machine that wakes up misses one. */
  readonly probeMisses: number;
  /** The pause before the first restart: short, since most crashes do not repeat. */
  readonly restartFirstMs: number;
  /** The longest pause, to which it doubles. */
  readonly restartMaxMs: number;
  /** The part of a pause, 0 to 1, that is random: several apps on one machine do not restart in step. */
  readonly restartJitter: number;
  /** Ready for this long, a sidecar counts as healthy, and the next pause is the first one again. */
  readonly stableMs: number;
  /** This many crashes within the window end restarting: it would not help. */
  readonly breakerCrashes: number;
  readonly breakerWindowMs: number;
  /** How long an unresponsive sidecar may take to say what its threads are doing, before it is killed. */
  readonly stacksWaitMs: number;
  /** Exit codes that name a cause which a restart does not remove: 2 to 6, and 8. */
  readonly permanentExitCodes: readonly number[];
  /** How long a sidecar that was asked to shut down may take to finish its writes. */
  readonly stopGraceMs: number;
  /** How long its process group may take to end on SIGTERM. */
  readonly stopTerminateMs: number;
  /** How long the operating system may take to remove killed processes before stop() says that it has not. */
  readonly stopConfirmMs: number;
  /** A machine that announced its sleep, but then runs for this long, counts as awake. */
  readonly sleepNoticeMs: number;
  /** How long a call may take in all, waiting for the sidecar and replays included. */
  readonly callTimeoutMs: number;
  /**
   * Calls that may wait for the sidecar at one time, so that a page in a loop cannot fill the memory. One that was sent
   * before it waits is not turned away: it may have happened.
   */
  readonly maxWaitingCalls: number;
  /**
   * Calls of one page that run at one time; the others of that page wait their turn. Half of the connections to the
   * sidecar, so that one page that asks for much leaves room for the others.
   */
  readonly pageConcurrency: number;
  /** Calls of one page that run or wait in the main process. More than a page sends at one time, few enough to search. */
  readonly maxPageCalls: number;
  /** Live subscriptions of one page: every event is handed to each of them. More than a page can sensibly show. */
  readonly maxPageSubscriptions: number;
  /** A connection for live events that is silent for this long is replaced: more than two heartbeats of 15 s. */
  readonly eventSilenceMs: number;
  /** Lines of the sidecar's log that a failure carries. */
  readonly logTailLines: number;
}

export const defaultPolicy: Policy = Object.freeze({
  startSilenceMs: 45_000,
  startTotalMs: 180_000,
  probeIntervalMs: 5_000,
  probeTimeoutMs: 4_000,
  probeMisses: 2,
  restartFirstMs: 500,
  restartMaxMs: 10_000,
  restartJitter: 0.2,
  stableMs: 60_000,
  breakerCrashes: 5,
  breakerWindowMs: 180_000,
  stacksWaitMs: 1_000,
  permanentExitCodes: Object.freeze([2, 3, 4, 5, 6, 8]),
  stopGraceMs: 5_000,
  stopTerminateMs: 2_000,
  stopConfirmMs: 5_000,
  sleepNoticeMs: 60_000,
  callTimeoutMs: 30_000,
  maxWaitingCalls: 1_000,
  pageConcurrency: 32,
  maxPageCalls: 1_000,
  maxPageSubscriptions: 256,
  eventSilenceMs: 35_000,
  logTailLines: 50,
});

/**
 * The default policy with the given numbers in place of its own.
 *
 * @throws SidecarError `invalid_configuration` for a name that no policy has or a number that is negative or NaN
 */
export function definePolicy(changes: Partial<Policy> = {}): Policy {
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(defaultPolicy, name)) throw invalid(`the policy has no '${name}'`);
    const numbers = Array.isArray(value) ? value : [value];
    if (!numbers.every((number) => typeof number === "number" && number >= 0)) {
      throw invalid(`the policy's ${name} must be 0 or more, not ${String(value)}`);
    }
  }
  return Object.freeze({ ...defaultPolicy, ...changes });
}

function invalid(what: string): SidecarError {
  return new SidecarError("invalid_configuration", `The sidecar cannot be set up: ${what}.`);
}

export type RestartAction =
  | { readonly kind: "restart"; readonly delayMs: number }
  | { readonly kind: "fail"; readonly why: "permanent" | "crash_loop" };

export interface Crash {
  /** When, in milliseconds of the supervisor's clock. */
  readonly at: number;
  readonly exitCode: number | null;
  /** How long the lost sidecar had been ready. */
  readonly readyForMs: number;
}

/** Decides what follows a crash. Remembers the crashes of its window, and nothing else. */
export class RestartPolicy {
  #crashes: number[] = [];
  #step = 0;

  constructor(
    private readonly policy: Policy,
    private readonly random: () => number,
  ) {}

  afterCrash({ at, exitCode, readyForMs }: Crash): RestartAction {
    const { permanentExitCodes, breakerWindowMs, breakerCrashes, stableMs } = this.policy;
    if (exitCode !== null && permanentExitCodes.includes(exitCode)) return { kind: "fail", why: "permanent" };
    this.#crashes = [...this.#crashes.filter((earlier) => at - earlier < breakerWindowMs), at];
    if (this.#crashes.length >= breakerCrashes) return { kind: "fail", why: "crash_loop" };
    if (readyForMs >= stableMs) this.#step = 0;
    return { kind: "restart", delayMs: this.#delay(this.#step++) };
  }

  /** Forgets earlier crashes, because the app asked for a new start. */
  forget(): void {
    this.#crashes = [];
    this.#step = 0;
  }

  #delay(step: number): number {
    const { restartFirstMs, restartMaxMs, restartJitter } = this.policy;
    return Math.min(restartMaxMs, restartFirstMs * 2 ** step) * (1 - restartJitter * this.random());
  }
}
