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

/** The codes of the warnings that the bridge itself gives; every other code comes from the sidecar. */
export type BridgeWarningCode =
  /**
   * The preload script of a window failed, so its page has no bridge.
   *
   * Cause: a script of the app's own imports `electron-sidecar/preload` and was not bundled: a sandboxed preload
   * script can load nothing but Electron. Or the file is missing, or it throws.
   *
   * Cure: bundle the preload script into one CommonJS file, or name `electron-sidecar/preload` itself as
   * `webPreferences.preload`.
   */
  | "preload_failed"
  /**
   * A page was loaded from a scheme of `origins` that no handler serves: the window stays blank.
   *
   * Cause: `protocol.handle` was not called for the scheme, was called for another session, or after the page
   * was loaded. The system is asked to open such an address, which starts `xdg-open` on Linux.
   *
   * Cure: call `protocol.handle(scheme, …)` once the app is ready, before the window loads its page.
   */
  | "scheme_not_handled"
  /**
   * A page was loaded from a scheme that is not registered as standard, so that modules, relative addresses and
   * storage do not work in it.
   *
   * Cause: `protocol.registerSchemesAsPrivileged` was not called, was called after the app was ready, or does
   * not name the scheme.
   *
   * Cure: call `protocol.registerSchemesAsPrivileged([{ scheme, privileges: { standard: true, secure: true,
   * supportFetchAPI: true } }])` at the top of the main file.
   */
  | "scheme_not_privileged";

/** Something that should be seen to, while the sidecar runs. */
export interface Warning {
  /** Stable, such as `operations_out_of_date`: ERRORS.md has the cause and the cure of each. */
  readonly code: BridgeWarningCode | (string & {});
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
