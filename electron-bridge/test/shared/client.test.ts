// The surface that main and pages share, over a transport of the test's own making.

import { describe, expect, test } from "vitest";
import { createClient, type Transport } from "../../src/shared/client.js";
import type { Notice, Topic } from "../../src/shared/events.js";
import { builtInOperations, nestedInput, type OperationTable } from "../../src/shared/operations.js";
import { operations } from "../../src/shared/operations.generated.js";
import { errorOf } from "../support.js";

interface Options {
  readonly signal?: AbortSignal;
  readonly key?: string;
}

/** An operation of an app's own Python. */
const OWN: OperationTable = {
  "notes.create": {
    method: "POST",
    path: "/x/notes",
    mutating: true,
    replayable: true,
    restricted: false,
    flat: "body",
  },
};

function setUp(table = builtInOperations, mayHaveMore = false) {
  const calls: unknown[][] = [];
  const subscribed: { topics: readonly Topic[]; tell: (notices: readonly Notice[]) => void }[] = [];
  const transport: Transport<Options> = {
    call: (...args) => {
      calls.push(args);
      return Promise.resolve({ called: args[0] });
    },
    status: () => Promise.resolve({ state: "ready", stage: null, failure: null }),
    onStatus: () => () => undefined,
    topics: () => Promise.resolve(["todos"]),
    subscribe: (topics, listener) => {
      const subscription = { topics, tell: listener };
      subscribed.push(subscription);
      return { stop: () => subscribed.splice(0), accepted: Promise.resolve() };
    },
  };
  return { client: createClient(transport, table, mayHaveMore), calls, subscribed };
}

describe("long work", () => {
  test("begins as a job, with the input in any form", async () => {
    const { client, calls } = setUp();
    await client.jobs.start("backups.verify", { name: "a.db" }, { key: "k" });
    await client.backups.verify({ name: "a.db" });
    await client.jobs.get({ job_id: 1 });
    expect(calls).toEqual([
      ["backups.verify", { path: { name: "a.db" } }, { key: "k" }, true],
      ["backups.verify", { path: { name: "a.db" } }, undefined],
      ["jobs.get", { path: { job_id: 1 } }, undefined],
    ]);
  });
});

describe("an input", () => {
  const cases: [string, unknown, unknown][] = [
    ["todos.create", { content: "x" }, { body: { content: "x" } }],
    ["todos.create", { body: { content: "x" } }, { body: { content: "x" } }],
    ["todos.create", {}, { body: {} }],
    ["todos.get", { todo_id: 1 }, { path: { todo_id: 1 } }],
    ["todos.get", { path: { todo_id: 1 } }, { path: { todo_id: 1 } }],
    ["todos.create", undefined, undefined],
    ["todos.list", { query: { limit: 1 } }, { query: { limit: 1 } }],
  ];
  test.each(cases)("of %s that is %j has its parts named", (operation, given, nested) => {
    expect(nestedInput(builtInOperations, operation, given)).toEqual(nested);
  });

  const left: [string, unknown][] = [
    ["todos.update", { todo_id: 1, content: "x" }],
    ["todos.list", { limit: 1 }],
    ["contexts.search", { query: "x" }],
    ["todos.create", { body: { content: "x" }, content: "x" }],
    ["todos.explode", { content: "x" }],
    ["todos.create", [1]],
    ["todos.create", "x"],
  ];
  test.each(left)("of %s that is %j is left as it is, to be refused", (operation, given) => {
    expect(nestedInput(builtInOperations, operation, given)).toBe(given);
  });

  test("that has its parts named already stays as it is, however often it is looked at", () => {
    for (const [operation, given] of cases) {
      const nested = nestedInput(builtInOperations, operation, given);
      expect(nestedInput(builtInOperations, operation, nested)).toBe(nested);
    }
  });
});

describe("operations", () => {
  test("are called by their id, with the options after the input", async () => {
    const { client, calls } = setUp();
    expect(await client.call("todos.create", { content: "x" }, { key: "k" })).toEqual({
      called: "todos.create",
    });
    expect(calls).toEqual([["todos.create", { body: { content: "x" } }, { key: "k" }]]);
  });

  test("are methods of their resource, all of them", async () => {
    const { client, calls } = setUp();
    for (const id of Object.keys(operations)) {
      const [resource = "", name = ""] = id.split(".");
      const methods = client as unknown as Record<
        string,
        Record<string, (input?: object) => Promise<unknown>>
      >;
      expect(await methods[resource]?.[name]?.()).toEqual({ called: id });
    }
    expect(calls).toHaveLength(Object.keys(operations).length);
    await client.todos.get({ todo_id: 7 }, { key: "k" });
    expect(calls.at(-1)).toEqual(["todos.get", { path: { todo_id: 7 } }, { key: "k" }]);
  });

  test("are the same function each time, without `this`", async () => {
    const { client } = setUp();
    const { create } = client.todos;
    expect(client.todos.create).toBe(create);
    expect(await create({ content: "x" })).toEqual({ called: "todos.create" });
  });

  test("lie beside the names that are fixed", async () => {
    const { client, calls } = setUp();
    expect(typeof client.messages.text).toBe("function");
    await client.messages.get({ path: { message_id: 1 } });
    expect(calls).toEqual([["messages.get", { path: { message_id: 1 } }, undefined]]);
    expect(Object.keys(client.events)).toEqual(["subscribe"]);
  });

  test("that do not exist are undefined, so that each of these objects can be awaited", async () => {
    const { client } = setUp();
    const anything = client as unknown as Record<string, Record<string, unknown> | undefined>;
    expect(anything["then"]).toBeUndefined();
    expect(anything["explosives"]).toBeUndefined();
    expect(anything["todos"]?.["explode"]).toBeUndefined();
    for (const object of [client, client.todos]) expect(await Promise.resolve(object)).toBe(object);
    expect(Object.prototype.toString.call(client.todos)).toBe("[object Object]");
  });

  test("that are misspelt are called all the same, because the refusal has the right name", async () => {
    const { client, calls } = setUp();
    const anything = client as unknown as Record<string, Record<string, () => Promise<unknown>>>;
    await anything["todos"]?.["creat"]?.();
    expect(calls).toEqual([["todos.creat", undefined, undefined]]);
  });
});

describe("an app's own operations", () => {
  test("are methods where the table has them", async () => {
    const { client, calls } = setUp({ ...builtInOperations, ...OWN });
    const anything = client as unknown as Record<string, Record<string, (input: object) => Promise<unknown>>>;
    await anything["notes"]?.["create"]?.({ text: "x" });
    expect(calls).toEqual([["notes.create", { body: { text: "x" } }, undefined]]);
    expect(anything["notes"]?.["explode"]).toBeUndefined();
  });

  test("are methods in a page, which leaves it to main to know them", async () => {
    const { client, calls } = setUp(builtInOperations, true);
    const anything = client as unknown as Record<string, Record<string, (input: object) => Promise<unknown>>>;
    await anything["notes"]?.["create"]?.({ text: "x" });
    expect(calls).toEqual([["notes.create", { text: "x" }, undefined]]);
    expect(anything["todos"]?.["explode"]).toBeUndefined();
    for (const object of [client, anything["notes"]]) expect(await Promise.resolve(object)).toBe(object);
  });
});

describe("a subscription", () => {
  test("hears its notices one by one", () => {
    const { client, subscribed } = setUp();
    const heard: unknown[] = [];
    const stop = client.events.subscribe(["todos"], (notice) => heard.push(notice));
    const notices: Notice[] = [
      { kind: "reset", reason: "subscribed" },
      { kind: "event", topic: "todos", id: 1, data: {} },
    ];
    subscribed[0]?.tell(notices);
    expect(heard).toEqual(notices);
    stop();
    expect(subscribed).toEqual([]);
  });

  test("to a topic that does not exist is refused at once, on both sides", () => {
    const { client, subscribed } = setUp();
    const subscribe = () => client.events.subscribe(["todo" as Topic], () => undefined);
    expect(subscribe).toThrow(expect.objectContaining({ code: "invalid_call" }) as Error);
    expect(subscribed).toEqual([]);
  });
});

test("what an input throws when it is read is the call's error", async () => {
  const { client } = setUp();
  const hostile = new Proxy(
    { content: "x" },
    {
      getOwnPropertyDescriptor: () => {
        throw new Error("no");
      },
    },
  );
  expect(await errorOf(client.call("todos.create", hostile))).toMatchObject({ message: "no" });
});
