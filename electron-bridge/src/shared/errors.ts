// The one error of the bridge and its plain form, which survives IPC and contextBridge (both drop an error's fields).

/** A field that is wrong, and why. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** A SidecarError as plain data. */
export interface ErrorShape {
  readonly code: string;
  readonly message: string;
  readonly status: number | null;
  readonly retryable: boolean;
  readonly errors: readonly FieldError[];
}

/** An answer to a page, which crosses as data: a value or an error. */
export type Envelope<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: ErrorShape };

/**
 * The codes that the bridge itself gives; every other code comes from the sidecar. Each comment is the entry of the code
 * in ERRORS.md.
 */
export type BridgeErrorCode =
  /**
   * The `Sidecar` or `exposeToPages` was given options that cannot work.
   *
   * Cause: an option is missing, misspelt, of the wrong type, or not allowed in a packaged app.
   *
   * Cure: correct the option that the message names.
   */
  | "invalid_configuration"
  /**
   * No operation has this id.
   *
   * Cause: the id is misspelt, or it belongs to an extension whose operations the `Sidecar` was not given.
   *
   * Cure: use the name that the message suggests. For an extension, run `electron-sidecar generate` and hand its
   * table to the `Sidecar` as `operations`.
   */
  | "unknown_operation"
  /**
   * The operation exists, but its parameters do not have the shape that it needs, or hold what JSON cannot: a
   * function, a DOM node, a Map, a BigInt, NaN, an object inside itself. `errors` names the field, such as
   * `body.items.3.onClick`.
   *
   * Cause: a field is misspelt or of the wrong type, a topic does not exist, or an object of the page is passed
   * as a whole.
   *
   * Cure: correct the field that `errors` names; pass plain data. The types of the bridge find most of these
   * when the page is compiled.
   */
  | "invalid_call"
  /**
   * The app does not allow pages to call this operation.
   *
   * Cause: the operation is restricted, such as a restore, or the app denies it.
   *
   * Cure: call it in the main process, or add its id to the option `allow` of `exposeToPages` (or remove it from
   * `deny`).
   */
  | "operation_not_allowed"
  /**
   * The call came from a frame that is not one of the app's own pages.
   *
   * Cause: the origin of the page is not in the option `origins` of `exposeToPages`, or the caller is a frame
   * inside a page. The message names the origin and those that are allowed.
   *
   * Cure: if the page is the app's own, add its origin: the address of the development server, too, but only in
   * development. A frame inside a page asks its page by `postMessage`.
   */
  | "foreign_frame"
  /**
   * The caller's AbortSignal ended the call.
   *
   * Cause: the app cancelled the call. A write that was sent may have happened.
   *
   * Cure: nothing is wrong; ignore the error where a call is cancelled on purpose.
   */
  | "cancelled"
  /**
   * The call had no answer in time. A write may have happened: call again with the same key to find out.
   *
   * Cause: the sidecar is starting, is busy, or an operation takes long.
   *
   * Cure: call again with the same `key`. Give long work a longer `timeoutMs`, or begin it as a job
   * (`sidecar.jobs.start`).
   */
  | "timeout"
  /**
   * The work was done, and waited for: the store takes no writes, so there is no job of it.
   *
   * Cause: the disk is full, so the job could not be stored.
   *
   * Cure: use `call` for the result. Free some space on the disk.
   */
  | "no_job"
  /**
   * The sidecar ended before it answered a change that takes no idempotency key. It may have happened.
   *
   * Cause: the sidecar crashed or was restarted during the call.
   *
   * Cure: read what the call changes, and call again if it did not happen.
   */
  | "unanswered"
  /**
   * More calls than the policy allows are waiting for the sidecar to become ready, or are under way for one
   * page.
   *
   * Cause: a page calls in a loop without waiting for answers.
   *
   * Cure: wait for answers before further calls, or use a batch operation such as `todos.create_batch`.
   */
  | "too_many_calls"
  /**
   * The page has as many live subscriptions as the policy allows.
   *
   * Cause: a component subscribes again and again, and does not end its subscription when it is removed.
   *
   * Cure: call the function that `subscribe` returned. One subscription may name many topics.
   */
  | "too_many_subscriptions"
  /**
   * The app has not started the sidecar, or has stopped it.
   *
   * Cause: `start()` was not called, or the call came after `stop()`.
   *
   * Cure: call `sidecar.start()` when the app is ready, and call nothing after `stop()`.
   */
  | "not_running"
  /**
   * The sidecar's program cannot be run.
   *
   * Cause: the program is missing, damaged, made for another machine, may not be executed, or is blocked by the system
   * or an antivirus program.
   *
   * Cure: follow the message, which names the program. In development, the project needs its Python environment;
   * a packaged app needs its frozen sidecar.
   */
  | "spawn_failed"
  /**
   * No sidecar was found, or a program that is none. The message lists what was tried, why not, and what to do.
   *
   * Cause: the project has no `.venv`, its Python lacks the package, or the packaged app has no frozen sidecar.
   *
   * Cure: run `npx electron-sidecar init` in the project, or `npx electron-sidecar freeze` before the app is packaged.
   */
  | "sidecar_not_found"
  /**
   * The sidecar did not become ready in time.
   *
   * Cause: the machine is very slow, an antivirus program checks the frozen sidecar, or an extension waits for
   * something when it is imported.
   *
   * Cure: look at the stage that the message or the log names. Move slow work of an extension from its import
   * into a lifespan or a job.
   */
  | "start_timeout"
  /**
   * The sidecar ended and the bridge will start it again, or its exit code says that this would not help.
   *
   * Cause: the sidecar crashed, was killed, or refused to start.
   *
   * Cure: look at `failure.logTail` and at the exit code in the table above. Calls wait for the next start by
   * themselves.
   */
  | "sidecar_exited"
  /**
   * The sidecar runs but does not answer its health check.
   *
   * Cause: code of an extension blocks the event loop, or the machine is overloaded. `failure.stacks` has what
   * each thread was doing.
   *
   * Cure: move what blocks into a job that runs in a thread or a process.
   */
  | "sidecar_unresponsive"
  /**
   * The sidecar failed so often that the bridge has given up.
   *
   * Cause: each start ends in the same failure, which the message repeats.
   *
   * Cure: remove the cause, which the last lines of the log show; then `start()` tries again.
   */
  | "crash_loop"
  /**
   * The sidecar speaks another version of the API than the bridge.
   *
   * Cause: the npm package and the Python package, or the frozen sidecar, are of different versions.
   *
   * Cure: install the same version of both, and freeze the sidecar again.
   */
  | "api_version_mismatch"
  /**
   * The Python package and the npm package are of different versions.
   *
   * Cause: one of them was updated alone, or the sidecar was frozen with another version.
   *
   * Cure: install the same version of both, and freeze the sidecar again.
   */
  | "version_mismatch"
  /**
   * An update of the app was not installed.
   *
   * Cause: a process of the sidecar has not ended, or the app started the sidecar again meanwhile.
   *
   * Cure: try again later, or let the user quit the app and install the update then. `supportBundle()` has what is left.
   */
  | "update_refused"
  /**
   * The updater of the app failed.
   *
   * Cause: it threw, or the app still runs long after it was called; the message has its reason.
   *
   * Cure: look at the updater's own log. The sidecar runs again if it ran before.
   */
  | "update_failed"
  /**
   * The sidecar's answer is not one that the bridge understands.
   *
   * Cause: the versions of bridge and sidecar differ, or an extension's operation answers something else than
   * JSON.
   *
   * Cure: install the same version of both. Let operations of an extension answer JSON.
   */
  | "invalid_answer"
  /**
   * The message whose text was read failed; its text came first.
   *
   * Cause: the program that wrote the message marked it as failed, or ended before it was finished.
   *
   * Cure: show the text so far, and let the user ask again.
   */
  | "message_failed"
  /**
   * The message whose text was read was cancelled; its text came first.
   *
   * Cause: the message was cancelled, for example by the user.
   *
   * Cure: show the text so far.
   */
  | "message_cancelled"
  /**
   * The page has no bridge, or the main process does not serve it.
   *
   * Cause: the window has no preload script, its preload script failed, the page runs in an ordinary browser, or
   * `exposeToPages` was not called. The message names which.
   *
   * Cure: set `webPreferences.preload` to `require.resolve("electron-sidecar/preload")`, or bundle an own
   * preload script that imports it; call `exposeToPages` before the first window loads its page.
   */
  | "bridge_missing"
  /**
   * A fault in the bridge, or in the main process.
   *
   * Cause: an exception that nobody expected. The console of the main process shows it.
   *
   * Cure: report it, with `sidecar.supportBundle()`.
   */
  | "internal_error";

export interface SidecarErrorDetails {
  readonly status?: number | null;
  readonly retryable?: boolean;
  readonly errors?: readonly FieldError[];
  readonly cause?: unknown;
}

/**
 * The error with which every failed call rejects. `code` is stable and meant for programs, `message` for people; `status` is the
 * HTTP status where the sidecar answered; `retryable` says whether the same call may succeed later; `errors` names
 * the fields that were wrong.
 */
export class SidecarError extends Error {
  override readonly name = "SidecarError";
  readonly status: number | null;
  readonly retryable: boolean;
  readonly errors: readonly FieldError[];

  constructor(
    readonly code: BridgeErrorCode | (string & {}),
    message: string,
    { status = null, retryable = false, errors = [], cause }: SidecarErrorDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.retryable = retryable;
    this.errors = errors;
  }

  static fromShape({ code, message, status, retryable, errors }: ErrorShape): SidecarError {
    return new SidecarError(code, message, { status, retryable, errors });
  }

  /** The entry of the code in the page of all errors: cause and cure. A code of an extension's own has none. */
  get help(): string {
    return `ERRORS.md#${this.code}`;
  }

  toShape(): ErrorShape {
    const { code, message, status, retryable, errors } = this;
    return { code, message, status, retryable, errors };
  }
}

/** The plain form of a thrown error. Only a SidecarError is shown to a page; any other becomes `internal_error`. */
export function shapeOf(thrown: unknown): ErrorShape {
  if (thrown instanceof SidecarError) return thrown.toShape();
  return new SidecarError(
    "internal_error",
    "The call failed inside the app; the console of the main process shows why.",
  ).toShape();
}
