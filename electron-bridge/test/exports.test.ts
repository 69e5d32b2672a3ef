// Every entry of package.json's `exports`, imported from the built package as an app imports it.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";
import manifest from "../package.json";
import { temporaryFolder } from "./support.js";

const PACKAGE = join(__dirname, "..");

/** The values that each entry exports; `./preload` exports none, but puts the bridge on the page's window. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  "./main": ["Sidecar", "SidecarError", "defaultPolicy", "exposeToPages", "installUpdate", "watchPower"],
  "./renderer": ["SidecarError", "sidecar"],
  "./renderer.mjs": ["SidecarError", "sidecar"],
  "./tanstack-query": ["connectQueryClient", "mutationOptions", "queryOptions"],
  "./testing": ["SidecarError", "TestSidecar", "fakeSidecar", "sidecarFixture", "startSidecar"],
};

/** A type that each entry exports besides. */
const TYPES: Readonly<Record<string, string>> = {
  "./main": "Snapshot",
  "./preload": "PageBridge",
  "./renderer": "Notice",
  "./renderer.mjs": "Notice",
  "./tanstack-query": "ConnectOptions",
  "./testing": "FakeAnswers",
};

const entries = Object.keys(manifest.exports).filter((entry) => entry !== "./package.json");
const withValues = Object.entries(VALUES);

/** An app that has the built package among its modules. */
function appFolder(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(PACKAGE, join(folder, "node_modules", manifest.name), "junction");
  return folder;
}

function run(file: string, source: string): unknown {
  const folder = appFolder();
  writeFileSync(join(folder, file), source);
  return JSON.parse(execFileSync(process.execPath, [file], { cwd: folder, encoding: "utf8" })) as unknown;
}

function nameOf(entry: string): string {
  return manifest.name + entry.slice(1);
}

/** Every path among the conditions of an entry. */
function pathsIn(conditions: unknown): string[] {
  if (typeof conditions === "string") return [conditions];
  return Object.values(conditions as object).flatMap(pathsIn);
}

beforeAll(() => {
  if (!existsSync(join(PACKAGE, "dist"))) {
    throw new Error("The package is not built: run `npm run build` first.");
  }
});

test("every entry is known to this test", () => {
  expect(entries.sort()).toEqual(Object.keys(TYPES).sort());
});

test("every file that an entry names is there and is published", () => {
  const paths = pathsIn([manifest.exports, manifest.typesVersions]);
  expect(paths.filter((path) => !existsSync(join(PACKAGE, path)))).toEqual([]);
  const unpublished = paths.filter((path) => dirname(path) !== "./dist" && path !== "./package.json");
  expect(unpublished).toEqual([]);
  const excluded = manifest.files.filter((file) => file.startsWith("!")).map((file) => `./${file.slice(1)}`);
  expect(manifest.files[0]).toBe("dist");
  expect(paths.filter((path) => excluded.includes(path))).toEqual([]);
});

describe("an entry", () => {
  // One file, for a page without a bundler.
  const modulesOnly = ["./renderer.mjs"];

  test("(./renderer.mjs) is one file that needs no other", () => {
    const source = `console.log(JSON.stringify(require.resolve("${nameOf("./renderer.mjs")}")))`;
    const text = readFileSync(run("app.cjs", source) as string, "utf8");
    expect(ts.preProcessFile(text).importedFiles).toEqual([]);
  });

  test.each(withValues.filter(([entry]) => !modulesOnly.includes(entry)))(
    "(%s) is required",
    (entry, names) => {
      const source = `console.log(JSON.stringify(Object.keys(require("${nameOf(entry)}")).sort()))`;
      expect(run("app.cjs", source)).toEqual(names);
    },
  );

  test.each(withValues)("(%s) is imported", (entry, names) => {
    const source = `import * as entry from "${nameOf(entry)}"; console.log(JSON.stringify(Object.keys(entry).sort()))`;
    expect(run("app.mjs", source)).toEqual(names);
  });

  test("(./preload) puts the bridge on the page's window", () => {
    const source = `
      const electron = {
        ipcRenderer: { on() {} },
        contextBridge: { exposeInMainWorld: (name, api) => console.log(JSON.stringify([name, Object.keys(api).sort()])) },
      };
      const { Module } = require("module");
      const load = Module._load;
      Module._load = (name, ...rest) => (name === "electron" ? electron : load(name, ...rest));
      require("${nameOf("./preload")}");
    `;
    const functions = ["call", "cancel", "onStatus", "status", "subscribe", "topics", "unsubscribe"];
    expect(run("app.cjs", source)).toEqual(["electronSidecar", functions]);
  });

  test("(./package.json) is required", () => {
    const source = `console.log(JSON.stringify(require("${nameOf("./package.json")}").version))`;
    expect(run("app.cjs", source)).toBe(manifest.version);
  });
});

describe("the types", () => {
  test.each([
    ["CommonJS", "app.cts", ts.ModuleKind.Node16, ts.ModuleResolutionKind.Node16],
    ["ES modules", "app.mts", ts.ModuleKind.Node16, ts.ModuleResolutionKind.Node16],
    ["a bundler", "app.ts", ts.ModuleKind.ESNext, ts.ModuleResolutionKind.Bundler],
    ["an old compiler's settings", "app.ts", ts.ModuleKind.CommonJS, ts.ModuleResolutionKind.Node10],
  ])("of every entry are found by %s", (_, file, module, moduleResolution) => {
    const path = join(appFolder(), file);
    const lines = entries.map((entry, number) => {
      const mode =
        entry === "./renderer.mjs" && file === "app.cts" ? ` with { "resolution-mode": "import" }` : "";
      return `import type { ${TYPES[entry]} as Type${number} } from "${nameOf(entry)}"${mode};`;
    });
    lines.push(`export type All = [${entries.map((_, number) => `Type${number}`).join(", ")}];`);
    writeFileSync(path, lines.join("\n"));
    const options: ts.CompilerOptions = {
      module,
      moduleResolution,
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
      types: [],
    };
    const found = ts.getPreEmitDiagnostics(ts.createProgram([path], options));
    expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
  });
});
