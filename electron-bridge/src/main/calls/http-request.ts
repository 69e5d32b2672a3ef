// From an operation and its parameters to an HTTP request. Every part of it is checked here for every caller: a page must
// not be able to reach any route but the operation's own.

import { createHash, randomUUID } from "node:crypto";
import { SidecarError } from "../../shared/errors.js";
import {
  type AnyCallInput,
  builtInOperations,
  findOperation,
  type OperationTable,
} from "../../shared/operations.js";
import { nearest } from "../../shared/nearest.js";
import { invalidField as invalid, plainData } from "../../shared/plain-data.js";

export interface HttpRequest {
  readonly method: string;
  /** Path and query, escaped. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  /** The idempotency key: there on every change that takes one. */
  readonly key?: string;
  /** Whether the answer has to be the job of the work. */
  readonly asJob?: boolean;
  /** Whether it may be sent again when nobody knows whether the sidecar acted. */
  readonly replayable: boolean;
}

type Values = Readonly<Record<string, unknown>>;

export function unknownOperation(id: string, table: OperationTable): SidecarError {
  const near = nearest(id, Object.keys(table));
  const advice =
    near === undefined ? "the type OperationId names those that exist." : `did you mean '${near}'?`;
  return new SidecarError("unknown_operation", `There is no operation '${id.slice(0, 100)}'; ${advice}`);
}

/**
 * The topics on which the operation's answer depends.
 *
 * @throws SidecarError `unknown_operation`, or `invalid_call` for one that cannot be live
 */
export function topicsOf(table: OperationTable, id: string): readonly string[] {
  const found = findOperation(table, id);
  if (found === undefined) throw unknownOperation(id, table);
  if (found.topics) return found.topics;
  const why = "it changes something, or nothing is reported when its answer changes";
  throw new SidecarError("invalid_call", `'${id}' cannot be live: ${why}.`);
}

/**
 * The request that calls the operation.
 *
 * @throws SidecarError `unknown_operation` or `invalid_call`
 */
export function buildRequest(
  operation: string,
  input: unknown = {},
  key?: unknown,
  table = builtInOperations,
  asJob = false,
): HttpRequest {
  const found = findOperation(table, operation);
  if (found === undefined) throw unknownOperation(operation, table);
  const { method, path: template, mutating, replayable } = found;
  const { path, query, body } = checkedInput(operation, input);
  return {
    method,
    path: fillTemplate(template, path ?? {}) + queryString(query ?? {}),
    ...(body !== undefined && { body: jsonText(body) }),
    ...(mutating && replayable && { key: key === undefined ? randomUUID() : checkedKey(key) }),
    ...(asJob && { asJob }),
    replayable,
  };
}

/**
 * The key of a request that belongs to the request with the given key: the same for the same key and purpose.
 *
 * @throws SidecarError `invalid_call` for a key that is none
 */
export function derivedKey(key: unknown, purpose: string): string {
  return createHash("sha256")
    .update(`${purpose}: ${checkedKey(key)}`)
    .digest("hex");
}

function checkedInput(operation: string, input: unknown): AnyCallInput {
  if (!isPlainObject(input)) throw invalid("input", "must be an object");
  for (const [name, part] of Object.entries(input)) {
    if (!["path", "query", "body"].includes(name))
      throw invalid(name, `is not path, query or body, which are the parts of the input of '${operation}'`);
    if (name !== "body" && part !== undefined && !isPlainObject(part))
      throw invalid(name, "must be an object");
  }
  return input;
}

function fillTemplate(template: string, values: Values): string {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
  const unknown = Object.keys(values).find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalid(`path.${unknown}`, `is not a parameter of the path ${template}`);
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    return pathSegment(name, value);
  });
}

/** One segment of a path. A segment of dots alone would leave the operation's path. */
function pathSegment(name: string, value: unknown): string {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || text === "") {
    throw invalid(`path.${name}`, "must be a number or a text that is not empty");
  }
  if (text === "." || text === "..") throw invalid(`path.${name}`, "must not be dots alone");
  return escape(`path.${name}`, text);
}

function queryString(values: Values): string {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (item === undefined || item === null) continue;
      if (typeof item !== "string" && typeof item !== "number" && typeof item !== "boolean") {
        throw invalid(`query.${name}`, "must be a text, a number, a boolean or a list of these");
      }
      pairs.push(`${escape("query", name)}=${escape(`query.${name}`, String(item))}`);
    }
  }
  return pairs.length > 0 ? `?${pairs.join("&")}` : "";
}

function escape(field: string, text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    throw invalid(field, "is not valid Unicode");
  }
}

function jsonText(body: unknown): string {
  const text: unknown = JSON.stringify(plainData(body, "body"));
  if (typeof text !== "string") throw invalid("body", "cannot be written as JSON");
  return text;
}

function checkedKey(key: unknown): string {
  if (typeof key === "string" && /^[\x21-\x7e]{1,200}$/.test(key)) return key;
  throw invalid("key", "must be 1 to 200 visible ASCII characters");
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
