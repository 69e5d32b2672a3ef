// The sections of BUNDLERS.md that need no bundler, written from the page alone: a page from a file with an import map, and a
// preload script of the app's own beside the bridge's.

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { App, freshFolder } from "./app.js";

const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
const BRIDGE = path.join(REPOSITORY, "electron-bridge");
const SHOWN_WITHIN_MS = 20_000;

/** The blocks of a section, by the file that their first line names; one without such a line is "". */
function blocksOf(heading: string): Map<string, string> {
  const page = readFileSync(path.join(REPOSITORY, "BUNDLERS.md"), "utf8");
  const section = page.split(`${heading}\n`)[1]?.split(/^##/m)[0] ?? "";
  const blocks = [...section.matchAll(/^```\w+\n(.*?)^```$/gms)].map(([, text = ""]) => text);
  return new Map(blocks.map((text) => [/^(?:\/\/|<!--) (\S+)/.exec(text)?.[1] ?? "", text]));
}

function project(files: Iterable<readonly [string, string]>): string {
  const folder = freshFolder();
  mkdirSync(path.join(folder, "node_modules"));
  symlinkSync(BRIDGE, path.join(folder, "node_modules", "electron-sidecar"), "junction");
  symlinkSync(path.join(REPOSITORY, ".venv"), path.join(folder, ".venv"), "junction");
  writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name: "my-app", main: "main.js" }));
  for (const [name, text] of files) writeFileSync(path.join(folder, name), text);
  return folder;
}

async function start(folder: string): Promise<App> {
  const app = await App.start({ app: folder, cwd: folder });
  await app.page.getByText("Todo 1: water the plants").waitFor({ timeout: SHOWN_WITHIN_MS });
  return app;
}

const files = blocksOf("## A page without a bundler");
files.delete("");

test("a page from a file imports the client by the name of the package", async () => {
  expect([...files.keys()]).toEqual(["page.html", "page.js", "main.js"]);
  await start(project(files));
});

test("a preload script of the app's own runs beside the bridge's", async () => {
  const register = blocksOf("### Without a bundler").get("") ?? "";
  const main = (files.get("main.js") ?? "")
    .replace("whenReady().then(() => {\n", (line) => `${line}${register}`)
    .replace('preload: require.resolve("electron-sidecar/preload")', 'preload: require.resolve("./own.js")');
  expect(main).toMatch(/session[^]*own\.js/);
  const preload = `require("electron").contextBridge.exposeInMainWorld("own", { answer: 42 });`;
  const app = await start(project([...files, ["main.js", main], ["own.js", preload]]));
  expect(await app.page.evaluate(() => (window as { own?: { answer: number } }).own?.answer)).toBe(42);
});
