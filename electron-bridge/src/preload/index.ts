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

export type { PageBridge };

declare global {
  interface Window {
    readonly electronSidecar: PageBridge;
  }
}

/** `invoke` rejects only if main serves no such channel: the page gets an envelope all the same. */
async function request<Kind extends RequestKind>(
  message: RequestMessage & { kind: Kind },
): Promise<Answer<Kind>> {
  try {
    return (await ipcRenderer.invoke(channels.request, message)) as Answer<Kind>;
  } catch {
    const message = "The main process does not serve pages: it must call exposeToPages first.";
    return {
      ok: false,
      error: { code: "bridge_missing", message, status: null, retryable: false, errors: [] },
    };
  }
}

type NoticesListener = Parameters<PageBridge["subscribe"]>[2];
const subscriptions = new Map<string, NoticesListener>();

ipcRenderer.on(channels.event, (_: unknown, event: EventMessage) => {
  if (event.kind !== "notices") return;
  void request({ kind: "taken", id: event.id, count: event.notices.length });
  subscriptions.get(event.id)?.(event.notices);
});

const bridge: PageBridge = {
  call: (id, operation, input, key) =>
    request({
      kind: "call",
      id,
      operation,
      ...(input && { input }),
      ...(key !== undefined && { key }),
    }),
  cancel: (id) => void request({ kind: "cancel", id }),
  status: () => request({ kind: "watch" }),
  onStatus: (listener) => {
    const onEvent = (_: unknown, event: EventMessage): void => {
      if (event.kind === "status") listener(event.status);
    };
    ipcRenderer.on(channels.event, onEvent);
    void request({ kind: "watch" });
    return () => void ipcRenderer.removeListener(channels.event, onEvent);
  },
  subscribe: (id, topics, listener) => {
    subscriptions.set(id, listener);
    return request({ kind: "subscribe", id, topics });
  },
  unsubscribe: (id) => {
    subscriptions.delete(id);
    void request({ kind: "unsubscribe", id });
  },
};

contextBridge.exposeInMainWorld("electronSidecar", bridge);
