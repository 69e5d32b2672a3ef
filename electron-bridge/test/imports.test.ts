// Imports run one way: no two files import each other in a circle, and a folder imports only what lies below it. Only one
// file knows that operating systems differ.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path/posix";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const SOURCE = join(__dirname, "..", "src");

/** What each part of the bridge may import besides itself. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  cli: ["main", "shared"],
  main: ["shared"],
  preload: ["shared"],
  renderer: ["shared"],
  "tanstack-query": ["shared"],
  testing: ["main", "shared"],
};

/** The rooms of main, from the bottom up: each imports only those before it. */
const ROOMS = [
  "electron-types",
  "electron",
  "platform",
  "child",
  "supervision",
  "development",
  "calls",
  "events",
  "options",
  "sidecar",
  "update",
  "pages",
  "index",
];

/** Of every source file, by its path under src: the files that it imports, types included. */
type Graph = ReadonlyMap<string, readonly string[]>;

function importGraph(folder: string): Graph {
  const graph = new Map<string, readonly string[]>();
  for (const file of sourceFiles(folder)) {
    const { importedFiles } = ts.preProcessFile(readFileSync(join(folder, file), "utf8"));
    const own = importedFiles.map(({ fileName }) => fileName).filter((name) => /^\..*\.js$/.test(name));
    graph.set(
      file,
      own.map((name) => join(dirname(file), name).replace(/\.js$/, ".ts")),
    );
  }
  return graph;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory()
      ? sourceFiles(path).map((file) => join(entry.name, file))
      : [relative(folder, path)];
  });
}

/** The first circle of imports that is found, from a file to itself; undefined if there is none. */
function circleIn(graph: Graph): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const imported of graph.get(file) ?? []) {
      const circle = visit(imported, [...path, file]);
      if (circle) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const circle = visit(file, []);
    if (circle) return circle;
  }
  return undefined;
}

function arrows(graph: Graph): [string, string][] {
  return [...graph].flatMap(([file, imported]) => imported.map((other): [string, string] => [file, other]));
}

/** The room of a file in main: its folder, or its own name. */
function roomOf(file: string): string {
  return (file.split("/")[1] ?? "").replace(/\.ts$/, "");
}

const graph = importGraph(SOURCE);

describe("the source files", () => {
  test("are found with their imports", () => {
    expect(graph.get("main/supervision/supervisor.ts")).toContain("main/supervision/policy.ts");
    expect(graph.get("main/supervision/supervisor.ts")).toContain("shared/status.ts");
    for (const [file, imported] of arrows(graph)) expect([...graph.keys(), file]).toContain(imported);
  });

  test("import one another in no circle", () => {
    expect(circleIn(graph)).toBeUndefined();
  });

  test("import only their own part and what is shared", () => {
    const partOf = (file: string): string => file.split("/")[0] ?? "";
    const wrong = arrows(graph).filter(([file, other]) => {
      const part = partOf(file);
      return partOf(other) !== part && !PARTS[part]?.includes(partOf(other));
    });
    expect(wrong).toEqual([]);
  });

  test("of main lie in rooms, each of which imports only those below it", () => {
    const inMain = [...graph.keys()].filter((file) => file.startsWith("main/"));
    expect(new Set(inMain.map(roomOf))).toEqual(new Set(ROOMS));
    const upward = arrows(graph).filter(
      ([file, other]) =>
        [file, other].every((one) => one.startsWith("main/")) &&
        ROOMS.indexOf(roomOf(other)) > ROOMS.indexOf(roomOf(file)),
    );
    expect(upward).toEqual([]);
  });
});

describe("the operating system", () => {
  test("is asked for in one file of the bridge", () => {
    const asking = /process\.(platform|arch)\b|\bos\.(platform|type|arch)\(|["'](win32|darwin)["']/;
    const files = sourceFiles(SOURCE).filter((file) => asking.test(readFileSync(join(SOURCE, file), "utf8")));
    expect(files).toEqual(["main/platform.ts"]);
  });
});

describe("a circle is found", () => {
  test("between two files, and among more", () => {
    const two = new Map([["a", ["b"]], ["b", ["a"]]]); // prettier-ignore
    expect(circleIn(two)).toEqual(["a", "b", "a"]);
    const three = new Map([["a", ["b", "x"]], ["b", ["c"]], ["c", ["b"]], ["x", []]]); // prettier-ignore
    expect(circleIn(three)).toEqual(["b", "c", "b"]);
  });

  test("and not where two files import the same one", () => {
    const graph = new Map([["a", ["b", "c"]], ["b", ["c"]], ["c", []]]); // prettier-ignore
    expect(circleIn(graph)).toBeUndefined();
  });
});
