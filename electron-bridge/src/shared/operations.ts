// The operations and their inputs: types derived from the generated OpenAPI types, and the one decision that they need at
// run time, whether an input is flat.

import type { operations as ApiOperations } from "./api.generated.js";
import { operations } from "./operations.generated.js";

export type OperationId = keyof typeof operations & keyof ApiOperations;

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

type Simplified<Parts> = { [Name in keyof Parts]: Parts[Name] };

/** The input of an operation: `path`, `query` and `body`; a part that it does not have can only be left out. */
export type CallInput<Id extends OperationId> = Simplified<
  Pick<ApiOperations[Id]["parameters"], "path" | "query"> & BodyOf<ApiOperations[Id]>
>;

/** The fields that may be given flat; `never` where the input has several parts, or a field has the name of a part. */
type FlatFields<Id extends OperationId> = (typeof operations)[Id]["flat"] extends infer Only
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

type Responses<Id extends OperationId> = Omit<ApiOperations[Id]["responses"], "default">;

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

/** Return whether the sidecar has an operation of this id. */
export function isOperation(id: string): id is OperationId {
  return Object.hasOwn(operations, id);
}

/**
 * The input with its parts named. An input is flat if the operation has only one part and none of the input's fields is
 * called `path`, `query` or `body`; any other is returned as it is: the builder of the request checks it.
 */
export function nestedInput(operation: string, input: unknown): unknown {
  const flat = isOperation(operation) ? operations[operation].flat : null;
  if (flat === null || typeof input !== "object" || input === null || Array.isArray(input)) return input;
  return ["path", "query", "body"].some((part) => Object.hasOwn(input, part)) ? input : { [flat]: input };
}
