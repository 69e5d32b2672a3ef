import type { Plugin } from "esbuild";
import { defineConfig } from "tsup";

/** What Electron 22, the oldest one supported, runs: Node 16.17 in the main process, Chromium 108 in the others. */
const shared = {
  target: ["node16.17", "chrome108"],
  outDir: "dist",
  external: ["electron", "@tanstack/query-core"],
  // No shared chunks: a page serves one file as its client, and a preload script can be one file only.
  splitting: false,
};

const entries = {
  main: "src/main/index.ts",
  renderer: "src/renderer/index.ts",
  "tanstack-query": "src/tanstack-query/index.ts",
  testing: "src/testing/index.ts",
};

/** Has the testing entry use the classes of the main entry: a SidecarError must be the one that the app's code knows. */
const oneMain: Plugin = {
  name: "one-main",
  setup(build) {
    const path = build.initialOptions.format === "esm" ? "./main.mjs" : "./main.js";
    build.onResolve({ filter: /^\.\.\/main\/index\.js$/ }, () => ({ path, external: true }));
  },
};

export default defineConfig([
  {
    ...shared,
    entry: entries,
    format: ["cjs", "esm"],
    esbuildPlugins: [oneMain],
    // The types of the preload script share a chunk with these. It is no ES module, so its `.d.mts` is not published.
    dts: { entry: { ...entries, preload: "src/preload/index.ts" } },
  },
  {
    ...shared,
    entry: { cli: "src/cli/index.ts" },
    format: ["cjs"],
    banner: { js: "#!/usr/bin/env node" },
  },
  {
    ...shared,
    target: "node20",
    entry: { index: "create/src/index.ts" },
    outDir: "create/dist",
    format: ["cjs"],
    dts: false,
    banner: { js: "#!/usr/bin/env node" },
  },
  // A sandboxed page can load CommonJS only, and Electron 22 hands it `require` but no `module` to assign exports to.
  {
    ...shared,
    entry: { preload: "src/preload/index.ts" },
    format: ["cjs"],
    banner: { js: "var module = { exports: {} };" },
  },
]);
