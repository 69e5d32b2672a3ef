// `electron-sidecar generate`, over a real Python that describes an extension.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { PYTHON } from "../notes-module.js";
import { temporaryFolder } from "../support.js";

const PACKAGE = join(__dirname, "..", "..");
const CLI = join(PACKAGE, "dist", "cli.js");
const MODULE = `
from pydantic import BaseModel
from sidecar.extension import Extension, Work, Write

class CardCreate(BaseModel):
    front: str
    back: str | None = None

class Card(CardCreate):
    id: int

notes = Extension("notes")

@notes.router.post("/cards", status_code=201)
async def create(card: CardCreate, write: Write) -> Card:
    """Create a card."""
    return await write(lambda work: Card(id=1, front=card.front), returns=Card)

@notes.router.get("/cards")
async def list_cards() -> list[Card]:
    """List the cards."""
    return []

@notes.router.get("/todos", topics=["todos"])
async def count_todos() -> int:
    """Count the todos."""
    return 0

@notes.router.post("/ping", status_code=204)
async def ping() -> None:
    """Do something that takes no key."""
`;

const APP = `
import { Sidecar } from "electron-sidecar/main";
import { sidecar as page } from "electron-sidecar/renderer";
import { appOperations } from "./sidecar.generated.js";

const sidecar = new Sidecar({ dataDir: "/data", operations: appOperations });
export const id: Promise<number> = sidecar.call("notes.create", { front: "sea" }).then((card) => card.id);
export const front: Promise<string> = page.notes.create({ body: { front: "sea" } }).then((card) => card.front);
page.live("notes.list_cards", {}, (cards) => cards.map((card) => card.front));
// @ts-expect-error it changes something
page.live("notes.create", { front: "sea" }, () => undefined);
// @ts-expect-error a card needs a front
void sidecar.call("notes.create", { back: "mer" });
// @ts-expect-error there is no such operation
void page.call("notes.destroy");
`;

/** A project with the extension `own.notes` and the packages that it needs. */
function project(packages: readonly string[] = ["openapi-typescript"]): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "backend", "own"), { recursive: true });
  writeFileSync(join(folder, "backend", "own", "__init__.py"), "");
  writeFileSync(join(folder, "backend", "own", "notes.py"), MODULE);
  writeFileSync(join(folder, "package.json"), "{}");
  mkdirSync(join(folder, "node_modules"));
  for (const name of packages)
    symlinkSync(join(PACKAGE, "node_modules", name), join(folder, "node_modules", name), "junction");
  symlinkSync(PACKAGE, join(folder, "node_modules", "electron-sidecar"), "junction");
  return folder;
}

const ARGUMENTS = ["--python", PYTHON, "--python-path", "backend", "--out", "sidecar.generated.ts"];

function generate(folder: string, ...args: string[]) {
  const all = [CLI, "generate", ...ARGUMENTS, ...args];
  return spawnSync(process.execPath, all, { cwd: folder, encoding: "utf8" });
}

describe("generate", () => {
  test("writes types with which the app's own operations compile, in main and in a page", () => {
    const folder = project();
    expect(generate(folder, "--extension", "own.notes")).toMatchObject({
      status: 0,
      stdout: "wrote sidecar.generated.ts\n",
    });
    writeFileSync(join(folder, "app.ts"), APP);
    const options: ts.CompilerOptions = {
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      types: [],
    };
    const found = ts.getPreEmitDiagnostics(ts.createProgram([join(folder, "app.ts")], options));
    expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
  });

  test("says of each operation whether it may be sent again", () => {
    const folder = project();
    generate(folder, "--extension", "own.notes");
    const text = readFileSync(join(folder, "sidecar.generated.ts"), "utf8");
    expect(text).toContain(
      '"notes.create": {"method":"POST","path":"/x/notes/cards","mutating":true,"replayable":true',
    );
    expect(text).toContain(
      '"notes.ping": {"method":"POST","path":"/x/notes/ping","mutating":true,"replayable":false',
    );
  });

  test("writes the operation table alone as JSON, for an app in plain JavaScript", () => {
    const folder = project([]);
    const args = [CLI, "generate", ...ARGUMENTS, "--out", "operations.json", "--extension", "own.notes"];
    expect(spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" })).toMatchObject({ status: 0 });
    const table = JSON.parse(readFileSync(join(folder, "operations.json"), "utf8")) as object;
    expect(table).toMatchObject({
      "notes.create": { method: "POST", path: "/x/notes/cards", replayable: true },
    });
  });

  test("says on which topics an answer depends, and what an operation is now", () => {
    const folder = project();
    generate(folder, "--extension", "own.notes");
    const text = readFileSync(join(folder, "sidecar.generated.ts"), "utf8");
    expect(text).toMatch(
      /"notes.list_cards": .*"topics":\["notes.\*","imports"\],"fingerprint":"[0-9a-f]{12}"/,
    );
    expect(text).toMatch(/"notes.count_todos": .*"topics":\["todos","imports"\]/);
    expect(text).toMatch(/"notes.ping": .*"flat":null,"fingerprint":"[0-9a-f]{12}"}/);
  });

  test("with --check says whether the file is up to date, and writes nothing", () => {
    const folder = project();
    expect(generate(folder, "--extension", "own.notes", "--check")).toMatchObject({ status: 1 });
    generate(folder, "--extension", "own.notes");
    expect(generate(folder, "--extension", "own.notes", "--check")).toMatchObject({ status: 0 });
  });

  test.each([
    ["a module that does not exist", ["--extension", "own.other"], "There is no extension module own.other"],
    ["no module", [], "--extension names no module"],
    ["another option", ["--extension", "own.notes", "--outt", "x"], "Unknown option '--outt'"],
    [
      "another Python",
      ["--extension", "own.notes", "--python", "/nowhere/python"],
      "/nowhere/python was tried",
    ],
  ])("refuses %s with what to do", (_, args, said) => {
    const { status, stderr } = generate(project(), ...args);
    expect(stderr).toContain(said);
    expect(status).toBeGreaterThan(0);
  });

  test("says how to get what it needs", () => {
    const { stderr } = generate(project([]), "--extension", "own.notes");
    expect(stderr).toContain("npm install --save-dev openapi-typescript");
  });
});

test("--help describes the command", () => {
  expect(execFileSync(process.execPath, [CLI, "generate", "--help"], { encoding: "utf8" })).toContain(
    "--extension MODULE",
  );
});
