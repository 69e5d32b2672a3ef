// What the compiler must accept and refuse of live queries and of TanStack's. Checked by vitest's type checker, never run.

import { QueryClient } from "@tanstack/query-core";
import { useMutation, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { describe, expectTypeOf, test } from "vitest";
import type { CallResult, LiveOperationId, Sidecar, SidecarError } from "../src/main/index.js";
import type { sidecar as pageSidecar } from "../src/renderer/index.js";
import { connectQueryClient, mutationOptions, queryOptions } from "../src/tanstack-query/index.js";

declare const sidecar: Sidecar;
declare const page: typeof pageSidecar;

describe("a live query", () => {
  test("is typed by its operation, in main and in a page", () => {
    const input = { query: { status: 0 } } as const;
    expectTypeOf(sidecar.live("todos.list", input, () => undefined)).toEqualTypeOf<() => void>();
    page.live("todos.list", input, (result) => {
      expectTypeOf(result).toEqualTypeOf<CallResult<"todos.list">>();
    });
    page.live("todos.get", { todo_id: 1 }, ({ content }) => {
      expectTypeOf(content).toEqualTypeOf<string>();
    });
    const { signal } = new AbortController();
    page.live("health.ready", {}, () => undefined, { signal, onError: ({ code }) => code });
  });

  test("of an operation that cannot be live, or with a wrong parameter, does not compile", () => {
    // @ts-expect-error it changes something
    sidecar.live("todos.create", { content: "x" }, () => undefined);
    // @ts-expect-error nothing is reported when its answer changes
    sidecar.live("doctor.report", {}, () => undefined);
    // @ts-expect-error there is no such operation
    page.live("todos.explode", {}, () => undefined);
    // @ts-expect-error it has no such parameter
    page.live("todos.list", { query: { colour: "red" } }, () => undefined);
    // @ts-expect-error the id is missing
    page.live("todos.get", {}, () => undefined);
    // @ts-expect-error it has no such option
    page.live("todos.list", {}, () => undefined, { key: "x" });
    // @ts-expect-error it changes something
    page.watch("todos.create", () => undefined);
    expectTypeOf<"todos.similar">().toExtend<LiveOperationId>();
    expectTypeOf<"health.live">().not.toExtend<LiveOperationId>();
  });
});

describe("query options", () => {
  test("give a query of React its result and its error", () => {
    const { data, error } = useQuery(queryOptions(page, "todos.list", { query: { status: 0 } }));
    expectTypeOf(data).toEqualTypeOf<CallResult<"todos.list"> | undefined>();
    expectTypeOf(error).toEqualTypeOf<SidecarError | null>();
    expectTypeOf(useSuspenseQuery(queryOptions(page, "tips.list")).data).toEqualTypeOf<
      CallResult<"tips.list">
    >();
    const selected = useQuery({ ...queryOptions(page, "tips.list"), select: ({ items }) => items.length });
    expectTypeOf(selected.data).toEqualTypeOf<number | undefined>();
  });

  test("have a key by which the cache knows the type of the data", () => {
    const { queryKey } = queryOptions(sidecar, "todos.get", { todo_id: 1 });
    expectTypeOf(new QueryClient().getQueryData(queryKey)).toEqualTypeOf<
      CallResult<"todos.get"> | undefined
    >();
  });

  test("of unknown operations or wrong parameters do not compile", () => {
    // @ts-expect-error there is no such operation
    queryOptions(page, "todos.explode");
    // @ts-expect-error the id is missing
    queryOptions(page, "todos.get");
    // @ts-expect-error it has no such parameter
    queryOptions(page, "todos.list", { query: { colour: "red" } });
  });

  test("of a mutation take its input as variables", () => {
    const { mutate, data } = useMutation(mutationOptions(page, "todos.create"));
    mutate({ content: "x" });
    mutate({ body: { content: "x" } });
    // @ts-expect-error a todo needs a content
    mutate({ urgency: 1 });
    expectTypeOf(data).toEqualTypeOf<CallResult<"todos.create"> | undefined>();
  });

  test("a query client of TanStack can be connected", () => {
    expectTypeOf(connectQueryClient(page, new QueryClient())).toEqualTypeOf<() => void>();
    expectTypeOf(connectQueryClient(sidecar, new QueryClient())).toEqualTypeOf<() => void>();
  });
});
