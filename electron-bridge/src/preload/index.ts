// electron-sidecar/preload: the bridge of a page, as plain functions and plain data. Runs in a sandboxed page.

import { contextBridge, ipcRenderer } from "electron";
import {
  type Answer,
  channels,
  type EventMessage,
  type PageBridge,
  type RequestKind,
  type RequestMessage,
} from "../shared/channels.js";
import type { BridgeErrorCode } from "../shared/errors.js";
import { RequestWindow } from "./window.js";

export type { PageBridge };

declare global {
  interface Window {
    readonly electronSidecar: PageBridge;
  }
}

/** Sends a request. `invoke` rejects if main serves no such channel, or for a non-data value; this answers an envelope. */
async function request<Kind extends RequestKind>(
  message: RequestMessage & { kind: Kind },
): Promise<Answer<Kind>> {
  try {
    return (await ipcRenderer.invoke(channels.request, message)) as Answer<Kind>;
  } catch (error) {
    return { ok: false, error: { ...refusal(error), status: null, retryable: false, errors: [] } };
  }
}

function refusal(error: unknown): { code: BridgeErrorCode; message: string } {
  if (error instanceof Error && error.message.includes("could not be cloned")) {
    return {
      code: "invalid_call",
      message: "The call cannot be made: only plain data, as in JSON, can be sent.",
    };
  }
  const reason = error instanceof Error ? error.message : String(error);
  if (reason.includes("No handler registered")) {
    const message =
      "The main process does not serve the page: it must call exposeToPages before its windows load their pages.";
    return { code: "bridge_missing", message };
  }
  return { code: "internal_error", message: `The main process did not answer: ${reason}.` };
}

type NoticesListener = Parameters<PageBridge["subscribe"]>[2];
type StatusListener = Parameters<PageBridge["onStatus"]>[0];
const subscriptions = new Map<string, NoticesListener>();
const requestWindow = new RequestWindow();
/** Each listener in an object of its own: the same function may listen twice. */
const statusListeners = new Set<{ readonly listener: StatusListener }>();
let requestCount = 0;
/** Set once main was asked to send every change of the status, unless it refused. */
let watching: Promise<void> | undefined;

async function watch(): Promise<void> {
  const answer = await request({ kind: "watch" });
  if (!answer.ok) watching = undefined;
}

// The only listener, however many the page has: Electron warns of eleven.
ipcRenderer.on(channels.event, (_: unknown, event: EventMessage) => {
  if (event.kind === "status") {
    for (const { listener } of [...statusListeners]) listener(event.status);
    return;
  }
  void request({ kind: "taken", id: event.id, count: event.notices.length });
  subscriptions.get(event.id)?.(event.notices);
});

const bridge: PageBridge = {
  call: (id, operation, input, key, asJob) =>
    requestWindow.request(id, (waitedMs) =>
      request({
        kind: "call",
        id,
        operation,
        ...(input && { input }),
        ...(key !== undefined && { key }),
        ...(asJob === true && { asJob }),
        ...(waitedMs > 0 && { waitedMs }),
      }),
    ),
  cancel: (id) => {
    if (requestWindow.cancel(id)) void request({ kind: "cancel", id });
  },
  // No page's id has a space in it.
  status: () => requestWindow.request(`status ${(requestCount += 1)}`, () => request({ kind: "watch" })),
  topics: (operation) =>
    requestWindow.request(`topics ${(requestCount += 1)}`, () => request({ kind: "topics", operation })),
  onStatus: (listener) => {
    const box = { listener };
    statusListeners.add(box);
    watching ??= watch();
    return () => void statusListeners.delete(box);
  },
  subscribe: async (id, topics, listener) => {
    subscriptions.set(id, listener);
    const answer = await requestWindow.request(id, () => request({ kind: "subscribe", id, topics }));
    if (!answer.ok) subscriptions.delete(id);
    return answer;
  },
  unsubscribe: (id) => {
    if (!subscriptions.delete(id) || requestWindow.withdraw(id)) return;
    void request({ kind: "unsubscribe", id });
  },
};

contextBridge.exposeInMainWorld("electronSidecar", bridge);
