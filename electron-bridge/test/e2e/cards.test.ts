// The example with Python of its own, in a real Electron: an import with its progress, a review, a search, a preference.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { App } from "./app.js";
import { CARDS, PYTHON } from "./launch.mjs";

const EXAMPLE = fileURLToPath(new URL("../../example", import.meta.url));
const LINES = Array.from({ length: 3_000 }, (_, number) => `word ${number}\tWort ${number}`).join("\n");

test("the operation table of the example is that of its Python", () => {
  const args = ["-m", "sidecar.extension", "--extension", "flash_cards"];
  const printed = execFileSync(PYTHON, [...args, "--python-path", path.join(EXAMPLE, "backend")], {
    encoding: "utf8",
  });
  const table = JSON.parse(readFileSync(path.join(EXAMPLE, "cards", "operations.json"), "utf8")) as unknown;
  expect(table).toEqual((JSON.parse(printed) as { operations: unknown }).operations);
});

test("a person imports a deck, sees how far it is, learns, and finds a card", async () => {
  const { page } = await App.start({ app: CARDS });
  await page.getByText("ready", { exact: true }).waitFor();
  await page.getByLabel("Deck", { exact: true }).fill("German");
  const text = page.getByLabel("Cards, a line each");
  await text.evaluate((area: HTMLTextAreaElement, lines) => (area.value = lines), LINES);
  await page.getByRole("button", { name: "Import" }).click();
  await page.getByText("German: 3000 cards, 3000 due").waitFor();

  const seen = ((await page.locator("#progress").getAttribute("data-seen")) ?? "")
    .trim()
    .split(" ")
    .map(Number);
  expect(seen).toEqual([...seen].sort((one, other) => one - other));
  expect(new Set(seen).size).toBeGreaterThan(3);
  expect(seen.at(-1)).toBe(3_000);

  expect(await page.locator("#due li").count()).toBe(20);
  await page
    .locator("#due li", { hasText: /^word 0/ })
    .getByText("Known")
    .click();
  await page.getByText("German: 3000 cards, 2999 due").waitFor();
  await page.getByLabel("Cards a day").fill("3");
  await page.getByLabel("Cards a day").blur();
  await page.waitForFunction(() => document.querySelectorAll("#due li").length === 3);

  await page.getByLabel("Search").fill('"Wort 17"');
  await page.locator("#found").getByText("word 17", { exact: true }).waitFor();
  expect(await page.locator("#problem").innerText()).toBe("");
});
