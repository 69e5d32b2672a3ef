// The two IPC channels and everything that may cross them. A new kind of request that main does not serve does not compile.

import type { Envelope } from "./errors.js";
import type { Notice } from "./events.js";
import type { AnyCallInput } from "./operations.js";
import type { Status } from "./status.js";

export const channels = {
  /** Page to main, answered with an Envelope. */
  request: "electron-sidecar:request",
  /** Main to the pages that watch. */
  event: "electron-sidecar:event",
} as const;

/** Where a page of the app finds why its preload script failed, as text, and the event that says that it is there. */
export const FAILURE_NAME = "electronSidecarFailure";
export const FAILURE_EVENT = "electron-sidecar-failure";

/** The requests of a page: each with its message and the content of the answer's envelope. */
export interface Requests {
  /** `id` is chosen by the page; `cancel` names the call by it. */
  call: {
    message: {
      id: string;
      operation: string;
      input?: AnyCallInput;
      key?: string;
      /** Whether the call begins long work, and is answered with its job. */
      asJob?: boolean;
      /** Milliseconds that the call has waited in the page already; they count as part of its timeout. */
      waitedMs?: number;
    };
    answer: unknown;
  };
  cancel: { message: { id: string }; answer: null };
  /** The status now, and from now on as events. */
  watch: { message: object; answer: Status };
  /** The topics on which the operation's answer depends. */
  topics: { message: { operation: string }; answer: readonly string[] };
  /** Live events of these topics, from now on; `id` is chosen by the page, and names the subscription afterwards. */
  subscribe: { message: { id: string; topics: readonly string[] }; answer: null };
  unsubscribe: { message: { id: string }; answer: null };
  /** Acknowledges `count` notices: main stops sending to a page that has too many unacknowledged. */
  taken: { message: { id: string; count: number }; answer: null };
}

export type RequestKind = keyof Requests;

export type RequestMessage = {
  [Kind in RequestKind]: { kind: Kind } & Requests[Kind]["message"];
}[RequestKind];

export type Answer<Kind extends RequestKind> = Envelope<Requests[Kind]["answer"]>;

/** The messages that main sends to pages. */
export type EventMessage =
  | { readonly kind: "status"; readonly status: Status }
  | { readonly kind: "notices"; readonly id: string; readonly notices: readonly Notice[] };

/** The bridge that the preload puts on `window.electronSidecar`: plain functions and plain data. */
export interface PageBridge {
  call(
    id: string,
    operation: string,
    input?: AnyCallInput,
    key?: string,
    asJob?: boolean,
  ): Promise<Answer<"call">>;
  cancel(id: string): void;
  status(): Promise<Answer<"watch">>;
  topics(operation: string): Promise<Answer<"topics">>;
  /** Calls the listener on every change; returns a function that ends this. */
  onStatus(listener: (status: Status) => void): () => void;
  /** Calls the listener with all notices that came at one time together, until `unsubscribe`. */
  subscribe(
    id: string,
    topics: readonly string[],
    listener: (notices: readonly Notice[]) => void,
  ): Promise<Answer<"subscribe">>;
  unsubscribe(id: string): void;
}
