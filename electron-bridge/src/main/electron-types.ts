// The parts of Electron's objects that the main process uses. Types only: the app hands in the objects, except those that
// only help to find its mistakes.

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

/** The part of Electron that is asked where a window fails. */
export interface ElectronLike {
  readonly app: {
    on(
      event: "web-contents-created",
      listener: (event: unknown, contents: WindowContentsLike) => void,
    ): unknown;
    removeListener(
      event: "web-contents-created",
      listener: (event: unknown, contents: WindowContentsLike) => void,
    ): unknown;
  };
  readonly webContents: { getAllWebContents(): readonly WindowContentsLike[] };
}

/** The part of a session's `Protocol` that is used. Electron 25 brought `handle`; before it, there were others. */
export interface ProtocolLike {
  isProtocolRegistered(scheme: string): boolean;
  isProtocolIntercepted(scheme: string): boolean;
  handle?(scheme: string, handler: () => unknown): void;
  unhandle?(scheme: string): void;
  registerStringProtocol(
    scheme: string,
    handler: (request: unknown, done: (answer: StringAnswer) => void) => void,
  ): unknown;
  unregisterProtocol(scheme: string): unknown;
}

interface StringAnswer {
  readonly mimeType: string;
  readonly charset: string;
  readonly data: string;
}

/** The part of a window's `WebContents` that says how its page comes to be. */
export interface WindowContentsLike {
  readonly session: { readonly protocol: ProtocolLike };
  readonly mainFrame: { readonly origin?: string; executeJavaScript(code: string): Promise<unknown> };
  getURL(): string;
  on(
    event: "preload-error",
    listener: (event: unknown, preloadPath: string, error: { readonly message: string }) => void,
  ): unknown;
  on(
    event: "did-start-navigation",
    listener: (event: unknown, url: string, isInPage: boolean, isMainFrame: boolean) => void,
  ): unknown;
  on(event: "did-navigate", listener: (event: unknown, url: string) => void): unknown;
}
