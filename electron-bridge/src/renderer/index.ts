// electron-sidecar/renderer: the typed client that a page uses, over what the preload script put on `window`.

import { FAILURE_EVENT, FAILURE_NAME, type PageBridge } from "../shared/channels.js";
import { type Envelope, SidecarError } from "../shared/errors.js";
import { createClient, type Transport } from "../shared/client.js";
import { builtInForms } from "../shared/operations.js";
import { plainInput } from "../shared/plain-data.js";

export { type BridgeErrorCode, type FieldError, SidecarError } from "../shared/errors.js";
export type { Client } from "../shared/client.js";
export type { LiveOptions } from "../shared/live.js";
export type { EventData, EventNotice, Notice, ResetNotice, Topic } from "../shared/events.js";
export type {
  CallInput,
  CallResult,
  FlatCallInput,
  Job,
  LiveOperationId,
  LongOperationId,
  OperationId,
  OperationTable,
} from "../shared/operations.js";
export type { Stage, State, Status } from "../shared/status.js";

export interface PageCallOptions {
  /** Ends the call, here and in the main process, with the error `cancelled`. A write that was sent may still happen. */
  readonly signal?: AbortSignal;
  /** The idempotency key of a write, to ask again for one whose answer was not seen; else main makes one. */
  readonly key?: string;
}

const transport: Transport<PageCallOptions> = {
  async call(operation, input, { signal, key } = {}, asJob) {
    if (signal?.aborted) throw cancelled();
    const id = nextCallId();
    // Only plain data may cross to the main process.
    const data = plainInput(input);
    const bridge = foundBridge() ?? (await bridgeOnceKnown());
    const answer = bridge.call(id, operation, data, key, asJob);
    return unwrap(await cancellable(answer, id, signal));
  },

  async status() {
    const bridge = foundBridge() ?? (await bridgeOnceKnown());
    return unwrap(await bridge.status());
  },

  onStatus(listener) {
    return pageBridge().onStatus(listener);
  },

  async topics(operation) {
    const bridge = foundBridge() ?? (await bridgeOnceKnown());
    return unwrap(await bridge.topics(operation));
  },

  subscribe(topics, listener) {
    const id = nextCallId();
    let isStopped = false;
    const accepted = pageBridge()
      .subscribe(id, [...topics], listener)
      // A subscription that the page ended before it was sent has not failed.
      .then((answer) => (isStopped ? null : unwrap(answer)));
    const stop = (): void => {
      isStopped = true;
      pageBridge().unsubscribe(id);
    };
    return { stop, accepted };
  },
};

export const sidecar = createClient<PageCallOptions>(transport, builtInForms, true);

/** What a page has on its window. The preload script leaves the bridge there; where that fails, main leaves the reason. */
interface PageGlobals {
  readonly electronSidecar?: PageBridge;
  readonly [FAILURE_NAME]?: string;
  readonly navigator?: { readonly userAgent: string };
  readonly addEventListener?: (event: string, listener: () => void, options: { readonly once: true }) => void;
}

const page = globalThis as PageGlobals;

/** Milliseconds after the page began within which the main process says that its preload script has failed. */
const FAILURE_KNOWN_AFTER_MS = 2_000;

function foundBridge(): PageBridge | undefined {
  return page.electronSidecar;
}

function pageBridge(): PageBridge {
  const bridge = foundBridge();
  if (bridge) return bridge;
  throw new SidecarError("bridge_missing", whyMissing());
}

/** The same for a caller that can wait: until the main process would have said why there is none. */
async function bridgeOnceKnown(): Promise<PageBridge> {
  const waitMs = FAILURE_KNOWN_AFTER_MS - performance.now();
  if (page[FAILURE_NAME] === undefined && waitMs > 0) {
    await new Promise<void>((resolve) => {
      page.addEventListener?.(FAILURE_EVENT, resolve, { once: true });
      setTimeout(resolve, waitMs);
    });
  }
  return pageBridge();
}

function whyMissing(): string {
  const failure = page[FAILURE_NAME];
  if (failure !== undefined) return `The page has no sidecar. ${failure}`;
  if (page.navigator && !page.navigator.userAgent.includes("Electron/")) {
    return "The page has no sidecar: a browser shows it, and not a window of the app; open it in the app.";
  }
  return (
    "The page has no sidecar: its window has no preload script that brings one. Name electron-sidecar/preload as " +
    "webPreferences.preload, or import it in the preload script of the app."
  );
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
