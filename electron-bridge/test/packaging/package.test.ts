// The published npm package in the eyes of publint and of Are the Types Wrong.

import { spawnSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";
import manifest from "../../package.json";
import { TARBALL, TOOLS } from "./packages.js";

interface Analysis {
  readonly analysis: { readonly entrypoints: Readonly<Record<string, unknown>> };
  readonly problems: unknown;
}

/** What a tool writes to its standard output, whatever it finds. */
function run(tool: string, ...args: string[]): string {
  const command = [path.join(TOOLS, ...tool.split("/")), TARBALL, ...args];
  const { stdout } = spawnSync(process.execPath, command, { encoding: "utf8", maxBuffer: Infinity });
  return stdout;
}

test("publint has no error, no warning and no suggestion", () => {
  expect(run("publint/src/cli.js")).toContain("All good!");
});

test("the types of every entry are right for every way to resolve them", () => {
  const output = run("@arethetypeswrong/cli/dist/index.js", "--format", "json");
  const { analysis, problems } = JSON.parse(output) as Analysis;
  const isModule = { kind: "CJSResolvesToESM", entrypoint: "./renderer.mjs", resolutionKind: "node16-cjs" };
  expect(Object.keys(analysis.entrypoints)).toEqual(Object.keys(manifest.exports));
  // The file for a page without a bundler is an ES module by its name.
  expect(problems).toEqual({ CJSResolvesToESM: [isModule] });
});
