// The surface of the sidecar, the same in the main process and in a page: calls, live events, the status, a message's text.

import { type Notice, problemOfTopics, type Topic } from "./events.js";
import { live, type LiveOptions, watch } from "./live.js";
import { messageText } from "./message-text.js";
import { nearest } from "./nearest.js";
import {
  type AnyCallInput,
  type AnyFormOfInput,
  builtInForms,
  type CallArguments,
  type CallResult,
  findOperation,
  type InputForms,
  type Job,
  type LiveOperationId,
  type LongOperationId,
  nestedInput,
  type OperationId,
} from "./operations.js";
import { invalidField, plainInput } from "./plain-data.js";
import type { Status } from "./status.js";
import { type Subscription, Watching, type WatchSource } from "./watching.js";

export type { Subscription };

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

  /**
   * Calls the listener with the result of an operation that reads, and with each new one after a commit changed what it
   * reads, a restart, or a restored backup. Many commits are one read, and one read is under way at a time. A result
   * that equals the one before is not delivered. Returns a function that ends this: no result is delivered after it.
   * The result is the listener's own; the input is copied.
   *
   * @throws SidecarError `invalid_call` for an input that is no plain data; all other errors go to `onError`
   */
  readonly live: <Id extends LiveOperationId>(
    operation: Id,
    input: AnyFormOfInput<Id>,
    listener: (result: CallResult<Id>) => void,
    options?: LiveOptions,
  ) => () => void;

  /**
   * Calls the listener whenever the answer of the operation may have changed: first as soon as no change can be missed
   * any more, then for each commit, or several at a time. Returns a function that ends this.
   */
  readonly watch: (operation: LiveOperationId, listener: () => void, options?: LiveOptions) => () => void;

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

  readonly jobs: {
    /**
     * Begins the long work of an operation, and resolves with its job as soon as that exists. Live events of the topic
     * `jobs` report the progress; `jobs.get` has the result, `jobs.cancel` ends the work. On a store that takes no
     * writes there is no job: the call then waits for the work, and fails with `no_job`.
     *
     * @throws SidecarError what `call` throws
     */
    readonly start: <Id extends LongOperationId>(
      operation: Id,
      ...args: CallArguments<Id, Options>
    ) => Promise<Job>;
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

/** How one side reaches the sidecar. */
export interface Transport<Options> extends WatchSource {
  /** The input has its parts named, unless it is wrong. */
  call(
    operation: string,
    input: AnyCallInput | undefined,
    options: Options | undefined,
    asJob?: boolean,
  ): Promise<unknown>;
}

type AnyCall = (operation: string, input?: unknown, options?: unknown) => Promise<unknown>;

/**
 * The surface over one side's transport. `forms` has the operations that this side knows; with `mayHaveMore`, as in a
 * page, the other side knows an app's own operations, too.
 */
export function createClient<Options>(
  transport: Transport<Options>,
  forms: InputForms = builtInForms,
  mayHaveMore = false,
): SidecarClient<Options> {
  const sending =
    (...asJob: [true?]): AnyCall =>
    async (operation, input, options) =>
      transport.call(
        operation,
        nestedInput(forms, operation, input) as AnyCallInput | undefined,
        options as Options | undefined,
        ...asJob,
      );
  const call = sending();
  const start = sending(true);
  const watching = new Watching(transport);
  const liveSource = { call, status: () => transport.status() };
  const own: Client<Options> = {
    call: call as Client<Options>["call"],
    status: () => transport.status(),
    onStatus: (listener) => transport.onStatus(listener),
    live: (operation, input, listener, options = {}) => {
      const query = { operation, input: plainInput(nestedInput(forms, operation, input)) };
      return live(liveSource, watching, query, listener as (result: unknown) => void, options);
    },
    watch: (operation, listener, options = {}) => watch(watching, operation, listener, options),
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
    jobs: { start: start as Client<Options>["jobs"]["start"] },
    messages: {
      text: (messageId, { signal } = {}) => messageText({ ...transport, call }, messageId, signal),
    },
  };
  const client = withOperations(own, call, forms);
  return (mayHaveMore ? withUnknownResources(client, call) : client) as SidecarClient<Options>;
}

/** Adds the operations of every resource; a member of the same name that is a function stays, an object is merged. */
function withOperations(own: object, call: AnyCall, forms: InputForms): object {
  const client: Record<string, unknown> = { ...own };
  for (const resource of new Set(Object.keys(forms).map((id) => id.slice(0, id.indexOf("."))))) {
    const fixed = client[resource] ?? {};
    // A misspelt name is called, too: the refusal names the right one.
    const has = (operation: string): boolean =>
      findOperation(forms, operation) !== undefined || isMisspelt(forms, operation);
    if (typeof fixed === "object") client[resource] = operationsOf(resource, fixed, call, has);
  }
  return client;
}

/** What a name of an app's own resource or operation looks like. `then` is none: a client can be awaited. */
const NAME = /^(?!then$|toJSON$)[a-z][a-z0-9_]*$/;

function isMisspelt(forms: InputForms, operation: string): boolean {
  const [resource = "", method = ""] = operation.split(".");
  const methods = Object.keys(forms).filter((id) => id.startsWith(`${resource}.`));
  return (
    NAME.test(method) &&
    nearest(
      method,
      methods.map((id) => id.slice(resource.length + 1)),
    ) !== undefined
  );
}

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
