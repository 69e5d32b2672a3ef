// The surface of the sidecar, the same in the main process and in a page: calls, live events, the status, a message's text.

import { type Notice, problemOfTopics, type Topic } from "./events.js";
import { messageText } from "./message-text.js";
import {
  type AnyCallInput,
  builtInOperations,
  type CallArguments,
  type CallResult,
  findOperation,
  nestedInput,
  type OperationId,
  type OperationTable,
} from "./operations.js";
import { invalidField } from "./plain-data.js";
import type { Status } from "./status.js";

/** The first half of the operation ids, such as `todos`. */
type Resource = OperationId extends infer Id ? (Id extends `${infer Name}.${string}` ? Name : never) : never;

/** Every operation as a method: `sidecar.todos.create({ content })` is `sidecar.call("todos.create", { content })`. */
export type Operations<Options> = {
  readonly [Name in Resource]: {
    readonly [Id in OperationId as Id extends `${Name}.${infer Method}` ? Method : never]: (
      ...args: CallArguments<Id, Options>
    ) => Promise<CallResult<Id>>;
  };
};

export interface Client<Options> {
  /**
   * Calls an operation. Waits for a sidecar that is starting or restarting, and sends again what a crash left
   * unanswered: reads, and writes by their idempotency key. The input names its parts, `{ path, query, body }`; one of
   * an operation that has only a body, or only path parameters, may be given flat: `{ todo_id }`. It is plain data; a
   * reactive object of such data (a Proxy, as Vue and MobX have them) will do.
   *
   * @throws SidecarError what the sidecar answered, or one of the bridge's own codes
   */
  readonly call: <Id extends OperationId>(
    operation: Id,
    ...args: CallArguments<Id, Options>
  ) => Promise<CallResult<Id>>;

  /** Resolves with the state of the sidecar now: an immutable snapshot. */
  readonly status: () => Promise<Status>;

  /** Calls the listener on every change of the status. Returns a function that ends this. */
  readonly onStatus: (listener: (status: Status) => void) => () => void;

  readonly events: {
    /**
     * Calls the listener with every live event of these topics. The first notice is a reset, as soon as the sidecar
     * answers: read then what you need, and again at every later one. Returns a function that ends this. A page
     * that may not subscribe finds that as an unhandled rejection.
     *
     * @throws SidecarError `invalid_call` for a topic that does not exist
     */
    readonly subscribe: <Name extends Topic>(
      topics: readonly Name[],
      listener: (notice: Notice<Name>) => void,
    ) => () => void;
  };

  readonly messages: {
    /**
     * Yields a message's text as it grows: the text so far, then each addition, to its end. Continues where it was when
     * the sidecar is restarted. Text that is replaced meanwhile is not taken back.
     *
     * @throws SidecarError `message_failed` or `message_cancelled` after the text of a message that ended so;
     * `cancelled` by the signal; and what reading the message throws
     */
    readonly text: (
      messageId: number,
      options?: { readonly signal?: AbortSignal },
    ) => AsyncIterableIterator<string>;
  };
}

/** The surface with the operations' methods. Its own names win over operations of the same name. */
export type SidecarClient<Options> = Client<Options> & Operations<Options>;

/** A subscription; `accepted` rejects if it is refused. */
export interface Subscription {
  readonly stop: () => void;
  readonly accepted: Promise<unknown>;
}

/** How one side reaches the sidecar. */
export interface Transport<Options> {
  /** The input has its parts named, unless it is wrong. */
  call(operation: string, input: AnyCallInput | undefined, options: Options | undefined): Promise<unknown>;
  status(): Promise<Status>;
  onStatus(listener: (status: Status) => void): () => void;
  subscribe(topics: readonly Topic[], listener: (notices: readonly Notice[]) => void): Subscription;
}

type AnyCall = (operation: string, input?: unknown, options?: unknown) => Promise<unknown>;

/**
 * The surface over one side's transport. `table` has the operations that this side knows; with `mayHaveMore`, as in a page,
 * the other side knows an app's own operations, too.
 */
export function createClient<Options>(
  transport: Transport<Options>,
  table: OperationTable = builtInOperations,
  mayHaveMore = false,
): SidecarClient<Options> {
  const call: AnyCall = async (operation, input, options) =>
    transport.call(
      operation,
      nestedInput(table, operation, input) as AnyCallInput | undefined,
      options as Options | undefined,
    );
  const own: Client<Options> = {
    call: call as Client<Options>["call"],
    status: () => transport.status(),
    onStatus: (listener) => transport.onStatus(listener),
    events: {
      subscribe: (topics, listener) => {
        const problem = problemOfTopics(topics);
        if (problem !== undefined) throw invalidField("topics", problem);
        const { stop } = transport.subscribe(topics, (notices) => {
          for (const notice of notices) listener(notice as Parameters<typeof listener>[0]);
        });
        return stop;
      },
    },
    messages: {
      text: (messageId, { signal } = {}) => messageText({ ...transport, call }, messageId, signal),
    },
  };
  const client = withOperations(own, call, table);
  return (mayHaveMore ? withUnknownResources(client, call) : client) as SidecarClient<Options>;
}

/** Adds the operations of every resource; a member of the same name that is a function stays, an object is merged. */
function withOperations(own: object, call: AnyCall, table: OperationTable): object {
  const client: Record<string, unknown> = { ...own };
  for (const resource of new Set(Object.keys(table).map((id) => id.slice(0, id.indexOf("."))))) {
    const fixed = client[resource] ?? {};
    const has = (operation: string): boolean => findOperation(table, operation) !== undefined;
    if (typeof fixed === "object") client[resource] = operationsOf(resource, fixed, call, has);
  }
  return client;
}

/** What a name of an app's own resource or operation looks like. `then` is none: a client can be awaited. */
const NAME = /^(?!then$|toJSON$)[a-z][a-z0-9_]*$/;

/** Adds resources that only the other side knows, when they are asked for. */
function withUnknownResources(client: object, call: AnyCall): object {
  const resources: Record<string | symbol, unknown> = { ...client };
  return new Proxy(resources, {
    get: (_, name) => {
      if (!Object.hasOwn(resources, name) && typeof name === "string" && NAME.test(name)) {
        resources[name] = operationsOf(name, {}, call, (operation) =>
          NAME.test(operation.slice(name.length + 1)),
        );
      }
      return resources[name];
    },
  });
}

/** The operations of one resource as methods, which are made when they are asked for. */
function operationsOf(
  resource: string,
  fixed: object,
  call: AnyCall,
  has: (operation: string) => boolean,
): object {
  const methods: Record<string | symbol, unknown> = { ...fixed };
  return new Proxy(methods, {
    get: (_, name) => {
      const operation = `${resource}.${String(name)}`;
      if (!Object.hasOwn(methods, name) && typeof name === "string" && has(operation)) {
        methods[name] = (input?: unknown, options?: unknown) => call(operation, input, options);
      }
      // A name that is no operation is undefined: `then` above all, so that the object can be awaited.
      return methods[name];
    },
  });
}
