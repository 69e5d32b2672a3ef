// The example's Python through the bridge, as the tests of an app in TypeScript use it: no Electron, a real sidecar.

import { join } from "node:path";
import { expect, test as base } from "vitest";
import operations from "../../example/cards/operations.json";
import { type OperationTable } from "../../src/main/index.js";
import { sidecarFixture, type TestSidecar } from "../../src/testing/index.js";
import { until } from "../support.js";

const PACKAGE = join(__dirname, "..", "..");
const PYTHON = join(
  PACKAGE,
  "..",
  ".venv",
  process.platform === "win32" ? "Scripts/python.exe" : "bin/python",
);

const test = base.extend({
  sidecar: sidecarFixture({
    python: PYTHON,
    extensions: ["flash_cards"],
    pythonPath: [join(PACKAGE, "example", "backend")],
    operations: operations as OperationTable,
  }),
});

/** Without the generated types, which would be those of every test of the bridge. */
function call(sidecar: TestSidecar, operation: string, input?: object): Promise<Record<string, unknown>> {
  const untyped = sidecar.call as (operation: string, input?: object) => Promise<Record<string, unknown>>;
  return untyped(operation, input);
}

test("an import's progress comes as events, and its cards are found", async ({ sidecar }) => {
  const reports: unknown[] = [];
  let status = "";
  sidecar.events.subscribe(["jobs"], (notice) => {
    if (notice.kind !== "event") return;
    reports.push(notice.data.done);
    status = notice.data.status;
  });
  const text = Array.from({ length: 500 }, (_, number) => `word ${number}\tWort ${number}`).join("\n");
  await call(sidecar, "study.start_import", { deck: "German", text });
  await until(() => status === "done", "the end of the import", 10_000);
  expect(reports.at(-1)).toBe(500);
  const { items } = await sidecar.search.query({ query: { q: '"Wort 17"' } });
  expect(items).toMatchObject([{ id: "study.card:18" }]);
});

test("a card that was answered is there after the sidecar is killed", async ({ sidecar }) => {
  const deck = await call(sidecar, "study.create_deck", { name: "French" });
  await call(sidecar, "study.create_card", { deck_id: deck["id"], front: "sea", back: "mer" });
  process.kill(sidecar.snapshot.ready?.pid ?? 0, "SIGKILL");
  expect(await call(sidecar, "study.get_card", { card_id: 1 })).toMatchObject({ front: "sea", box: 0 });
});
