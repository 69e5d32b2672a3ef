// Queries of the real TanStack Query over a sidecar of the test's own making.

import { MutationObserver, onlineManager, QueryClient, QueryObserver } from "@tanstack/query-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createClient } from "../../src/shared/client.js";
import { SidecarError } from "../../src/shared/errors.js";
import { connectQueryClient, mutationOptions, queryOptions } from "../../src/tanstack-query/index.js";
import { FakeSidecar, settled } from "../shared/fake-sidecar.js";

let fake: FakeSidecar;
let queryClient: QueryClient;
let ends: (() => void)[];

function sidecar() {
  return createClient(fake.transport);
}

/** The data of a query that a component shows, each time that it changes. */
function show(operation: "todos.list" | "vaults.list" | "doctor.report", client = sidecar()): unknown[] {
  const shown: unknown[] = [];
  const observer = new QueryObserver(queryClient, queryOptions(client, operation));
  ends.push(
    observer.subscribe(({ data }) => {
      if (data !== undefined && shown.at(-1) !== data) shown.push(data);
    }),
  );
  return shown;
}

async function pause(): Promise<void> {
  await vi.advanceTimersByTimeAsync(100);
}

beforeEach(() => {
  vi.useFakeTimers();
  fake = new FakeSidecar();
  queryClient = new QueryClient();
  ends = [];
});

afterEach(() => {
  for (const end of ends) end();
  queryClient.clear();
  vi.useRealTimers();
});

describe("query options", () => {
  test("have a key of the operation and its input, and call it", async () => {
    const options = queryOptions(sidecar(), "todos.list", { query: { status: 0 } });
    expect(options.queryKey).toEqual(["electron-sidecar", "todos.list", { query: { status: 0 } }]);
    expect(await queryClient.query(options)).toBe(1);
    expect(fake.reads).toEqual([["todos.list", { query: { status: 0 } }]]);
    expect(queryClient.getQueryData(options.queryKey)).toBe(1);
  });

  test("run without a network, and end with the query's signal", async () => {
    const options = queryOptions(sidecar(), "todos.list");
    onlineManager.setOnline(false);
    try {
      expect(await queryClient.query(options)).toBe(1);
    } finally {
      onlineManager.setOnline(true);
    }
    const call = vi.fn(() => Promise.resolve(1));
    const { signal } = new AbortController();
    await queryOptions({ call, watch: () => () => undefined } as never, "todos.list").queryFn({ signal });
    expect(call).toHaveBeenCalledWith("todos.list", undefined, { signal });
  });

  test("try again what may pass, and nothing else", async () => {
    const read = (): Promise<unknown> => queryClient.query({ ...queryOptions(sidecar(), "todos.list"), retryDelay: 1 }); // prettier-ignore
    fake.failure = new SidecarError("not_found", "gone");
    const gone = read();
    await Promise.all([expect(gone).rejects.toMatchObject({ code: "not_found" }), pause()]);
    expect(fake.reads).toHaveLength(1);
  });
});

test("mutation options call the operation with the variables", async () => {
  const observer = new MutationObserver(queryClient, mutationOptions(sidecar(), "todos.create"));
  expect(await observer.mutate({ content: "x" })).toBe(1);
  expect(fake.reads).toEqual([["todos.create", { body: { content: "x" } }]]);
});

describe("a connected query client", () => {
  test("reads the queries again that a commit may have changed, and no others", async () => {
    const client = sidecar();
    ends.push(connectQueryClient(client, queryClient));
    const [todos, vaults] = [show("todos.list", client), show("vaults.list", client)];
    await settled();
    await fake.reset();
    await pause();
    const before = fake.reads.length;
    await fake.commit("todos", 2);
    await pause();
    expect([todos, vaults]).toEqual([[1, 2], [1]]);
    expect(fake.reads.slice(before)).toEqual([["todos.list", undefined]]);
  });

  test("reads all of them again after a reset", async () => {
    const client = sidecar();
    ends.push(connectQueryClient(client, queryClient));
    const [todos, vaults] = [show("todos.list", client), show("vaults.list", client)];
    await settled();
    await fake.reset();
    await pause();
    fake.value = 2;
    await fake.reset("another_instance");
    await pause();
    expect([todos, vaults]).toEqual([[1, 2], [1, 2]]); // prettier-ignore
  });

  test("makes one reading of many commits, and misses none that comes during it", async () => {
    const client = sidecar();
    ends.push(connectQueryClient(client, queryClient));
    const todos = show("todos.list", client);
    await settled();
    await fake.reset();
    await pause();
    const before = fake.reads.length;
    fake.gate = new Promise((resolve) => setTimeout(resolve, 50));
    for (let value = 2; value <= 100; value++) await fake.commit("todos", value);
    await vi.advanceTimersByTimeAsync(500);
    expect(fake.reads.length - before).toBe(2);
    expect(todos.at(-1)).toBe(100);
  });

  test("marks a query that nobody shows as stale, so that it is read when it is shown", async () => {
    const client = sidecar();
    ends.push(connectQueryClient(client, queryClient));
    const options = { ...queryOptions(client, "todos.list"), staleTime: Infinity };
    await queryClient.query(options);
    await fake.reset();
    await pause();
    await queryClient.query(options);
    const before = fake.reads.length;
    expect(await queryClient.query(options)).toBe(1);
    expect(fake.reads).toHaveLength(before);
    await fake.commit("todos", 2);
    await pause();
    expect(fake.reads).toHaveLength(before);
    expect(await queryClient.query(options)).toBe(2);
  });

  test("connects queries that were there before, and leaves those of others alone", async () => {
    const client = sidecar();
    await queryClient.query({ queryKey: ["own"], queryFn: () => 1 });
    const todos = show("todos.list", client);
    await settled();
    ends.push(connectQueryClient(client, queryClient));
    await settled();
    await fake.reset();
    await pause();
    await fake.commit("todos", 2);
    await pause();
    expect(todos).toEqual([1, 2]);
    expect(queryClient.getQueryState(["own"])).toMatchObject({ isInvalidated: false });
  });

  test("hears nothing any more when the last query is gone, or after its end", async () => {
    const client = sidecar();
    const disconnect = connectQueryClient(client, queryClient);
    show("todos.list", client);
    await settled();
    expect(fake.listening).toHaveLength(1);
    ends.pop()?.();
    queryClient.clear();
    expect(fake.listening).toEqual([]);
    show("todos.list", client);
    await settled();
    expect(fake.listening).toHaveLength(1);
    disconnect();
    expect(fake.listening).toEqual([]);
  });

  test("names the operations that cannot be live to who asks, and nobody else", async () => {
    const client = sidecar();
    const refused: unknown[] = [];
    ends.push(connectQueryClient(client, queryClient));
    ends.push(
      connectQueryClient(client, queryClient, { onError: ({ code }, id) => refused.push([code, id]) }),
    );
    expect(show("doctor.report", client)).toEqual([]);
    await settled();
    expect(refused).toEqual([["invalid_call", "doctor.report"]]);
  });
});
