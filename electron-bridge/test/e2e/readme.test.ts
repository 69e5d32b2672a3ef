// The JavaScript of README.md, run in a real Electron: its main process, its page, and what the page gets.

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { App, freshFolder } from "./app.js";

const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
const BRIDGE = path.join(REPOSITORY, "electron-bridge");
const RESULT_WITHIN_MS = 20_000;

/** The page's origin, which every app has a way of its own to serve. */
const SERVE = `
const { app, protocol } = require("electron");
const { readFileSync } = require("node:fs");
const path = require("node:path");
const files = {
  "/": ["text/html", path.join(__dirname, "page.html")],
  "/page.js": ["text/javascript", path.join(__dirname, "page.js")],
  "/electron-sidecar.js": ["text/javascript", path.join(__dirname, "node_modules/electron-sidecar/dist/renderer.mjs")],
};
protocol.registerSchemesAsPrivileged([{ scheme: "app", privileges: { standard: true, secure: true } }]);
app.whenReady().then(() => {
  protocol.registerBufferProtocol("app", ({ url }, done) => {
    const [mimeType, file] = files[new URL(url).pathname];
    done({ mimeType, data: readFileSync(file) });
  });
});
require("./readme.js");
`;

/** The rows and functions of an app's own that the last block uses. */
const OWN = `
const { id: conversation_id } = await sidecar.call("conversations.create", { body: { page_name: "home" } });
const path = { conversation_id };
const { id: messageId } = await sidecar.call("messages.create_streaming", { path, body: { role: "assistant" } });
await sidecar.call("messages.append", { path: { message_id: messageId }, body: { content_chunk: "Hello" } });
await sidecar.call("messages.finish", { path: { message_id: messageId }, body: { status: "completed" } });
const paragraph = document.createElement("p");
const changed = [];
const shown = [];
const show = (items) => shown.push(items.length);
const reload = () => undefined;
const reloadRow = (id) => changed.push(id);
`;

const RESULT = `
const next = await sidecar.call("todos.create", { body: { content: "feed the cat" } });
while (!changed.includes(next.id) || shown.at(-1) !== 2) await new Promise((resolve) => setTimeout(resolve, 10));
window.result = { todo, items, found, text: paragraph.textContent };
`;

function blocks(page: string): string[] {
  return [...page.matchAll(/^```js\n(.*?)^```$/gms)].map((match) => match[1] ?? "");
}

test("the JavaScript of the README does what it says", async () => {
  const [main, calls, events, ...more] = blocks(readFileSync(path.join(REPOSITORY, "README.md"), "utf8"));
  expect(more, "a block that this test does not run").toEqual([]);
  const folder = freshFolder();
  mkdirSync(path.join(folder, "node_modules"));
  symlinkSync(BRIDGE, path.join(folder, "node_modules", "electron-sidecar"), "junction");
  symlinkSync(path.join(REPOSITORY, ".venv"), path.join(folder, ".venv"), "junction");
  const pageScript = `${calls}${OWN}${events}${RESULT}`.replace(
    "electron-sidecar/renderer",
    "/electron-sidecar.js",
  );
  for (const [name, text] of [
    ["main.js", SERVE],
    ["readme.js", main],
    ["page.html", '<!doctype html><script type="module" src="/page.js"></script>'],
    ["page.js", pageScript],
  ] as const) {
    writeFileSync(path.join(folder, name), text ?? "");
  }

  const app = await App.start({ app: path.join(folder, "main.js") });
  const result = await app.page.waitForFunction(() => (window as { result?: unknown }).result, undefined, {
    timeout: RESULT_WITHIN_MS,
  });

  expect(await result.jsonValue()).toMatchObject({
    todo: { content: "water the plants" },
    items: [{ content: "water the plants" }],
    found: { items: [{ id: "todo:1" }], complete: true },
    text: "Hello",
  });
});
