// What can be handed over in a call, and how it is refused if it cannot.

import { deserialize, serialize } from "node:v8";
import { describe, expect, test } from "vitest";
import { SidecarError } from "../../src/shared/errors.js";
import { plainData } from "../../src/shared/plain-data.js";

/** As Vue makes it: a Proxy that wraps every object that is read through it. */
function reactive<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  return new Proxy(value, {
    get: (target, name, receiver) => reactive(Reflect.get(target, name, receiver)) as unknown,
  });
}

function refusal(value: unknown): { field: string; message: string; code: string } {
  try {
    plainData(value, "body");
  } catch (error) {
    if (error instanceof SidecarError && error.errors[0]) return { code: error.code, ...error.errors[0] };
    throw error;
  }
  throw new Error("it was not refused");
}

describe("plain data", () => {
  test.each([[null], [true], [0], ["text"], [[]], [{}], [{ a: [1, { b: "c" }], d: null }]])(
    "%j stays as it is",
    (value) => {
      expect(plainData(value, "body")).toEqual(value);
    },
  );

  test("is what a reactive object holds, through and through, without the Proxy", () => {
    const value = { title: "x", items: [{ tags: ["a", "b"] }] };
    const copy = plainData(reactive(value), "body");
    expect(copy).toEqual(value);
    expect(deserialize(serialize(copy))).toEqual(value);
  });

  test.each([
    ["a date is its text", { at: new Date(0) }],
    ["undefined is left out of an object, and null in a list", { a: undefined, b: [undefined, 1] }],
    ["an object says itself what it is", { toJSON: () => ({ a: 1 }) }],
    [
      "an object says that it is what it is",
      new (class Itself {
        x = 1;
        toJSON(): this {
          return this;
        }
      })(),
    ],
    [
      "an instance of a class is its fields",
      new (class Point {
        x = 1;
      })(),
    ],
    ["an object without a prototype is its fields", Object.assign(Object.create(null) as object, { a: 1 })],
    ["the same object may be there twice", ((part) => [part, part])({ a: 1 })],
    ["a key that has a meaning in JavaScript is a key", JSON.parse('{"__proto__": {"a": 1}}') as object],
  ])("is what JSON makes of it: %s", (_, value) => {
    expect(JSON.stringify(plainData(value, "body"))).toBe(JSON.stringify(value));
  });
});

describe("what is no data", () => {
  const circular: Record<string, unknown> = { list: [] };
  (circular["list"] as unknown[]).push(circular);

  test.each([
    [{ items: [0, 1, 2, { onClick: () => undefined }] }, "body.items.3.onClick", "is a function"],
    [{ a: Symbol("s") }, "body.a", "is a symbol"],
    [[1n], "body.0", "is a BigInt"],
    [{ a: Number.NaN }, "body.a", "is NaN"],
    [{ a: -Infinity }, "body.a", "is -Infinity"],
    [{ a: new Map([[1, 2]]) }, "body.a", "is a Map"],
    [{ a: new Set() }, "body.a", "is a Set"],
    [{ a: new Uint8Array(2) }, "body.a", "is a Uint8Array"],
    [{ a: new Error("no") }, "body.a", "is an Error"],
    [{ a: Promise.resolve() }, "body.a", "is a Promise"],
    [{ a: reactive({ b: () => 1 }) }, "body.a.b", "is a function"],
    [circular, "body.list.0", "refers to an object that contains it"],
    [() => 1, "body", "is a function"],
  ])("%o is refused by its path", (value, field, what) => {
    const { code, ...error } = refusal(value);
    expect(code).toBe("invalid_call");
    expect(error).toEqual({ field, message: `${what}; only plain data, as in JSON, can be sent` });
  });

  test("a getter that throws is refused with what it says", () => {
    const value = {
      get broken(): never {
        throw new Error("not now");
      },
    };
    expect(refusal(value).message).toMatch(/^cannot be read: not now/);
  });

  test("data that is nested too deeply is refused with a path that can be read", () => {
    let value: unknown = 1;
    for (let depth = 0; depth < 100_000; depth += 1) value = { value };
    const { field, message } = refusal(value);
    expect(message).toMatch(/^is nested more than 500 levels deep/);
    expect(field.length).toBeLessThan(250);
  });
});
