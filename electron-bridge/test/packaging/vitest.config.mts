import { defineConfig } from "vitest/config";

/** Run by `./scripts/test --packaged` and `--full`, which install the tools that these tests need and package the apps. */
export default defineConfig({
  test: {
    include: ["test/packaging/*.test.ts"],
    // Each test starts whole apps, builds or installs: two at once would take each other's time.
    fileParallelism: false,
    testTimeout: 900_000,
    hookTimeout: 120_000,
  },
});
