// Limits the requests of a page that are on their way to the main process. The others wait here, in the page's own process:
// a page that asks for too much at once keeps neither the main process nor other pages waiting.

import type { BridgeErrorCode, Envelope } from "../shared/errors.js";

/** Requests that may be sent at one time: more than main runs for one page, so that it never waits for the page. */
const MAX_UNDER_WAY = 64;
/** Requests that may wait: more than a page can need, few enough to be cheap. Those beyond are refused at once. */
const MAX_WAITING = 10_000;

interface Waiting {
  readonly begin: () => void;
  readonly refuse: (refusal: Envelope<never>) => void;
}

export class RequestWindow {
  /** Requests that were sent, by the id that the page chose. */
  readonly #underWay = new Map<string, { isCancelled: boolean }>();
  /** Requests that were not sent yet, in order. */
  readonly #waiting = new Map<string, Waiting>();

  /** Sends the request when it is its turn; `send` gets the milliseconds that it has waited. */
  request<Value>(id: string, send: (waitedMs: number) => Promise<Envelope<Value>>): Promise<Envelope<Value>> {
    if (this.#underWay.has(id) || this.#waiting.has(id)) {
      return Promise.resolve(refusal("invalid_call", "Another request of this page has its id.", false));
    }
    if (this.#underWay.size < MAX_UNDER_WAY) return this.#send(id, () => send(0));
    if (this.#waiting.size >= MAX_WAITING) {
      const message = `${MAX_WAITING} requests of this page are waiting already; wait for answers, or use a batch operation.`;
      return Promise.resolve(refusal("too_many_calls", message, true));
    }
    const since = performance.now();
    return new Promise((resolve) => {
      const begin = (): void => resolve(this.#send(id, () => send(performance.now() - since)));
      this.#waiting.set(id, { begin, refuse: resolve });
    });
  }

  /** Removes a waiting request, which is never sent then. Returns whether there was one of this id. */
  withdraw(id: string): boolean {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.refuse(refusal("cancelled", "The call was cancelled.", false));
    return waiting !== undefined;
  }

  /** Withdraws a waiting request. Returns true, once, for a request that main must cancel because it was sent. */
  cancel(id: string): boolean {
    const sent = this.#underWay.get(id);
    if (this.withdraw(id) || !sent || sent.isCancelled) return false;
    sent.isCancelled = true;
    return true;
  }

  async #send<Answer>(id: string, send: () => Promise<Answer>): Promise<Answer> {
    this.#underWay.set(id, { isCancelled: false });
    try {
      return await send();
    } finally {
      this.#underWay.delete(id);
      this.#beginNext();
    }
  }

  #beginNext(): void {
    for (const [id, { begin }] of this.#waiting) {
      this.#waiting.delete(id);
      begin();
      return;
    }
  }
}

function refusal(code: BridgeErrorCode, message: string, retryable: boolean): Envelope<never> {
  return { ok: false, error: { code, message, status: null, retryable, errors: [] } };
}
