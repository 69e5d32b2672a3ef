// Flash cards: a small app with Python of its own, which lies in ../backend. A plain page drives it.
"use strict";

const { app, BrowserWindow, ipcMain, protocol } = require("electron");
const path = require("node:path");
const { exposeToPages, Sidecar } = require("electron-sidecar/main");
const { servePages } = require("../scheme");
// Written by: npx electron-sidecar generate --python-path ../backend --extension flash_cards --out operations.json
const operations = require("./operations.json");

const BACKEND = path.join(__dirname, "..", "backend");
/** A packaged app has its Python in the frozen sidecar; before, it lies in a folder, and a change restarts the sidecar. */
const python = () => (app.isPackaged ? {} : { pythonPath: [BACKEND], dev: { watch: [BACKEND] } });

app.setName("Flash Cards");
const pages = servePages(protocol, "cards", {
  "/": { file: path.join(__dirname, "page.html"), type: "text/html" },
  "/page.js": { file: path.join(__dirname, "page.js"), type: "text/javascript" },
});

void app.whenReady().then(() => {
  const sidecar = new Sidecar({
    ...python(),
    dataDir: path.join(app.getPath("userData"), "data"),
    extensions: ["flash_cards"],
    operations,
  });
  sidecar.on("log", (line) => console.error(line));
  exposeToPages(sidecar, { ipcMain, origins: [pages.origin] });
  sidecar.start().catch((error) => console.error(error.message));

  pages.serve();
  const preload = require.resolve("electron-sidecar/preload");
  const window = new BrowserWindow({ webPreferences: { preload, sandbox: true, contextIsolation: true } });
  void window.loadURL(`${pages.origin}/`);

  let isStopped = false;
  app.on("window-all-closed", () => app.quit());
  app.on("will-quit", (event) => {
    if (isStopped) return;
    event.preventDefault();
    void sidecar.stop().finally(() => {
      isStopped = true;
      app.quit();
    });
  });
});
