// A live query: the result of an operation, read again whenever what it reads may have changed.

import { Coalesced } from "./coalesced.js";
import { SidecarError } from "./errors.js";
import type { AnyCallInput } from "./operations.js";
import type { Status } from "./status.js";
import type { Watching } from "./watching.js";

export interface LiveOptions {
  /** Ends it, as the returned function does. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called when reading fails, but not while the sidecar is starting or restarting. The query continues: a failure that may
   * pass is tried again, and the next change is read. Without it, an error is an unhandled rejection.
   */
  readonly onError?: ((error: SidecarError) => void) | undefined;
}

/** The part of a client that is used. */
export interface LiveSource {
  call(
    operation: string,
    input: AnyCallInput | undefined,
    options: { signal: AbortSignal },
  ): Promise<unknown>;
  status(): Promise<Status>;
}

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 30_000;

/** Calls the listener with each new result, until the returned function is called. */
export function live(
  source: LiveSource,
  watching: Watching,
  query: { readonly operation: string; readonly input: AnyCallInput | undefined },
  listener: (result: unknown) => void,
  options: LiveOptions,
): () => void {
  if (options.signal?.aborted) return () => undefined;
  const running = new LiveQuery(source, query, listener, options.onError);
  const unwatch = watching.watch(query.operation, {
    changed: () => running.read(),
    failed: (error) => {
      end();
      running.report(error);
    },
  });
  const end = (): void => {
    options.signal?.removeEventListener("abort", end);
    unwatch();
    running.end();
  };
  options.signal?.addEventListener("abort", end);
  return end;
}

/** Calls the listener whenever the operation should be read again; see `Client.watch`. */
export function watch(
  watching: Watching,
  operation: string,
  listener: () => void,
  { signal, onError = unhandled }: LiveOptions,
): () => void {
  if (signal?.aborted) return () => undefined;
  const failed = (error: unknown): void => onError(error as SidecarError);
  const end = watching.watch(operation, { changed: listener, failed });
  signal?.addEventListener("abort", end, { once: true });
  return () => {
    signal?.removeEventListener("abort", end);
    end();
  };
}

function unhandled(error: SidecarError): void {
  void Promise.reject(error);
}

class LiveQuery {
  readonly #reading = new Coalesced(() => this.#read());
  readonly #controller = new AbortController();
  /** The latest result as JSON, or the latest error: one that comes again is not delivered again. */
  #latest: string | undefined;
  #isEnded = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;

  constructor(
    private readonly source: LiveSource,
    private readonly query: { readonly operation: string; readonly input: AnyCallInput | undefined },
    private readonly listener: (result: unknown) => void,
    private readonly onError: (error: SidecarError) => void = unhandled,
  ) {}

  read(): void {
    this.#reading.request();
  }

  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#retry);
    this.#reading.end();
    this.#controller.abort();
  }

  report(error: unknown): void {
    const { code, message } = error as SidecarError;
    if (this.#isNew(`${code}: ${message}`)) this.onError(error as SidecarError);
  }

  async #read(): Promise<void> {
    clearTimeout(this.#retry);
    const { operation, input } = this.query;
    let result: unknown;
    try {
      result = await this.source.call(operation, input, { signal: this.#controller.signal });
    } catch (error) {
      return this.#failed(error);
    }
    this.#failures = 0;
    if (!this.#isEnded && this.#isNew(JSON.stringify([result]))) this.listener(result);
  }

  async #failed(error: unknown): Promise<void> {
    const { state } = await this.source.status();
    // Any other sidecar is on its way, or is not wanted: a reset follows when it is ready.
    if (this.#isEnded || (state !== "ready" && state !== "failed")) return;
    if (state === "ready" && error instanceof SidecarError && error.retryable) {
      const pauseMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#failures++);
      this.#retry = setTimeout(() => this.read(), pauseMs);
    }
    this.report(error);
  }

  #isNew(text: string): boolean {
    const isNew = this.#latest !== text;
    this.#latest = text;
    return isNew;
  }
}
