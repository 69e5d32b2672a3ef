// What a page may ask of the sidecar, and what it gets.

import { expect, test } from "vitest";
import { App } from "./app.js";
import { SLOW_SIDECAR } from "./launch.mjs";

interface Row {
  readonly id: number;
}
interface Page<Item> {
  readonly items: readonly Item[];
}

test("a page stores rows and reads them back", async () => {
  const app = await App.start();
  const folder = await app.value<Row>("vaults.create", { body: { title: "Notes", is_folder: true } });
  const body = { title: "Ärger 日本 🚲", content: "one\ntwo", parent_id: folder.id };
  const document = await app.value<Row>("vaults.create", { body });

  expect(document).toMatchObject(body);
  expect(await app.value("vaults.get", { path: { vault_id: document.id } })).toEqual(document);
  const children = await app.value<Page<Row>>("vaults.children", { query: { parent_id: folder.id } });
  expect(children.items).toEqual([document]);
});

test("an operation is a method, and an input of one part may be given flat", async () => {
  const app = await App.start();
  const client = await app.client();
  const contents = await client.evaluate(async ({ sidecar }) => {
    const todo = await sidecar.todos.create({ content: "water the plants" });
    const again = await sidecar.call("todos.get", { todo_id: todo.id });
    const { items } = await sidecar.todos.list({ query: { limit: 1 } });
    return [todo, again, ...items].map(({ content }) => content);
  });
  expect(contents).toEqual(Array(3).fill("water the plants"));
});

test("a call made before the sidecar is ready waits for it and succeeds", async () => {
  const app = await App.start({ env: { SUITE_SIDECAR: SLOW_SIDECAR, SLOW_SIDECAR_SECONDS: "2" } });
  const client = await app.client();

  expect(await client.evaluate(async ({ sidecar }) => (await sidecar.status()).state)).toBe("starting");
  const { value, milliseconds } = await app.call("todos.create", { body: { content: "Be patient" } });
  expect(value).toMatchObject({ content: "Be patient" });
  expect(milliseconds).toBeGreaterThan(500);
});

test("an operation that does not exist is a SidecarError with its code", async () => {
  const app = await App.start();
  const { error } = await app.call("vaults.explode");

  expect(error).toMatchObject({ isSidecarError: true, code: "unknown_operation", retryable: false });
  expect(error?.message).toContain("vaults.explode");
});

test("a restricted operation is refused unless the app allows it", async () => {
  const app = await App.start();
  const vault = await app.value<Row>("vaults.create", { body: { title: "Precious" } });
  const { error } = await app.call("vaults.delete_permanently", { path: { vault_id: vault.id } });

  expect(error).toMatchObject({ isSidecarError: true, code: "operation_not_allowed" });
  expect(await app.value("vaults.get", { path: { vault_id: vault.id } })).toEqual(vault);
});

test("a refusal of the sidecar reaches the page with its status and the field that is wrong", async () => {
  const app = await App.start();
  const { error } = await app.call("todos.create", { body: { content: 7 } });

  expect(error).toMatchObject({ isSidecarError: true, status: 422, retryable: false });
  expect(error?.errors.map(({ field }) => field)).toEqual(["body.content"]);
});

test("an AbortSignal ends a call that has no answer yet", async () => {
  const app = await App.start();
  const pid = await app.sidecarPid();
  const client = await app.client();
  process.kill(pid, "SIGSTOP");
  const outcome = await client.evaluate(async ({ sidecar, SidecarError }) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const started = performance.now();
    const code = await sidecar.call("tips.list", {}, { signal: controller.signal }).then(
      () => "no error",
      (error: unknown) => (error instanceof SidecarError ? error.code : String(error)),
    );
    return { code, milliseconds: performance.now() - started };
  });
  process.kill(pid, "SIGCONT");

  expect(outcome.code).toBe("cancelled");
  expect(outcome.milliseconds).toBeLessThan(1_000);
  expect(await app.value("tips.list")).toMatchObject({ items: [] });
});
