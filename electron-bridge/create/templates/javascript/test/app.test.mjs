// The app in a real Electron: what is stored in the page is there again after a restart.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { _electron } from "playwright-core";

const userData = mkdtempSync(join(tmpdir(), "my-app-"));
let app;

afterEach(() => app.close());

after(() => rmSync(userData, { recursive: true, force: true }));

async function open() {
  app = await _electron.launch({
    args: [".", `--user-data-dir=${userData}`],
    chromiumSandbox: !process.env.ELECTRON_NO_SANDBOX,
  });
  return app.firstWindow();
}

test("a note is stored", async () => {
  const page = await open();
  await page.getByLabel("Note").fill("water the plants");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText("water the plants").waitFor();
});

test("the note is there after a restart, until it is deleted", async () => {
  const page = await open();
  await page.getByText("water the plants").waitFor();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByText("water the plants").waitFor({ state: "detached" });
  assert.equal(await page.locator("#problem").textContent(), "");
});

test("the page has the policy that keeps foreign code out", async () => {
  const page = await open();
  const isRefused = await page.evaluate(() => {
    document.head.append(
      Object.assign(document.createElement("script"), { textContent: "window.isForeign = true" }),
    );
    return !("isForeign" in window);
  });
  assert.equal(isRefused, true);
});
