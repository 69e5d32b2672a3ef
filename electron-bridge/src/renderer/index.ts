// electron-sidecar/renderer: the typed client that a page uses, over what the preload script put on `window`.

import type { PageBridge } from "../shared/channels.js";
import { type Envelope, SidecarError } from "../shared/errors.js";
import type { Notice } from "../shared/events.js";
import type { AnyCallInput, CallArguments, CallResult, OperationId } from "../shared/operations.js";
import { plainData } from "../shared/plain-data.js";
import type { PageStatus } from "../shared/status.js";
import { messageText } from "./message-text.js";

export { type BridgeErrorCode, type FieldError, SidecarError } from "../shared/errors.js";
export type { EventNotice, Notice, RecoveryNews, ResetNotice, UpkeepRun } from "../shared/events.js";
export type { CallInput, CallResult, OperationId } from "../shared/operations.js";
export type { PageStatus, State } from "../shared/status.js";

export interface PageCallOptions {
  /** Ends the call, here and in the main process, with the error `cancelled`. A write that was sent may still happen. */
  readonly signal?: AbortSignal;
  /** The idempotency key of a write, to ask again for one whose answer was not seen; else main makes one. */
  readonly key?: string;
}

export const sidecar = {
  /**
   * Calls an operation of the sidecar. The input is plain data; a reactive object of such data (a Proxy, as Vue and
   * MobX have them) will do.
   *
   * @throws SidecarError what the sidecar answered, or one of the bridge's own codes
   */
  async call<Id extends OperationId>(
    operation: Id,
    ...[input, options]: CallArguments<Id, PageCallOptions>
  ): Promise<CallResult<Id>> {
    const { signal, key } = options ?? {};
    if (signal?.aborted) throw cancelled();
    const id = nextCallId();
    const answer = pageBridge().call(id, operation, plainInput(input), key);
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

  events: {
    /**
     * Calls the listener with every live event of these topics. The first notice is a reset, as soon as the sidecar
     * answers: read then what the page shows, and again at every later one. Returns a function that ends this. A page
     * that may not subscribe finds that as an unhandled rejection.
     */
    subscribe(topics: readonly string[], listener: (notice: Notice) => void): () => void {
      return subscribe(topics, listener).stop;
    },
  },

  messages: {
    /**
     * A message's text as it grows: what is there, then what is added, to its end. Goes on where it was when the
     * sidecar is restarted. Text that is replaced meanwhile is not taken back.
     *
     * @throws SidecarError `message_failed` or `message_cancelled` after the text of a message that ended so;
     * `cancelled` by the signal; and what reading the message throws
     */
    text(messageId: number, { signal }: Pick<PageCallOptions, "signal"> = {}): AsyncIterableIterator<string> {
      const read = async (id: number, end: AbortSignal | undefined) =>
        sidecar.call(
          "messages.get",
          { path: { message_id: id }, query: { include_thinking: false } },
          end && { signal: end },
        );
      const onStatus = (listener: (status: PageStatus) => void) => sidecar.onStatus(listener);
      return messageText({ read, subscribe, onStatus }, messageId, signal);
    },
  },
};

function subscribe(
  topics: readonly string[],
  listener: (notice: Notice) => void,
): { stop: () => void; accepted: Promise<unknown> } {
  const id = nextCallId();
  let isStopped = false;
  const accepted = pageBridge()
    .subscribe(id, [...topics], (notices) => notices.forEach((notice) => listener(notice)))
    // To the page that ended it, it is no failure that it was never sent.
    .then((answer) => (isStopped ? null : unwrap(answer)));
  const stop = (): void => {
    isStopped = true;
    pageBridge().unsubscribe(id);
  };
  return { stop, accepted };
}

function pageBridge(): PageBridge {
  const { electronSidecar } = globalThis as { electronSidecar?: PageBridge };
  if (electronSidecar) return electronSidecar;
  const message =
    "The page has no sidecar: its window needs electron-sidecar/preload as webPreferences.preload.";
  throw new SidecarError("bridge_missing", message);
}

/** What is plain data crosses to the main process, and nothing else does. */
function plainInput(input: unknown): AnyCallInput | undefined {
  if (typeof input !== "object" || input === null) return input as undefined;
  const parts = Object.entries(input).map(([name, part]) => [name, plainData(part, name)]);
  return Object.fromEntries(parts) as AnyCallInput;
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
