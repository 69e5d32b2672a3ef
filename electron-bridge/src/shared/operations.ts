// The operations and their inputs: types derived from the generated OpenAPI types, and the one decision that they need at
// run time, whether an input is flat. An app's own operations come from the file that `electron-sidecar generate` writes.

import type { components, operations as ApiOperations } from "./api.generated.js";
import { flatParts, operations } from "./operations.generated.js";

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- the one kind of declaration that every entry's types share
  namespace ElectronSidecar {
    /** The app's own operations: `table` and `operations`, which the generated file of the app adds. */
    // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- empty until an app has some
    interface App {}
  }
}

/** How an operation is called over HTTP. */
export interface Operation {
  readonly method: string;
  /** With `{name}` in place of each path parameter. */
  readonly path: string;
  readonly mutating: boolean;
  /** Whether a call whose answer was lost may be sent again: reads, and writes that take an idempotency key. */
  readonly replayable: boolean;
  /** Whether a page may call it only when its app allows it by name. */
  readonly restricted: boolean;
  /** The one part of the input whose fields may be given without naming the part. */
  readonly flat: "path" | "body" | null;
  /** The topics on which its answer depends; absent where it changes something, or depends on none. */
  readonly topics?: readonly string[];
  /** Of an app's own operation: changes with its parameters and its answer. */
  readonly fingerprint?: string;
}

/** Operations by their ids. */
export type OperationTable = Readonly<Record<string, Operation>>;

/** The operations that every sidecar has; only the main process has them at run time. */
export const builtInOperations: OperationTable = operations;

/** The part of an operation table that a page has. */
export type InputForms = Readonly<Record<string, Pick<Operation, "flat">>>;

/** How the input of the operations that every sidecar has may be given. */
export const builtInForms: InputForms = Object.fromEntries(
  Object.entries(flatParts).map(([id, flat]) => [id, { flat }]),
);

type AppPart<Name extends string> = ElectronSidecar.App extends Record<Name, infer Part> ? Part : object;
type Table = typeof operations & AppPart<"table">;
type Api = ApiOperations & AppPart<"operations">;

/** The namespaces of the app's own operations, such as `notes`. */
export type OwnNamespace = keyof AppPart<"table"> extends infer Id
  ? Id extends `${infer Namespace}.${string}`
    ? Namespace
    : never
  : never;

/** The ids of the built-in operations and of the app's own. */
export type OperationId = keyof Table & keyof Api;

/** The ids of the operations that can be live: those that say on which topics their answer depends. */
export type LiveOperationId = {
  [Id in OperationId]: Table[Id] extends { readonly topics: readonly string[] } ? Id : never;
}[OperationId];

/** An operation's parameters as the caller of a statically unknown operation has them. */
export interface AnyCallInput {
  readonly path?: Readonly<Record<string, unknown>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly body?: unknown;
}

type Part = "path" | "query" | "body";

type JsonOf<Content> = Content extends { content: { "application/json": infer Json } } ? Json : never;

type BodyOf<Operation> = {
  [Name in keyof Operation as Name extends "requestBody" ? "body" : never]: JsonOf<Operation[Name]>;
};

interface AnyParameters {
  path?: unknown;
  query?: unknown;
}

type ParametersOf<Described> = Described extends { parameters: infer Parameters extends AnyParameters }
  ? Parameters
  : AnyParameters;

type Simplified<Parts> = { [Name in keyof Parts]: Parts[Name] };

/** The input of an operation: `path`, `query` and `body`; a part that it does not have can only be left out. */
export type CallInput<Id extends OperationId> = Simplified<
  Pick<ParametersOf<Api[Id]>, "path" | "query"> & BodyOf<Api[Id]>
>;

type FlatPart<Row> = Row extends { readonly flat: infer Only } ? Only : never;

/** The fields that may be given flat; `never` where the input has several parts, or a field has the name of a part. */
type FlatFields<Id extends OperationId> =
  FlatPart<Table[Id]> extends infer Only
    ? Only extends keyof CallInput<Id>
      ? CallInput<Id>[Only]
      : never
    : never;

/** The input of an operation that has only a body, or only path parameters, without the name of that part. */
export type FlatCallInput<Id extends OperationId> = [FlatFields<Id>] extends [never]
  ? never
  : FlatFields<Id> & Readonly<Partial<Record<Part, never>>>;

/** No field of the flat form stands beside the parts of the nested form. */
type NestedOnly<Id extends OperationId> = [FlatFields<Id>] extends [never]
  ? CallInput<Id>
  : CallInput<Id> & { readonly [Name in keyof FlatFields<Id>]?: never };

/** Every form in which a caller may give the input: nested, and flat where that is possible. */
export type AnyFormOfInput<Id extends OperationId> = NestedOnly<Id> | FlatCallInput<Id>;

type ResponsesOf<Described> = Described extends { responses: infer Responses } ? Responses : never;

type Statuses<Id extends OperationId> = Exclude<keyof ResponsesOf<Api[Id]>, "default">;

/** The statuses of answers to calls: 202 stands for the job of long work, unless the operation has no other answer. */
type CallStatuses<Id extends OperationId> = [Exclude<Statuses<Id>, 202>] extends [never]
  ? Statuses<Id>
  : Exclude<Statuses<Id>, 202>;

/** The operations whose work can be begun as a job, without waiting for its result. */
export type LongOperationId = {
  [Id in OperationId]: 202 extends Statuses<Id> ? (202 extends CallStatuses<Id> ? never : Id) : never;
}[OperationId];

/** Long work with its progress, and its result or error once it is finished. */
export type Job = components["schemas"]["Job"];

type Responses<Id extends OperationId> = Pick<ResponsesOf<Api[Id]>, CallStatuses<Id>>;

type AnswerOf<Response> = Response extends { content?: never } ? undefined : JsonOf<Response>;

/** The result of an operation: its answer that is not a problem; `undefined` where that has no content. */
export type CallResult<Id extends OperationId> = {
  [Status in keyof Responses<Id>]: AnswerOf<Responses<Id>[Status]>;
}[keyof Responses<Id>];

/** The arguments after the operation id: the input may be left out where nothing in it is required. */
export type CallArguments<Id extends OperationId, Options> =
  object extends CallInput<Id>
    ? [input?: AnyFormOfInput<Id>, options?: Options]
    : [input: AnyFormOfInput<Id>, options?: Options];

/** The operation of this id, or undefined. */
export function findOperation<Row>(table: Readonly<Record<string, Row>>, id: string): Row | undefined {
  return Object.hasOwn(table, id) ? table[id] : undefined;
}

/**
 * The input with its parts named. An input is flat if the operation has only one part and none of the input's fields is
 * called `path`, `query` or `body`; any other is returned as it is: the builder of the request checks it.
 */
export function nestedInput(table: InputForms, operation: string, input: unknown): unknown {
  const flat = findOperation(table, operation)?.flat ?? null;
  if (flat === null || typeof input !== "object" || input === null || Array.isArray(input)) return input;
  return ["path", "query", "body"].some((part) => Object.hasOwn(input, part)) ? input : { [flat]: input };
}
