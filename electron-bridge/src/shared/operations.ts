// What can be called and with what: types derived from the generated OpenAPI types. Nothing here exists at run time.

import type { operations as ApiOperations } from "./api.generated.js";
import type { operations as operationTable } from "./operations.generated.js";

export type OperationId = keyof typeof operationTable & keyof ApiOperations;

/** An operation's parameters as the caller of a statically unknown operation has them. */
export interface AnyCallInput {
  readonly path?: Readonly<Record<string, unknown>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly body?: unknown;
}

type JsonOf<Content> = Content extends { content: { "application/json": infer Json } } ? Json : never;

type BodyOf<Operation> = {
  [Name in keyof Operation as Name extends "requestBody" ? "body" : never]: JsonOf<Operation[Name]>;
};

type Flat<Parts> = { [Name in keyof Parts]: Parts[Name] };

/** What an operation takes: `path`, `query` and `body`; a part that it does not have can only be left out. */
export type CallInput<Id extends OperationId> = Flat<
  Pick<ApiOperations[Id]["parameters"], "path" | "query"> & BodyOf<ApiOperations[Id]>
>;

type Responses<Id extends OperationId> = Omit<ApiOperations[Id]["responses"], "default">;

type AnswerOf<Response> = Response extends { content?: never } ? undefined : JsonOf<Response>;

/** What an operation resolves with: its answer that is not a problem; `undefined` where that has no content. */
export type CallResult<Id extends OperationId> = {
  [Status in keyof Responses<Id>]: AnswerOf<Responses<Id>[Status]>;
}[keyof Responses<Id>];

/** The arguments after the operation id: the input may be left out where nothing in it is required. */
export type CallArguments<Id extends OperationId, Options> =
  object extends CallInput<Id>
    ? [input?: CallInput<Id>, options?: Options]
    : [input: CallInput<Id>, options?: Options];
