// Live queries of the main process, and the table of an app's own operations, with the real sidecar.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { OperationTable, Sidecar, SidecarOptions, Warning } from "../../src/main/index.js";
import { makeSidecar, temporaryFolder, until } from "../support.js";

const REPOSITORY = join(__dirname, "..", "..", "..");
const PYTHON = join(REPOSITORY, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");

const MODULE = `
from pydantic import BaseModel
from sidecar.extension import Connection, Extension, Storage, Work, Write

class Card(BaseModel):
    front: str

notes = Extension("notes")

@notes.migration(1)
def create_cards(connection):
    connection.execute("CREATE TABLE notes_cards (id INTEGER PRIMARY KEY, front TEXT NOT NULL)")

@notes.router.post("/cards", status_code=204)
async def create(card: Card, write: Write) -> None:
    """Create a card."""
    def insert(work: Work) -> None:
        work.connection.execute("INSERT INTO notes_cards (front) VALUES (?)", (card.front,))
        work.changed("notes.cards", 1)
    await write(insert)

@notes.router.get("/cards")
async def list_cards(storage: Storage) -> list[str]:
    """List the cards."""
    def query(connection: Connection) -> list[str]:
        return [front for (front,) in connection.execute("SELECT front FROM notes_cards ORDER BY id")]
    return await storage.read(query)

@notes.router.get("/todos", topics=["todos"])
async def count_todos(storage: Storage) -> int:
    """Count the todos."""
    return (await storage.get_todos(with_total=True)).total
`;

const READING = { method: "GET", mutating: false, replayable: true, restricted: false, flat: null } as const;
const OWN: OperationTable = {
  "notes.create": {
    method: "POST",
    path: "/x/notes/cards",
    mutating: true,
    replayable: true,
    restricted: false,
    flat: "body",
  },
  "notes.list_cards": { ...READING, path: "/x/notes/cards", topics: ["notes.*", "imports"] },
  "notes.count_todos": { ...READING, path: "/x/notes/todos", topics: ["todos", "imports"] },
};

function options(): SidecarOptions {
  return {
    command: PYTHON,
    args: ["-m", "sidecar"],
    dataDir: temporaryFolder(),
    policy: { restartFirstMs: 50 },
  };
}

function withModule(operations: OperationTable): SidecarOptions {
  const backend = temporaryFolder();
  mkdirSync(join(backend, "own"));
  writeFileSync(join(backend, "own", "__init__.py"), "");
  writeFileSync(join(backend, "own", "notes.py"), MODULE);
  return { ...options(), extensions: ["own.notes"], pythonPath: [backend], operations };
}

/** The contents of the tips, each time that they are delivered. */
function liveTips(sidecar: Sidecar): { readonly delivered: string[][]; readonly end: () => void } {
  const delivered: string[][] = [];
  const end = sidecar.live("tips.list", {}, ({ items }) => {
    delivered.push(items.map(({ content }) => content).sort());
  });
  return { delivered, end };
}

describe("a live query", () => {
  test("that begins before the sidecar delivers when it is there, and after each commit", async () => {
    const sidecar = makeSidecar(options());
    const { delivered, end } = liveTips(sidecar);
    await sidecar.start();
    await until(() => delivered.length === 1, "the first result");
    await sidecar.tips.create({ content: "one" });
    await until(() => delivered.length === 2, "the second result");
    expect(delivered).toEqual([[], ["one"]]);
    end();
    await sidecar.tips.create({ content: "two" });
    await sidecar.tips.list();
    expect(delivered).toHaveLength(2);
  });

  test("reads much less often than a flood of commits comes, and ends with the whole", async () => {
    const sidecar = makeSidecar(options());
    await sidecar.start();
    const totals: unknown[] = [];
    sidecar.live("tips.list", { query: { limit: 1, with_total: true } }, ({ total }) => totals.push(total));
    await until(() => totals.length === 1, "the first result");
    for (let round = 0; round < 30; round++) {
      await Promise.all(Array.from({ length: 10 }, () => sidecar.tips.create({ content: "x" })));
    }
    await until(() => totals.at(-1) === 300, "the last result");
    expect(totals.length).toBeLessThan(40);
  });

  test("reads again when the sidecar was killed, and reports nothing meanwhile", async () => {
    const sidecar = makeSidecar(options());
    await sidecar.start();
    const errors: unknown[] = [];
    const delivered: number[] = [];
    sidecar.live("tips.list", {}, ({ items }) => delivered.push(items.length), {
      onError: (error) => errors.push(error),
    });
    await until(() => delivered.length === 1, "the first result");
    process.kill(sidecar.snapshot.ready?.pid ?? 0, "SIGKILL");
    await sidecar.tips.create({ content: "meanwhile" });
    await until(() => delivered.at(-1) === 1, "the row of meanwhile");
    await sidecar.tips.create({ content: "afterwards" });
    await until(() => delivered.at(-1) === 2, "the row of afterwards");
    expect(errors).toEqual([]);
  });

  test("of an app's own operation hears the topics of its namespace, or those that it names", async () => {
    const sidecar = makeSidecar(withModule(OWN));
    await sidecar.start();
    const delivered: Record<string, unknown[]> = { cards: [], todos: [] };
    sidecar.live("notes.list_cards" as "tips.list", {}, (result) => delivered["cards"]?.push(result));
    sidecar.live("notes.count_todos" as "tips.list", {}, (result) => delivered["todos"]?.push(result));
    await until(
      () => delivered["cards"]?.length === 1 && delivered["todos"]?.length === 1,
      "the first results",
    );
    await sidecar.call("notes.create" as "tips.create", { body: { content: "x", front: "sea" } as never });
    await sidecar.todos.create({ content: "x" });
    await until(
      () => delivered["cards"]?.length === 2 && delivered["todos"]?.length === 2,
      "the second results",
    );
    expect(delivered).toEqual({ cards: [[], ["sea"]], todos: [0, 1] });
  });
});

describe("the table of the app's own operations", () => {
  test("that is out of date is reported at the start, with the names of the operations", async () => {
    const changed = { ...READING, path: "/x/notes/cards", fingerprint: "0123456789ab" };
    const sidecar = makeSidecar(withModule({ "notes.list_cards": changed, "notes.gone": changed }));
    const warnings: Warning[] = [];
    sidecar.on("warning", (warning) => warnings.push(warning));
    await sidecar.start();
    await until(() => warnings.length > 0, "the warning");
    expect(warnings).toEqual([
      {
        code: "operations_out_of_date",
        message:
          "The app's table of operations is out of date: notes.gone are gone; notes.list_cards have changed. " +
          "Run `electron-sidecar generate`.",
      },
    ]);
  });
});
