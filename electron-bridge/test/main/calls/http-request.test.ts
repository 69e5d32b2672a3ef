// From an operation and its parameters to the request on the wire.

import { describe, expect, test } from "vitest";
import { buildRequest } from "../../../src/main/calls/http-request.js";

function wrong(field: string) {
  return expect.objectContaining({
    code: "invalid_call",
    errors: [expect.objectContaining({ field })],
  }) as Error;
}

describe("a request", () => {
  test("has the method and path of its operation, and nothing that was not given", () => {
    expect(buildRequest("tips.list")).toEqual({ method: "GET", path: "/tips", replayable: true });
  });

  test("that changes something without taking a key has none, and is not to be sent again", () => {
    const own = {
      method: "POST",
      path: "/x/own",
      mutating: true,
      replayable: false,
      restricted: false,
      flat: null,
    };
    expect(buildRequest("own.change", {}, undefined, { "own.change": own })).toEqual({
      method: "POST",
      path: "/x/own",
      replayable: false,
    });
  });

  test("has its path parameters escaped", () => {
    const { path } = buildRequest("vaults.get", { path: { vault_id: "a/../b?c#d%" } });
    expect(path).toBe("/vaults/a%2F..%2Fb%3Fc%23d%25");
  });

  test("has its query escaped, lists repeated, and what is null or undefined left out", () => {
    const query = {
      limit: 5,
      cursor: "a&b=c",
      parent_id: null,
      with_total: undefined,
      tag: ["x", "ü"],
      flag: false,
    };
    expect(buildRequest("vaults.list", { query }).path).toBe(
      "/vaults?limit=5&cursor=a%26b%3Dc&tag=x&tag=%C3%BC&flag=false",
    );
  });

  test("has its body as JSON, falsy ones too", () => {
    expect(buildRequest("tips.create", { body: { content: "ü" } }).body).toBe('{"content":"ü"}');
    expect(buildRequest("tips.create", { body: null }).body).toBe("null");
  });
});

describe("parameters that cannot be", () => {
  const text = "a text";
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;

  test.each([
    ["a missing path", {}, "path.vault_id"],
    ["an empty path parameter", { path: { vault_id: "" } }, "path.vault_id"],
    ["a dot", { path: { vault_id: "." } }, "path.vault_id"],
    ["two dots", { path: { vault_id: ".." } }, "path.vault_id"],
    ["an object in the path", { path: { vault_id: {} } }, "path.vault_id"],
    ["half a character", { path: { vault_id: "\ud800" } }, "path.vault_id"],
    ["an inherited path parameter", { path: Object.create({ vault_id: 1 }) as object }, "path.vault_id"],
    ["an unknown path parameter", { path: { vault_id: 1, other: 2 } }, "path.other"],
    ["a path that is no object", { path: text }, "path"],
    ["a query that is no object", { path: { vault_id: 1 }, query: [] }, "query"],
    ["an object in the query", { path: { vault_id: 1 }, query: { a: {} } }, "query.a"],
    ["an unknown part", { path: { vault_id: 1 }, headers: {} }, "headers"],
    ["a body with a cycle", { path: { vault_id: 1 }, body: circular }, "body.self"],
    ["a body that is a function", { path: { vault_id: 1 }, body: () => 1 }, "body"],
    ["a body with a big integer", { path: { vault_id: 1 }, body: { n: 1n } }, "body.n"],
    ["no object at all", text, "input"],
  ])("%s is refused, and named", (_, input, field) => {
    expect(() => buildRequest("vaults.get", input)).toThrow(wrong(field));
  });

  test.each(["", "x".repeat(201), "a b", "a\r\nb: c", "ü", 7])("the key %o is refused", (key) => {
    expect(() => buildRequest("tips.create", { body: {} }, key)).toThrow(wrong("key"));
  });
});
