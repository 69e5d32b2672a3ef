// The history of a sidecar for support, in bounded memory and without secrets.

import { homedir } from "node:os";
import type { Failure, Ready, State, Snapshot } from "../../shared/status.js";
import { BRIDGE_VERSION } from "../child/versions.js";
import { MACHINE } from "../platform.js";
import type { StopReport } from "./stopping.js";

/** Numbers of the latest ones that are kept: more than a bad day has, and few enough to read. */
const MAX_TRANSITIONS = 200;
const MAX_EXITS = 20;

/** A change of the state, when it happened (UTC, ISO 8601), and the code of the failure behind it. */
export interface Transition {
  readonly at: string;
  readonly state: State;
  readonly stage: string | null;
  readonly code: string | null;
}

/** Why a sidecar was lost, and when (UTC, ISO 8601). */
export interface ExitReason extends Failure {
  readonly at: string;
}

export interface SupportBundle {
  /** UTC, ISO 8601. */
  readonly createdAt: string;
  readonly versions: {
    readonly bridge: string;
    readonly node: string;
    readonly electron: string | null;
    readonly platform: string;
    /** Of the latest sidecar that was ready; null if none was. */
    readonly sidecar: string | null;
    readonly api: number | null;
    readonly schema: number | null;
  };
  readonly state: State;
  readonly restarts: number;
  readonly transitions: readonly Transition[];
  readonly exits: readonly ExitReason[];
  readonly lastStop: (StopReport & { readonly at: string }) | null;
  /** The answer of `health.ready`, `{ error: code }` if it failed, null if no sidecar is ready. */
  readonly health: unknown;
  /** The last log lines of the latest sidecar. */
  readonly logTail: readonly string[];
}

/** Keeps the latest transitions and ends. */
export class History {
  #transitions: Transition[] = [];
  #exits: ExitReason[] = [];
  #lastStop: SupportBundle["lastStop"] = null;
  #lastReady: Ready | null = null;
  #lastStatus: Snapshot | undefined;

  constructor(private readonly now: () => string = () => new Date().toISOString()) {}

  note(status: Snapshot): void {
    const { state, stage, failure, ready } = status;
    const last = this.#lastStatus;
    this.#lastStatus = status;
    this.#lastReady = ready ?? this.#lastReady;
    if (failure && failure !== last?.failure) this.#noteExit(failure, last);
    if (state === last?.state && stage?.stage === last.stage?.stage) return;
    const transition = { at: this.now(), state, stage: stage?.stage ?? null, code: failure?.code ?? null };
    this.#transitions = [...this.#transitions, transition].slice(-MAX_TRANSITIONS);
  }

  noteStop(report: StopReport): void {
    if (report.outcome !== "not_running") this.#lastStop = { at: this.now(), ...report };
  }

  bundle(now: Pick<SupportBundle, "health" | "logTail"> & { readonly status: Snapshot }): SupportBundle {
    const { node, electron = null } = process.versions as { node: string; electron?: string };
    return redacted({
      createdAt: this.now(),
      versions: {
        bridge: BRIDGE_VERSION,
        node,
        electron,
        platform: MACHINE,
        sidecar: this.#lastReady?.version ?? null,
        api: this.#lastReady?.apiVersion ?? null,
        schema: this.#lastReady?.schemaVersion ?? null,
      },
      state: now.status.state,
      restarts: now.status.restarts,
      transitions: this.#transitions,
      exits: this.#exits,
      lastStop: this.#lastStop,
      health: now.health,
      logTail: now.logTail,
    });
  }

  /** Replaces the entry of the same end, which is noted when the process ends and again when all of its log is read. */
  #noteExit(failure: Failure, last: Snapshot | undefined): void {
    const isTheSame =
      last?.state === "restarting" &&
      last.failure?.exitCode === failure.exitCode &&
      last.failure.signal === failure.signal;
    const others = isTheSame ? this.#exits.slice(0, -1) : this.#exits;
    this.#exits = [...others, { at: this.now(), ...failure }].slice(-MAX_EXITS);
  }
}

/** A copy of the plain data whose texts hold no token and no name of the home directory. */
export function redacted<Value>(value: Value): Value {
  return JSON.parse(
    JSON.stringify(value, (_, part: unknown) => (typeof part === "string" ? withoutSecrets(part) : part)),
  ) as Value;
}

function withoutSecrets(text: string): string {
  const withoutToken = text
    .replace(/\b(authorization)\b.*/gi, "$1 [redacted]")
    .replace(/\b(bearer)\s+\S+/gi, "$1 [redacted]")
    // Every token has this form, those of earlier sidecars too.
    .replace(/[0-9a-f]{64}/gi, "[token]");
  return homePatterns.reduce((result, home) => result.replace(home, "~"), withoutToken);
}

/** The home directory as the system writes it, as a URL or Python may, and as it is inside JSON. */
const homePatterns = [homedir(), homedir().replace(/\\/g, "/"), homedir().replace(/\\/g, "\\\\")]
  .filter((home) => home.length > 1)
  .map((home) => new RegExp(`${home.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}(?![\\w-])`, "gi"));
