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

/** The codes that the bridge itself gives; every other code comes from the sidecar. */
export type BridgeErrorCode =
  /** The Sidecar or exposeToPages was given options that cannot work. */
  | "invalid_configuration"
  /** No operation has this id. */
  | "unknown_operation"
  /**
   * The operation exists, but its parameters do not have the shape that it needs, or hold what JSON cannot: a function,
   * a DOM node, a Map, a BigInt, NaN, an object inside itself. `errors` names the field, such as `body.items.3.onClick`.
   */
  | "invalid_call"
  /** The app does not allow pages to call this operation. */
  | "operation_not_allowed"
  /** The call came from a frame that is not one of the app's own pages. */
  | "foreign_frame"
  /** The caller's AbortSignal ended the call. */
  | "cancelled"
  /** The call had no answer in time. A write may have happened: call again with the same key to find out. */
  | "timeout"
  /** The work was done, and waited for: the store takes no writes, so there is no job of it. */
  | "no_job"
  /** The sidecar ended before it answered a change that takes no idempotency key. It may have happened. */
  | "unanswered"
  /** More calls than the policy allows are waiting for the sidecar to become ready, or are under way for one page. */
  | "too_many_calls"
  /** The page has as many live subscriptions as the policy allows. */
  | "too_many_subscriptions"
  /** The app has not started the sidecar, or has stopped it. */
  | "not_running"
  /** The sidecar's program cannot be run. */
  | "spawn_failed"
  /** The sidecar did not become ready in time. */
  | "start_timeout"
  /** The sidecar ended and the bridge will start it again, or its exit code says that this would not help. */
  | "sidecar_exited"
  /** The sidecar runs but does not answer its health check. */
  | "sidecar_unresponsive"
  /** The sidecar failed so often that the bridge has given up. */
  | "crash_loop"
  /** The sidecar speaks another version of the API than the bridge. */
  | "api_version_mismatch"
  /** The sidecar's answer is not one that the bridge understands. */
  | "invalid_answer"
  /** The message whose text was read ended so; its text came first. */
  | "message_failed"
  | "message_cancelled"
  /** The page has no preload script of this bridge, or the main process does not serve it. */
  | "bridge_missing"
  /** A fault in the bridge. */
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
