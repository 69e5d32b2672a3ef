// Calls: each waits for a sidecar that answers, within bounds, and is sent again when its answer was lost with a sidecar.

import { SidecarError } from "../../shared/errors.js";
import { onAbort } from "./abort.js";
import type { Clock } from "../supervision/clock.js";
import type { Policy } from "../supervision/policy.js";
import { type HttpClient, Unanswered } from "./http-client.js";
import { buildRequest } from "./http-request.js";
import { builtInOperations } from "../../shared/operations.js";

export interface CallOptions {
  /** Ends the call with the error `cancelled`. A write that was sent may still happen. */
  readonly signal?: AbortSignal;
  /** How long the call may take in all, in milliseconds; else the policy's `callTimeoutMs`. */
  readonly timeoutMs?: number;
  /** The idempotency key of a write, to ask again for one whose answer was not seen; else one is made. */
  readonly key?: string;
}

/** The first pause before a call is sent again, doubling to the longest: the news that a sidecar ended comes first. */
const REPLAY_FIRST_MS = 20;
const REPLAY_MAX_MS = 1_000;

/** The way of calls now: they go to this client, or wait, or are refused. */
type Gate = { readonly client: HttpClient } | "wait" | { readonly refusal: SidecarError };

export class Calls {
  /** Functions that make a waiting call check the gate again. */
  readonly #waiting = new Set<() => void>();
  #gate: Gate = {
    refusal: new SidecarError("not_running", "The app has not started the sidecar; call start() first."),
  };

  constructor(
    private readonly policy: Policy,
    private readonly clock: Clock,
    private readonly operations = builtInOperations,
  ) {}

  /** Sends calls to this client from now on, waiting ones included. */
  open(client: HttpClient): void {
    this.#change({ client });
  }

  /** Makes calls wait from now on. */
  hold(): void {
    this.#change("wait");
  }

  /** Makes calls fail with this error from now on, waiting ones included. */
  refuse(refusal: SidecarError): void {
    this.#change({ refusal });
  }

  /** Resolves with the JSON that the operation answered. Reads are sent again, and changes that carry a key. */
  async call(operation: string, input: unknown, options: CallOptions, asJob = false): Promise<unknown> {
    const request = buildRequest(operation, input, options.key, this.operations, asJob);
    this.#checkPlaces();
    const end = this.#endOf(operation, options);
    try {
      for (let replay = 0; ; replay += 1) {
        const client = await this.#clientOnceOpen(end.signal);
        try {
          return await client.send(request, end.signal);
        } catch (error) {
          if (!(error instanceof Unanswered)) throw error;
          if (!request.replayable) throw unanswered(operation);
        }
        const pauseMs = Math.min(REPLAY_MAX_MS, REPLAY_FIRST_MS * 2 ** replay);
        await wait(end.signal, (done) => this.clock.after(pauseMs, done));
      }
    } finally {
      end.dispose();
    }
  }

  #change(gate: Gate): void {
    this.#gate = gate;
    for (const check of [...this.#waiting]) check();
  }

  /** New calls only: a call that was already sent must be retried, because only a retry reveals whether it took effect. */
  #checkPlaces(): void {
    const { size } = this.#waiting;
    if (this.#gate === "wait" && size >= this.policy.maxWaitingCalls) throw tooManyCalls(size);
  }

  async #clientOnceOpen(signal: AbortSignal): Promise<HttpClient> {
    while (this.#gate === "wait") {
      await wait(signal, (check) => {
        this.#waiting.add(check);
        return () => this.#waiting.delete(check);
      });
    }
    if ("refusal" in this.#gate) throw this.#gate.refusal;
    return this.#gate.client;
  }

  /** A signal that carries, as its reason, why the call ends before it has an answer. */
  #endOf(operation: string, options: CallOptions): { signal: AbortSignal; dispose: () => void } {
    const timeoutMs = options.timeoutMs ?? this.policy.callTimeoutMs;
    const controller = new AbortController();
    const cancel = (): void =>
      controller.abort(new SidecarError("cancelled", `The call of '${operation}' was cancelled.`));
    const stopTimer = this.clock.after(timeoutMs, () =>
      controller.abort(noAnswerWithin(operation, timeoutMs)),
    );
    const forget = options.signal && onAbort(options.signal, cancel);
    const dispose = (): void => {
      stopTimer();
      forget?.();
    };
    return { signal: controller.signal, dispose };
  }
}

export function noAnswerWithin(operation: string, timeoutMs: number): SidecarError {
  const message = `'${operation}' had no answer within ${timeoutMs} ms.`;
  return new SidecarError("timeout", message, { retryable: true });
}

function unanswered(operation: string): SidecarError {
  const message =
    `The sidecar ended while it was answering '${operation}'. The change may have happened; it takes no idempotency ` +
    "key, so it was not sent again.";
  return new SidecarError("unanswered", message);
}

function tooManyCalls(waiting: number): SidecarError {
  const message = `${waiting} calls wait for the sidecar already; call again when it is ready.`;
  return new SidecarError("too_many_calls", message, { retryable: true });
}

/** Resolves when what it begins is done, rejects when the signal ends first, and leaves nothing behind on either. */
function wait(signal: AbortSignal, begin: (done: () => void) => () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const settle = (outcome: () => void): void => {
      undo();
      signal.removeEventListener("abort", end);
      outcome();
    };
    const end = (): void => settle(() => reject(signal.reason as Error));
    const undo = begin(() => settle(resolve));
    signal.addEventListener("abort", end);
  });
}
