// electron-sidecar/preload: the whole of what a page gets, as plain functions and plain data. Runs in a sandboxed page.

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

/** `invoke` rejects if main serves no such channel, or for what is no data: the page gets an envelope all the same. */
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
  const message = "The main process does not serve pages: it must call exposeToPages first.";
  return { code: "bridge_missing", message };
}

type NoticesListener = Parameters<PageBridge["subscribe"]>[2];
type StatusListener = Parameters<PageBridge["onStatus"]>[0];
const subscriptions = new Map<string, NoticesListener>();
const requestWindow = new RequestWindow();
/** Each in a box of its own: the same function may listen twice. */
const statusListeners = new Set<{ readonly listener: StatusListener }>();

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
  call: (id, operation, input, key) =>
    requestWindow.request(id, (waitedMs) =>
      request({
        kind: "call",
        id,
        operation,
        ...(input && { input }),
        ...(key !== undefined && { key }),
        ...(waitedMs > 0 && { waitedMs }),
      }),
    ),
  cancel: (id) => {
    if (!requestWindow.withdraw(id)) void request({ kind: "cancel", id });
  },
  status: () => request({ kind: "watch" }),
  onStatus: (listener) => {
    const box = { listener };
    statusListeners.add(box);
    void request({ kind: "watch" });
    return () => void statusListeners.delete(box);
  },
  subscribe: async (id, topics, listener) => {
    subscriptions.set(id, listener);
    const answer = await requestWindow.request(id, () => request({ kind: "subscribe", id, topics }));
    if (!answer.ok) subscriptions.delete(id);
    return answer;
  },
  unsubscribe: (id) => {
    subscriptions.delete(id);
    if (!requestWindow.withdraw(id)) void request({ kind: "unsubscribe", id });
  },
};

contextBridge.exposeInMainWorld("electronSidecar", bridge);
