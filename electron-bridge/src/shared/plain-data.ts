// Makes plain data of what a caller hands over, as JSON would write it, and refuses what JSON would drop or spoil in
// silence. A reactive object (Vue, MobX: a Proxy) is read through and becomes an ordinary one.

import { SidecarError } from "./errors.js";
import type { AnyCallInput } from "./operations.js";

/** Deeper data than this is a mistake; the sidecar refuses it, too. */
const MAX_DEPTH = 500;
/** Characters of a path that an error shows. */
const MAX_PATH_LENGTH = 200;

/** The call cannot be made: names the field of the input, such as `body.items.3.title`, and what is wrong with it. */
export function invalidField(field: string, message: string): SidecarError {
  const errors = [{ field, message }];
  const end = message.endsWith("?") ? "" : ".";
  return new SidecarError("invalid_call", `The call cannot be made: ${field} ${message}${end}`, { errors });
}

/**
 * A copy of the value that is plain data throughout. `name` is what the value is called in an error.
 *
 * @throws SidecarError `invalid_call` that names the first part that is no data
 */
export function plainData(value: unknown, name: string): unknown {
  return new Copier(name).copy(value);
}

/**
 * A copy of an input, part by part. One that is no object is returned as it is: the builder of the request refuses it.
 *
 * @throws SidecarError `invalid_call`
 */
export function plainInput(input: unknown): AnyCallInput | undefined {
  if (typeof input !== "object" || input === null) return input as undefined;
  const parts = Object.entries(input).map(([name, part]) => [name, plainData(part, name)]);
  return Object.fromEntries(parts) as AnyCallInput;
}

class Copier {
  readonly #path: (string | number)[] = [];
  /** The objects around the value that is being copied. */
  readonly #around = new Set<object>();

  constructor(private readonly name: string) {}

  copy(value: unknown, key: string | number = ""): unknown {
    if (typeof value === "string" || typeof value === "boolean" || value === undefined) return value;
    if (typeof value === "number") return Number.isFinite(value) ? value : this.#refuse(`is ${value}`);
    if (typeof value !== "object") return this.#refuse(`is ${nameOfType(value)}`);
    if (value === null) return value;
    if (this.#around.has(value)) return this.#refuse("refers to an object that contains it");
    if (this.#around.size >= MAX_DEPTH) return this.#refuse(`is nested more than ${MAX_DEPTH} levels deep`);
    this.#around.add(value);
    const copied = this.#copyObject(value, key);
    this.#around.delete(value);
    return copied;
  }

  #copyObject(value: object, key: string | number): unknown {
    const toJSON = this.#read(() => (value as { toJSON?: unknown }).toJSON);
    // As JSON.stringify does it: a date, for example, becomes a text. What it returns is taken as it is.
    if (typeof toJSON === "function") {
      const returned = this.#read((): unknown => toJSON.call(value, String(key)));
      if (typeof returned !== "object" || returned === null) return this.copy(returned);
      return this.#copyParts(returned);
    }
    return this.#copyParts(value);
  }

  #copyParts(value: object): unknown {
    if (Array.isArray(value)) {
      const items = value as unknown[];
      return this.#read(() => Array.from(items, (item, index) => this.#copyPart(item, index) ?? null));
    }
    const tag = this.#read(() => Object.prototype.toString.call(value).slice("[object ".length, -1));
    if (tag !== "Object") return this.#refuse(`is ${withArticle(tag)}`);
    const copy: Record<string, unknown> = {};
    for (const [name, part] of this.#read(() => Object.entries(value))) {
      const copied = this.#copyPart(part, name);
      if (copied !== undefined) setOwn(copy, name, copied);
    }
    return copy;
  }

  #copyPart(part: unknown, key: string | number): unknown {
    this.#path.push(key);
    const copied = this.copy(part, key);
    this.#path.pop();
    return copied;
  }

  /** A getter or a Proxy may throw. */
  #read<Value>(read: () => Value): Value {
    try {
      return read();
    } catch (error) {
      if (error instanceof SidecarError) throw error;
      return this.#refuse(`cannot be read: ${error instanceof Error ? error.message : "it throws"}`);
    }
  }

  #refuse(what: string): never {
    const path = [this.name, ...this.#path].join(".");
    const short = path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path;
    throw invalidField(short, `${what}; only plain data, as in JSON, can be sent`);
  }
}

/** `__proto__` is a key like any other in JSON. */
function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== "__proto__") target[name] = value;
  else Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

function nameOfType(value: unknown): string {
  return typeof value === "bigint" ? "a BigInt" : withArticle(typeof value);
}

function withArticle(name: string): string {
  return `${/^[aeio]/i.test(name) ? "an" : "a"} ${name}`;
}
