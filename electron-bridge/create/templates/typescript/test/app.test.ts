// The app in a real Electron: what is stored in the page is there again after a restart.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { _electron, type ElectronApplication, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

let userData: string;
let app: ElectronApplication | undefined;

beforeAll(() => {
  userData = mkdtempSync(join(tmpdir(), "my-app-"));
});

afterEach(async () => {
  await app?.close();
});

afterAll(() => rmSync(userData, { recursive: true, force: true }));

async function open(): Promise<Page> {
  app = await _electron.launch({
    args: [".", `--user-data-dir=${userData}`],
    chromiumSandbox: !process.env["ELECTRON_NO_SANDBOX"],
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
  expect(await page.locator("#problem").textContent()).toBe("");
});

test("the page has the policy that keeps foreign code out", async () => {
  const page = await open();
  const refused = await page.evaluate(() => {
    const script = Object.assign(document.createElement("script"), {
      textContent: "window.isForeign = true",
    });
    document.head.append(script);
    return !("isForeign" in window);
  });
  expect(refused).toBe(true);
});
