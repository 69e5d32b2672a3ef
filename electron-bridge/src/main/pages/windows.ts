// Watches the app's windows for the mistakes of its first hour: a preload script that fails, and pages of a scheme that
// Electron does not serve. None of them reaches the page or its calls as an error that names its cause.

import { FAILURE_EVENT, FAILURE_NAME } from "../../shared/channels.js";
import type { BridgeWarningCode } from "../../shared/status.js";
import type { ElectronLike, ProtocolLike, WindowContentsLike } from "../electron-types.js";
import { originOf } from "./origins.js";

/** Schemes that Electron serves without the app. */
const BUILT_IN = ["http", "https", "file"];
/** Electron 25 has it; Node's types for 16 do not. */
type ResponseMaker = new (body: string, init: { headers: Record<string, string> }) => unknown;

const OWN_NAME = "electron-sidecar";

export interface WindowWatchOptions {
  /** Undefined where this is not Electron's main process: then nothing is watched. */
  readonly electron: ElectronLike | undefined;
  readonly isOwn: (url: string) => boolean;
  readonly warn: (warning: { readonly code: BridgeWarningCode; readonly message: string }) => void;
}

/** Warns of each mistake once. Returns a function that ends this. */
export function watchWindows({ electron, isOwn, warn }: WindowWatchOptions): () => void {
  if (electron === undefined) return () => undefined;
  const warned = new Set<string>();
  let isWatching = true;
  const warnOnce = (code: BridgeWarningCode, message: string): void => {
    if (!warned.has(message)) warn({ code, message });
    warned.add(message);
  };

  const watch = (contents: WindowContentsLike): void => {
    contents.on("preload-error", (_, path, error) => {
      const isPage = isWatching && isOwn(contents.getURL());
      if (!isPage && !(isWatching && error.message.includes(OWN_NAME))) return;
      const message = preloadFailure(path, error.message);
      warnOnce("preload_failed", message);
      if (isPage) publish(contents, message);
    });
    contents.on("did-start-navigation", (_, url, isInPage, isMainFrame) => {
      const scheme = schemeOf(url);
      if (!isWatching || isInPage || !isMainFrame || scheme === undefined || !isOwn(url)) return;
      if (isServed(contents.session.protocol, scheme)) return;
      const message = notHandled(url, scheme);
      warnOnce("scheme_not_handled", message);
      showOnce(contents.session.protocol, scheme, message);
    });
    contents.on("did-navigate", (_, url) => {
      const scheme = schemeOf(url);
      if (!isWatching || scheme === undefined || !isOwn(url) || contents.mainFrame.origin !== "null") return;
      warnOnce("scheme_not_privileged", notPrivileged(url, scheme));
    });
  };

  const onCreated = (_: unknown, contents: WindowContentsLike): void => watch(contents);
  electron.app.on("web-contents-created", onCreated);
  for (const contents of electron.webContents.getAllWebContents()) watch(contents);
  return () => {
    isWatching = false;
    electron.app.removeListener("web-contents-created", onCreated);
  };
}

/** The scheme of a page that the app itself must serve, without its colon. */
function schemeOf(url: string): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  return scheme === undefined || BUILT_IN.includes(scheme) ? undefined : scheme;
}

/**
 * Serves the text to the navigation that has just begun, and nothing after it. Otherwise the window stays blank, and the
 * system is asked which program opens the address; to stop the navigation now would crash Electron 22.
 */
function showOnce(protocol: ProtocolLike, scheme: string, text: string): void {
  if (protocol.handle && protocol.unhandle) {
    protocol.handle(scheme, () => {
      setImmediate(() => protocol.unhandle?.(scheme));
      return new (globalThis as unknown as { Response: ResponseMaker }).Response(text, {
        headers: { "content-type": "text/plain; charset=utf-8" },
      });
    });
    return;
  }
  protocol.registerStringProtocol(scheme, (_, done) => {
    setImmediate(() => protocol.unregisterProtocol(scheme));
    done({ mimeType: "text/plain", charset: "utf-8", data: text });
  });
}

function isServed(protocol: ProtocolLike, scheme: string): boolean {
  return protocol.isProtocolRegistered(scheme) || protocol.isProtocolIntercepted(scheme);
}

/** Hands the page the reason why it has no bridge: nothing else of the preload script has reached it. */
function publish(contents: WindowContentsLike, message: string): void {
  const script = `globalThis.${FAILURE_NAME} = ${JSON.stringify(message)}; dispatchEvent(new Event("${FAILURE_EVENT}")); 0`;
  // A page that is gone by now needs no reason.
  contents.mainFrame.executeJavaScript(script).catch(() => undefined);
}

function preloadFailure(path: string, reason: string): string {
  const advice = reason.includes("module not found")
    ? " A sandboxed preload script can load nothing but Electron: bundle it into one CommonJS file, or name " +
      "electron-sidecar/preload itself as webPreferences.preload."
    : "";
  return `The preload script ${path} failed: ${reason.replace(/\.$/, "")}.${advice}`;
}

function notHandled(url: string, scheme: string): string {
  return (
    `The window cannot show ${originOf(url) ?? url}: no handler serves the scheme '${scheme}' in its session. Call ` +
    `protocol.handle("${scheme}", …) once the app is ready, before the window loads its page.`
  );
}

function notPrivileged(url: string, scheme: string): string {
  return (
    `The page ${originOf(url) ?? url} has no origin, because the scheme '${scheme}' is not registered as standard: ` +
    "modules, relative addresses and storage do not work in it. Call protocol.registerSchemesAsPrivileged([{ scheme: " +
    `"${scheme}", privileges: { standard: true, secure: true, supportFetchAPI: true } }]) before the app is ready.`
  );
}
