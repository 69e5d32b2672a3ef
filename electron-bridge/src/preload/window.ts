// Lets a page have only so many requests on their way to the main process. The others wait here, in the page's own process:
// a page that asks for too much at once keeps neither the main process nor other pages waiting.

import type { BridgeErrorCode, Envelope } from "../shared/errors.js";

/** More than main runs for one page at a time, so that it never waits for the page. */
const MAX_UNDER_WAY = 64;
/** More than a page can need, few enough to be no burden; those beyond are refused at once. */
const MAX_WAITING = 10_000;

interface Waiting {
  readonly begin: () => void;
  readonly refuse: (refusal: Envelope<never>) => void;
}

export class RequestWindow {
  #underWay = 0;
  /** By the id that the page chose, in order. */
  readonly #waiting = new Map<string, Waiting>();

  /** Sends the request when it is its turn; `send` gets the milliseconds that it has waited. */
  request<Value>(id: string, send: (waitedMs: number) => Promise<Envelope<Value>>): Promise<Envelope<Value>> {
    if (this.#underWay < MAX_UNDER_WAY) return this.#send(() => send(0));
    if (this.#waiting.size >= MAX_WAITING) {
      const message = `${MAX_WAITING} requests of this page are waiting already; wait for answers, or use a batch operation.`;
      return Promise.resolve(refusal("too_many_calls", message, true));
    }
    if (this.#waiting.has(id)) {
      return Promise.resolve(refusal("invalid_call", "Another request of this page has its id.", false));
    }
    const since = performance.now();
    return new Promise((resolve) => {
      const begin = (): void => resolve(this.#send(() => send(performance.now() - since)));
      this.#waiting.set(id, { begin, refuse: resolve });
    });
  }

  /** Whether a request of this id was waiting; it is not sent any more. */
  withdraw(id: string): boolean {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.refuse(refusal("cancelled", "The call was cancelled.", false));
    return waiting !== undefined;
  }

  async #send<Answer>(send: () => Promise<Answer>): Promise<Answer> {
    this.#underWay += 1;
    try {
      return await send();
    } finally {
      this.#underWay -= 1;
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
