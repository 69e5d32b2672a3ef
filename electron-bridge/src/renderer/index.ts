// electron-sidecar/renderer: the typed client that a page uses, over what the preload script put on `window`.

import type { PageBridge } from "../shared/channels.js";
import { type Envelope, SidecarError } from "../shared/errors.js";
import type { AnyCallInput, CallArguments, CallResult, OperationId } from "../shared/operations.js";
import type { PageStatus } from "../shared/status.js";

export { type BridgeErrorCode, type FieldError, SidecarError } from "../shared/errors.js";
export type { CallInput, CallResult, OperationId } from "../shared/operations.js";
export type { PageStatus, State } from "../shared/status.js";

export interface PageCallOptions {
  /** Ends the call, here and in the main process, with the error `cancelled`. A write that was sent may still happen. */
  readonly signal?: AbortSignal;
}

export const sidecar = {
  /**
   * Calls an operation of the sidecar.
   *
   * @throws SidecarError what the sidecar answered, or one of the bridge's own codes
   */
  async call<Id extends OperationId>(
    operation: Id,
    ...[input, options]: CallArguments<Id, PageCallOptions>
  ): Promise<CallResult<Id>> {
    const { signal } = options ?? {};
    if (signal?.aborted) throw cancelled();
    const id = nextCallId();
    const answer = pageBridge().call(id, operation, input as AnyCallInput | undefined);
    return unwrap(await cancellable(answer, id, signal)) as CallResult<Id>;
  },

  /** What is known of the sidecar now. */
  async status(): Promise<PageStatus> {
    return unwrap(await pageBridge().status());
  },

  /** Calls the listener on every change of the status; returns a function that ends this. */
  onStatus(listener: (status: PageStatus) => void): () => void {
    return pageBridge().onStatus(listener);
  },
};

function pageBridge(): PageBridge {
  const { electronSidecar } = globalThis as { electronSidecar?: PageBridge };
  if (electronSidecar) return electronSidecar;
  const message =
    "The page has no sidecar: its window needs electron-sidecar/preload as webPreferences.preload.";
  throw new SidecarError("bridge_missing", message);
}

function unwrap<Value>(envelope: Envelope<Value>): Value {
  if (envelope.ok) return envelope.value;
  throw SidecarError.fromShape(envelope.error);
}

/** A page that was loaded again must not use the ids of calls that it left behind. */
const pageId = Math.random().toString(36).slice(2);
let callCount = 0;

function nextCallId(): string {
  callCount += 1;
  return `${pageId}-${callCount}`;
}

function cancelled(): SidecarError {
  return new SidecarError("cancelled", "The call was cancelled.");
}

function cancellable<Value>(
  answer: Promise<Value>,
  id: string,
  signal: AbortSignal | undefined,
): Promise<Value> {
  if (!signal) return answer;
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      pageBridge().cancel(id);
      reject(cancelled());
    };
    signal.addEventListener("abort", cancel);
    answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", cancel));
  });
}
