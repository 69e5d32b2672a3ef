import { defineConfig } from "tsup";

/** What Electron 22, the oldest one supported, runs: Node 16.17 in the main process, Chromium 108 in the others. */
const shared = {
  target: ["node16.17", "chrome108"],
  outDir: "dist",
  dts: true,
  external: ["electron"],
  // No shared chunks: a page serves one file as its client, and a preload script can be one file only.
  splitting: false,
};

export default defineConfig([
  {
    ...shared,
    entry: { main: "src/main/index.ts", renderer: "src/renderer/index.ts" },
    format: ["cjs", "esm"],
  },
  {
    ...shared,
    entry: { cli: "src/cli/index.ts" },
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
