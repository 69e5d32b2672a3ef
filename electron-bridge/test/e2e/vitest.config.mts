import { configDefaults, defineConfig } from "vitest/config";

/** The apps of these are written by the tests themselves, or their Python is: none of them is packaged. */
const NEVER_PACKAGED = ["progress", "readme", "twenty-lines"].map((name) => `test/e2e/${name}.test.ts`);

/**
 * Run by `./scripts/test --only electron`, which finds an Electron and a display for it. With E2E_PACKAGED, against the
 * apps that `scripts/package-apps` has made.
 */
export default defineConfig({
  test: {
    include: ["test/e2e/*.test.ts"],
    exclude: [...configDefaults.exclude, ...(process.env["E2E_PACKAGED"] ? NEVER_PACKAGED : [])],
    // Each test starts whole apps and measures how long processes live: two at once would measure each other.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 30_000,
  },
});
