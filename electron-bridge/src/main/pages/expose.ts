// The requests of pages to the main process: who may send one, what for, and in which shape. None of it is trusted.

import { channels, type EventMessage, type RequestKind, type Requests } from "../../shared/channels.js";
import { type Envelope, shapeOf, SidecarError } from "../../shared/errors.js";
import { findOperation, type OperationId, type OperationTable } from "../../shared/operations.js";
import { statusOf } from "../../shared/status.js";
import { nearest } from "../../shared/nearest.js";
import type { ElectronLike, IpcMainLike, WebContentsLike } from "../electron-types.js";
import { topicsOf, unknownOperation } from "../calls/http-request.js";
import { checkedOrigin, foreignFrame, originOf } from "./origins.js";
import { PageCalls } from "./calls.js";
import { PageSubscriptions } from "./subscriptions.js";
import { runningElectron } from "../electron.js";
import { watchWindows } from "./windows.js";
import type { Sidecar } from "../sidecar.js";

export interface ExposeOptions {
  readonly ipcMain: IpcMainLike;
  /** The origins of the app's own pages, such as `app://console`: scheme and host, no path. */
  readonly origins: readonly string[];
  /** Restricted operations that pages may call all the same. */
  readonly allow?: readonly OperationId[];
  /** Operations that pages may not call; `events.stream` stands for subscribing to live events. */
  readonly deny?: readonly (OperationId | typeof STREAM)[];
}

const MAX_ID_LENGTH = 100;
/** The operation behind a subscription. No call can make it: its answer never ends. */
const STREAM = "events.stream";

type Message = Readonly<Record<string, unknown>>;
type MaybePromise<Value> = Value | Promise<Value>;
/** A handler for each kind of request; without one of them this does not compile. */
type Servers = {
  [Kind in RequestKind]: (
    message: Message,
    sender: WebContentsLike,
  ) => MaybePromise<Requests[Kind]["answer"]>;
};

/**
 * Lets the app's own pages call the sidecar through the preload script: every operation that is not restricted, and
 * those of `allow`, without those of `deny`. Returns a function that ends this.
 *
 * Watches the app's windows, too: the `Sidecar` warns of a preload script that fails, and of a page whose scheme is not
 * served or not registered. `electron` is for tests.
 *
 * @throws SidecarError `invalid_configuration`
 */
export function exposeToPages(
  sidecar: Sidecar,
  { ipcMain, origins, allow = [], deny = [] }: ExposeOptions,
  electron: ElectronLike | undefined = runningElectron(),
): () => void {
  const ownOrigins = new Set(origins.map(checkedOrigin));
  const isOwn = remembering((url) => ownOrigins.has(originOf(url) ?? ""));
  const watchers = new Set<WebContentsLike>();
  const allowed = allowedOperations(sidecar.operations, allow, deny);
  const maySubscribe = !deny.includes(STREAM);
  const calls = new PageCalls(sidecar);
  const subscriptions = new PageSubscriptions(sidecar, isOwn);

  const servers: Servers = {
    call: (message, sender) => {
      const { input, key } = message;
      const [id, waitedMs] = [idOf(message), millisecondsOf(message["waitedMs"])];
      const operation = allowedOperation(sidecar.operations, allowed, message["operation"]);
      const asJob = message["asJob"] === true;
      return calls.call(sender.id, { id, operation, input, key, asJob, waitedMs });
    },
    cancel: (message, sender) => {
      calls.cancel(sender.id, idOf(message));
      return null;
    },
    watch: (_, sender) => {
      if (!watchers.has(sender)) sender.once("destroyed", () => watchers.delete(sender));
      watchers.add(sender);
      return statusOf(sidecar.snapshot);
    },
    topics: ({ operation }) =>
      topicsOf(sidecar.operations, allowedOperation(sidecar.operations, allowed, operation)),
    subscribe: (message, sender) => {
      if (!maySubscribe) throw notAllowed(STREAM);
      subscriptions.add(sender, idOf(message), message["topics"]);
      return null;
    },
    unsubscribe: (message, sender) => {
      subscriptions.remove(sender, idOf(message));
      return null;
    },
    taken: (message, sender) => {
      subscriptions.taken(sender, idOf(message), Number(message["count"]));
      return null;
    },
  };

  ipcMain.handle(channels.request, async ({ sender, senderFrame }, message): Promise<Envelope<unknown>> => {
    try {
      if (!senderFrame || senderFrame.parent || !isOwn(senderFrame.url))
        throw foreignFrame(senderFrame, ownOrigins);
      return { ok: true, value: await serverFor(servers, message)(message as Message, sender) };
    } catch (error) {
      if (!(error instanceof SidecarError)) console.error(error);
      return { ok: false, error: shapeOf(error) };
    }
  });
  const stopWatching = sidecar.on("snapshot", (snapshot) => {
    const event: EventMessage = { kind: "status", status: statusOf(snapshot) };
    for (const watcher of watchers) if (isOwn(watcher.getURL())) watcher.send(channels.event, event);
  });
  const stopWatchingWindows = watchWindows({ electron, isOwn, warn: (warning) => sidecar.warn(warning) });
  return () => {
    stopWatching();
    stopWatchingWindows();
    subscriptions.removeAll();
    watchers.clear();
    ipcMain.removeHandler(channels.request);
  };
}

/** The same answer for the same URL as last time: a page asks again and again. */
function remembering(isOwn: (url: string) => boolean): (url: string) => boolean {
  let last = { url: "", isOwn: isOwn("") };
  return (url) => {
    if (last.url !== url) last = { url, isOwn: isOwn(url) };
    return last.isOwn;
  };
}

function allowedOperations(
  table: OperationTable,
  allow: readonly string[],
  deny: readonly string[],
): ReadonlySet<string> {
  const misspelt = [...allow, ...deny].find((id) => id !== STREAM && findOperation(table, id) === undefined);
  if (misspelt !== undefined) {
    const near = nearest(misspelt, [STREAM, ...Object.keys(table)]);
    const advice = near === undefined ? "check its spelling." : `did you mean '${near}'?`;
    const message = `There is no operation '${misspelt}' to allow or deny; ${advice}`;
    throw new SidecarError("invalid_configuration", message);
  }
  const open = Object.entries(table).filter(([id, { restricted }]) => !restricted || allow.includes(id));
  return new Set(open.map(([id]) => id).filter((id) => !deny.includes(id)));
}

function allowedOperation(
  table: OperationTable,
  allowed: ReadonlySet<string>,
  operation: unknown,
): OperationId {
  if (typeof operation !== "string") throw invalid("its operation is not a text");
  if (findOperation(table, operation) === undefined) throw unknownOperation(operation, table);
  if (allowed.has(operation)) return operation as OperationId;
  throw notAllowed(operation);
}

function serverFor(servers: Servers, message: unknown): Servers[RequestKind] {
  const kind = isMessage(message) ? message["kind"] : undefined;
  if (typeof kind === "string" && Object.hasOwn(servers, kind)) return servers[kind as RequestKind];
  throw invalid("it has no known kind");
}

function isMessage(value: unknown): value is Message {
  return typeof value === "object" && value !== null;
}

/** The page chooses it by itself: the id of one page says nothing about another's call. */
function idOf({ id }: Message): string {
  if (typeof id === "string" && id !== "" && id.length <= MAX_ID_LENGTH) return id;
  throw invalid("its id is not a short text");
}

function millisecondsOf(value: unknown): number {
  return typeof value === "number" && value > 0 ? value : 0;
}

function notAllowed(operation: string): SidecarError {
  return new SidecarError(
    "operation_not_allowed",
    `The app does not let its pages call '${operation}'; exposeToPages has the options allow and deny.`,
  );
}

function invalid(what: string): SidecarError {
  return new SidecarError("invalid_call", `The page's request is wrong: ${what}.`);
}
