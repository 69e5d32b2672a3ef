// What the compiler must accept and refuse. Checked by vitest's type checker, never run.

import type { IpcMain, PowerMonitor } from "electron";
import { describe, expectTypeOf, test } from "vitest";
import type {
  CallInput,
  CallResult,
  ExposeOptions,
  OperationId,
  PowerMonitorLike,
  Sidecar,
} from "../src/main/index.js";
import type { sidecar as pageSidecar } from "../src/renderer/index.js";
import type { operations as apiOperations } from "../src/shared/api.generated.js";
import type { RequestKind, RequestMessage, Requests } from "../src/shared/channels.js";
import type { operations as operationTable } from "../src/shared/operations.generated.js";

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
