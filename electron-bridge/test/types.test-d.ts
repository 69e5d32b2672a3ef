// What the compiler must accept and refuse. Checked by vitest's type checker, never run.

import type { IpcMain, PowerMonitor } from "electron";
import { describe, expectTypeOf, test } from "vitest";
import type {
  CallInput,
  CallResult,
  EventNotice,
  ExposeOptions,
  FlatCallInput,
  Job,
  LongOperationId,
  Notice,
  OperationId,
  PowerMonitorLike,
  Sidecar,
} from "../src/main/index.js";
import type { sidecar as pageSidecar } from "../src/renderer/index.js";
import type { components, operations as apiOperations } from "../src/shared/api.generated.js";
import type { Client, Operations } from "../src/shared/client.js";
import type { RequestKind, RequestMessage, Requests } from "../src/shared/channels.js";
import type { operations as operationTable, topics } from "../src/shared/operations.generated.js";
import type { Status } from "../src/shared/status.js";

declare const sidecar: Sidecar;
declare const page: typeof pageSidecar;

describe("operations", () => {
  test("the operation table and the generated types have the same ones", () => {
    expectTypeOf<keyof typeof operationTable>().toEqualTypeOf<keyof apiOperations>();
    expectTypeOf<OperationId>().toEqualTypeOf<keyof apiOperations>();
  });

  test("an input has the parts that its operation has, and no others", () => {
    expectTypeOf<CallInput<"vaults.get">>().toEqualTypeOf<{
      path: { vault_id: number };
      query?: never;
      body?: never;
    }>();
    expectTypeOf<CallInput<"tips.create">["body"]["content"]>().toEqualTypeOf<string>();
  });

  test("what must be given is required, what has a default is not", () => {
    expectTypeOf<{ body: { content: string } }>().toExtend<CallInput<"todos.create">>();
    expectTypeOf<{ body: { urgency: number } }>().not.toExtend<CallInput<"todos.create">>();
    expectTypeOf<object>().toExtend<CallInput<"todos.list">>();
    expectTypeOf<object>().not.toExtend<CallInput<"activities.counts">>();
  });

  test("a result is the record that the sidecar answers", () => {
    expectTypeOf<CallResult<"tips.create">["content"]>().toEqualTypeOf<string>();
    expectTypeOf<CallResult<"todos.list">["items"][number]["id"]>().toEqualTypeOf<number>();
    expectTypeOf<CallResult<"vaults.get">["parent_id"]>().toEqualTypeOf<number | null>();
  });
});

describe("calls", () => {
  test("in main and in a page take the same arguments and give the same results", () => {
    expectTypeOf(sidecar.call("tips.list")).resolves.toEqualTypeOf<CallResult<"tips.list">>();
    expectTypeOf(page.call("tips.list")).resolves.toEqualTypeOf<CallResult<"tips.list">>();
    const input = { path: { vault_id: 1 } };
    expectTypeOf(sidecar.call("vaults.get", input)).resolves.toEqualTypeOf<CallResult<"vaults.get">>();
    expectTypeOf(page.call("vaults.get", input)).resolves.toEqualTypeOf<CallResult<"vaults.get">>();
  });

  test("of unknown operations, with missing or with unknown parameters do not compile", () => {
    // @ts-expect-error there is no such operation
    void sidecar.call("vaults.explode");
    // @ts-expect-error the path is missing
    void sidecar.call("vaults.get");
    // @ts-expect-error the id has another name
    void page.call("vaults.get", { path: { id: 1 } });
    // @ts-expect-error it takes no body
    void page.call("health.live", { body: {} });
    // @ts-expect-error a tip has no title
    void page.call("tips.create", { body: { content: "x", title: "y" } });
  });
});

describe("a flat input", () => {
  test("is that of an operation with only a body, or only path parameters", () => {
    const todo = sidecar.call("todos.create", { content: "x" });
    expectTypeOf(todo).resolves.toEqualTypeOf<CallResult<"todos.create">>();
    expectTypeOf(page.call("todos.get", { todo_id: 1 })).resolves.toEqualTypeOf<CallResult<"todos.get">>();
    void sidecar.call("todos.create", { content: "x" }, { key: "k", timeoutMs: 1 });
    void page.call("todos.create", { content: "x" }, { key: "k" });
    expectTypeOf<FlatCallInput<"todos.list">>().toEqualTypeOf<never>();
    expectTypeOf<FlatCallInput<"todos.update">>().toEqualTypeOf<never>();
    expectTypeOf<FlatCallInput<"contexts.search">>().toEqualTypeOf<never>();
  });

  test("does not compile with wrong, missing or unknown fields", () => {
    // @ts-expect-error the content is missing
    void sidecar.call("todos.create", {});
    // @ts-expect-error a content is a text
    void sidecar.call("todos.create", { content: 1 });
    // @ts-expect-error a todo has no title
    void page.call("todos.create", { content: "x", title: "y" });
    // @ts-expect-error the id has another name
    void page.call("todos.get", { id: 1 });
  });

  test("does not compile where it would be ambiguous, or the operation has several parts", () => {
    // @ts-expect-error nested and flat at once
    void sidecar.call("todos.create", { body: { content: "x" }, content: "x" });
    // @ts-expect-error nested and flat at once
    void sidecar.call("todos.get", { path: { todo_id: 1 }, todo_id: 1 });
    // @ts-expect-error the body has a field that is called query
    void sidecar.call("contexts.search", { query: "x" });
    // @ts-expect-error it has a path and a body
    void sidecar.call("todos.update", { todo_id: 1, content: "x" });
    // @ts-expect-error it has a query
    void sidecar.call("todos.list", { limit: 1 });
  });
});

describe("operations as methods", () => {
  test("take what a call takes, and give what it gives", () => {
    expectTypeOf(sidecar.todos.create({ content: "x" })).resolves.toEqualTypeOf<CallResult<"todos.create">>();
    expectTypeOf(page.todos.list()).resolves.toEqualTypeOf<CallResult<"todos.list">>();
    expectTypeOf(page.messages.create).parameters.toEqualTypeOf<
      Parameters<Operations<{ readonly signal?: AbortSignal; readonly key?: string }>["messages"]["create"]>
    >();
    void sidecar.vaults.update({ path: { vault_id: 1 }, body: { title: "x" } }, { key: "k" });
    expectTypeOf(sidecar.messages.text(1)).toEqualTypeOf<AsyncIterableIterator<string>>();
    expectTypeOf<keyof Operations<object>["todos"]>().toEqualTypeOf<
      OperationId extends infer Id ? (Id extends `todos.${infer Name}` ? Name : never) : never
    >();
  });

  test("that do not exist do not compile", () => {
    // @ts-expect-error there is no such operation
    expectTypeOf(sidecar.todos.explode);
    // @ts-expect-error there is no such resource
    expectTypeOf(page.todo);
    // @ts-expect-error an object with `then` could not be awaited
    expectTypeOf(page.then);
  });
});

describe("long work", () => {
  test("has its result as the answer of a call, and begins as a job", () => {
    expectTypeOf(sidecar.call("backups.create", {})).resolves.toEqualTypeOf<
      components["schemas"]["Backup"]
    >();
    expectTypeOf(sidecar.call("search.rebuild")).resolves.toEqualTypeOf<undefined>();
    expectTypeOf(sidecar.jobs.start("backups.create", { reason: "talk" })).resolves.toEqualTypeOf<Job>();
    expectTypeOf(
      page.jobs.start("backups.verify", { name: "x" }, { key: "k" }),
    ).resolves.toEqualTypeOf<Job>();
    expectTypeOf(page.jobs.get({ job_id: 1 })).resolves.toEqualTypeOf<Job>();
    expectTypeOf<LongOperationId>().toEqualTypeOf<
      "backups.create" | "backups.verify" | "backups.restore" | "search.rebuild"
    >();
    // @ts-expect-error -- it is no long work
    void sidecar.jobs.start("todos.create", { content: "x" });
    // @ts-expect-error -- the name is missing
    void sidecar.jobs.start("backups.verify", {});
  });
});

describe("the surface", () => {
  test("is the same in main and in a page", () => {
    expectTypeOf(sidecar.status).toEqualTypeOf(page.status);
    expectTypeOf(sidecar.onStatus).toEqualTypeOf(page.onStatus);
    expectTypeOf(sidecar.events.subscribe).toEqualTypeOf(page.events.subscribe);
    expectTypeOf(sidecar.messages.text).toEqualTypeOf(page.messages.text);
    expectTypeOf(sidecar.status()).resolves.toEqualTypeOf<Status>();
    expectTypeOf<keyof typeof page>().toEqualTypeOf<keyof Client<object> | keyof Operations<object>>();
    expectTypeOf<Sidecar>().toExtend<Pick<typeof page, "status" | "onStatus" | "events">>();
  });
});

describe("live events", () => {
  test("have the topics that the sidecar's document names", () => {
    expectTypeOf<EventNotice["topic"]>().toEqualTypeOf<(typeof topics)[number] | `app.${string}`>();
    // @ts-expect-error there is no such topic
    sidecar.events.subscribe(["todo"], () => undefined);
    // @ts-expect-error there is no such topic
    page.events.subscribe(["todos", "message.delta"], () => undefined);
  });

  test("have the data of their topic", () => {
    page.events.subscribe(["messages.delta"], (notice) => {
      expectTypeOf(notice).toEqualTypeOf<Notice<"messages.delta">>();
      if (notice.kind === "reset") return;
      expectTypeOf(notice.id).toEqualTypeOf<number>();
      expectTypeOf(notice.data.text).toEqualTypeOf<string>();
      expectTypeOf(notice.data.sequence).toEqualTypeOf<number>();
      // @ts-expect-error a delta has no title
      expectTypeOf(notice.data.title);
    });
    sidecar.events.subscribe(["messages.delta", "upkeep", "imports", "states"], (notice) => {
      if (notice.kind === "reset") return;
      if (notice.topic === "messages.delta")
        expectTypeOf(notice.data.conversation_id).toEqualTypeOf<number>();
      if (notice.topic === "imports") expectTypeOf(notice.data["todos"]).toEqualTypeOf<number | undefined>();
      if (notice.topic === "states") expectTypeOf(notice.id).toEqualTypeOf<string>();
      if (notice.topic === "upkeep") {
        expectTypeOf(notice.id).toEqualTypeOf<null>();
        expectTypeOf(notice.data.error).toEqualTypeOf<components["schemas"]["UpkeepRun"]["error"]>();
      }
    });
  });
});

describe("channels", () => {
  test("each kind of request has a message that says which it is", () => {
    expectTypeOf<RequestMessage["kind"]>().toEqualTypeOf<RequestKind>();
    expectTypeOf<RequestKind>().toEqualTypeOf<keyof Requests>();
  });

  test("Electron's own ipcMain and powerMonitor fit", () => {
    expectTypeOf<IpcMain>().toExtend<ExposeOptions["ipcMain"]>();
    expectTypeOf<PowerMonitor>().toExtend<PowerMonitorLike>();
  });
});
