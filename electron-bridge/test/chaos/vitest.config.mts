import { defineConfig } from "vitest/config";

/** Run by `./scripts/test`, for a moment, and by `./scripts/test --chaos MINUTES`. */
export default defineConfig({
  test: {
    include: ["test/chaos/*.test.ts"],
    // Each test keeps both processors busy and measures how long processes live: two at once would measure each other.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 30_000,
  },
});
