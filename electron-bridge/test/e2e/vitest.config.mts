import { defineConfig } from "vitest/config";

/** Run by `./scripts/test --only electron`, which finds an Electron and a display for it. */
export default defineConfig({
  test: {
    include: ["test/e2e/*.test.ts"],
    // Each test starts whole apps and measures how long processes live: two at once would measure each other.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 30_000,
  },
});
