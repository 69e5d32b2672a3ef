import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "test/*.test.ts",
      "test/{cli,main,preload,renderer,shared,tanstack-query,testing}/**/*.test.ts",
    ],
    typecheck: { enabled: true, include: ["test/*.test-d.ts"] },
    testTimeout: 15_000,
    hookTimeout: 15_000,
  },
});
