// The status of the sidecar, as everybody may know it and as only the main process may. Every value here is an immutable
// snapshot of plain data.

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

/** The work of a sidecar that is not ready yet, such as `migrating`. */
export interface Stage {
  readonly stage: string;
  readonly detail: string | null;
}

/** Something that should be seen to, while the sidecar runs. */
export interface Warning {
  /** Such as `operations_out_of_date`. */
  readonly code: string;
  /** A sentence or two for a person. */
  readonly message: string;
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
  /** The stack of each of its threads, requested before it was killed; empty if it did not answer. */
  readonly stacks: readonly string[];
}

/** The part of the state that pages may know too: no port, no process, no log. */
export interface Status {
  readonly state: State;
  /** The latest stage that a starting sidecar reported. */
  readonly stage: Stage | null;
  /** Why the sidecar is being restarted, or has failed for good; null once it is ready. */
  readonly failure: Pick<Failure, "code" | "message"> | null;
}

/** The whole state, for the main process alone. */
export interface Snapshot extends Status {
  /** The sidecar that answers; null unless the state is `ready`. */
  readonly ready: Ready | null;
  readonly failure: Failure | null;
  /** How often it was restarted since the app started it. */
  readonly restarts: number;
}

/** The part of a snapshot that everybody may know. */
export function statusOf({ state, stage, failure }: Snapshot): Status {
  return Object.freeze({
    state,
    stage,
    failure: failure && { code: failure.code, message: failure.message },
  });
}
