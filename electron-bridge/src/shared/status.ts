// What the bridge tells of the sidecar. Every value here is an immutable snapshot of plain data.

export type State = "stopped" | "starting" | "ready" | "unresponsive" | "restarting" | "failed" | "stopping";

/** A sidecar that answers. */
export interface Ready {
  readonly port: number;
  readonly pid: number;
  /** The id of this run of the sidecar. */
  readonly instance: string;
  readonly version: string;
  readonly apiVersion: number;
  readonly schemaVersion: number;
}

/** What a sidecar that is not ready yet is doing, such as `migrating`. */
export interface Stage {
  readonly stage: string;
  readonly detail: string | null;
}

/** Why the sidecar was lost. */
export interface Failure {
  /** A code of the bridge, or the one that the sidecar gave in its `failed` line. */
  readonly code: string;
  /** One sentence for a person. */
  readonly message: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last lines that the sidecar wrote to its log. */
  readonly logTail: readonly string[];
  /** What each of its threads was doing when it was asked before it was killed; empty if it did not say. */
  readonly stacks: readonly string[];
}

export interface Status {
  readonly state: State;
  /** The sidecar that answers; null unless the state is `ready`. */
  readonly ready: Ready | null;
  /** What a starting sidecar last said that it is doing. */
  readonly stage: Stage | null;
  /** Why the sidecar is being restarted, or has failed for good; null once it is ready. */
  readonly failure: Failure | null;
  /** How often it was restarted since the app started it. */
  readonly restarts: number;
}

/** What a page may know: no port, no process, no log. */
export interface PageStatus {
  readonly state: State;
  readonly stage: Stage | null;
  readonly failure: { readonly code: string; readonly message: string } | null;
}

export function pageStatus({ state, stage, failure }: Status): PageStatus {
  return { state, stage, failure: failure && { code: failure.code, message: failure.message } };
}
