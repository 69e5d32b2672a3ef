// The parts of Electron's objects that the main process uses. Types only: the bridge never imports Electron here.

/** The part of Electron's `ipcMain` that is used. */
export interface IpcMainLike {
  handle(channel: string, listener: (event: IpcEventLike, message: unknown) => Promise<unknown>): void;
  removeHandler(channel: string): void;
}

export interface IpcEventLike {
  readonly sender: WebContentsLike;
  readonly senderFrame: { readonly url: string; readonly parent: unknown } | null;
}

/** The part of Electron's `WebContents` that is used. */
export interface WebContentsLike {
  readonly id: number;
  getURL(): string;
  send(channel: string, message: unknown): void;
  once(event: "destroyed", listener: () => void): unknown;
  on(event: "did-navigate", listener: () => void): unknown;
  // eslint-disable-next-line @typescript-eslint/unified-signatures -- Electron's own has one signature for each
  on(event: "render-process-gone", listener: () => void): unknown;
}

/** The part of Electron's `powerMonitor` that is used. */
export interface PowerMonitorLike {
  on(event: "suspend", listener: () => void): unknown;
  // eslint-disable-next-line @typescript-eslint/unified-signatures -- Electron's own has one signature for each
  on(event: "resume", listener: () => void): unknown;
  removeListener(event: string, listener: () => void): unknown;
}
