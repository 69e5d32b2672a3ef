// The calls of pages. Each page has its own queue, of which only `pageConcurrency` calls run at one time, so that the
// calls of other pages find a free connection at once.

import { SidecarError } from "../../shared/errors.js";
import type { OperationId } from "../../shared/operations.js";
import { noAnswerWithin } from "../calls/calls.js";
import type { Sidecar } from "../sidecar.js";

type AnyCall = (operation: OperationId, ...rest: unknown[]) => Promise<unknown>;

/** A call of a page; input and key are checked where the request is built. */
export interface PageCall {
  readonly id: string;
  readonly operation: OperationId;
  readonly input: unknown;
  readonly key: unknown;
  /** Whether it begins long work, and is answered with its job. */
  readonly asJob: boolean;
  /** How long it has waited in the page already. */
  readonly waitedMs: number;
}

/** The calls of one page. */
interface PageQueue {
  /** All of them, by the id that the page chose. */
  readonly underWay: Map<string, AbortController>;
  running: number;
  /** Functions that each let a waiting call run, in order. */
  readonly waiting: Set<() => void>;
}

export class PageCalls {
  readonly #queues = new Map<number, PageQueue>();

  /** Made once: a page that keeps asking must cost little. */
  readonly #tooManyCalls: SidecarError;

  constructor(private readonly sidecar: Sidecar) {
    this.#tooManyCalls = tooManyCalls(sidecar.policy.maxPageCalls);
  }

  async call(pageId: number, { id, operation, input, key, asJob, waitedMs }: PageCall): Promise<unknown> {
    const queue = this.#queueFor(pageId);
    const controller = this.#enter(queue, id);
    const { callTimeoutMs, pageConcurrency } = this.sidecar.policy;
    const since = this.sidecar.now() - waitedMs;
    try {
      if (queue.running >= pageConcurrency) await turn(queue, controller.signal);
      else queue.running += 1;
      try {
        const timeoutMs = Math.round(callTimeoutMs - (this.sidecar.now() - since));
        if (timeoutMs <= 0) throw noAnswerWithin(operation, callTimeoutMs);
        const rest = [input, { signal: controller.signal, key, timeoutMs }];
        const send = asJob ? this.sidecar.jobs.start : this.sidecar.call;
        return await (send as AnyCall)(operation, ...rest);
      } finally {
        passOn(queue);
      }
    } finally {
      queue.underWay.delete(id);
      if (queue.underWay.size === 0) this.#queues.delete(pageId);
    }
  }

  cancel(pageId: number, id: string): void {
    this.#queues.get(pageId)?.underWay.get(id)?.abort();
  }

  #queueFor(pageId: number): PageQueue {
    const queue = this.#queues.get(pageId) ?? { underWay: new Map(), running: 0, waiting: new Set() };
    this.#queues.set(pageId, queue);
    return queue;
  }

  #enter({ underWay }: PageQueue, id: string): AbortController {
    const { maxPageCalls } = this.sidecar.policy;
    if (underWay.size >= maxPageCalls) throw this.#tooManyCalls;
    if (underWay.has(id)) {
      throw new SidecarError("invalid_call", "The page's request is wrong: another call has its id.");
    }
    const controller = new AbortController();
    underWay.set(id, controller);
    return controller;
  }
}

/** Resolves when a call that runs has passed its place on; rejects if the signal ends first. */
function turn(queue: PageQueue, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const begin = (): void => {
      signal.removeEventListener("abort", leave);
      resolve();
    };
    const leave = (): void => {
      queue.waiting.delete(begin);
      reject(new SidecarError("cancelled", "The call was cancelled."));
    };
    queue.waiting.add(begin);
    signal.addEventListener("abort", leave);
  });
}

/** Gives the place of a call that has ended to the one that has waited longest. */
function passOn(queue: PageQueue): void {
  for (const begin of queue.waiting) {
    queue.waiting.delete(begin);
    begin();
    return;
  }
  queue.running -= 1;
}

function tooManyCalls(limit: number): SidecarError {
  const message = `${limit} calls of this page are under way already; wait for their answers, or use a batch operation.`;
  return new SidecarError("too_many_calls", message, { retryable: true });
}
