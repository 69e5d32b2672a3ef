// The main process: one instance, one window, one sidecar.
"use strict";

const { app, BrowserWindow, session } = require("electron");
const path = require("node:path");
const { ORIGIN, registerScheme, servePages } = require("./pages");
const { startSidecar } = require("./sidecar");

function openWindow() {
  const window = new BrowserWindow({
    width: 900,
    height: 640,
    show: false,
    autoHideMenuBar: true,
    webPreferences: {
      preload: require.resolve("electron-sidecar/preload"),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
    },
  });
  window.once("ready-to-show", () => window.show());
  void window.loadURL(`${ORIGIN}/index.html`);
}

/** A page stays where it is, opens nothing and is granted nothing. */
function confinePages() {
  app.on("web-contents-created", (_event, contents) => {
    contents.setWindowOpenHandler(() => ({ action: "deny" }));
    contents.on("will-navigate", (event) => event.preventDefault());
  });
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
}

async function run() {
  registerScheme();
  await app.whenReady();
  servePages(path.join(__dirname, "..", "page"));
  confinePages();
  startSidecar([ORIGIN]);
  openWindow();
  app.on("second-instance", () => BrowserWindow.getAllWindows()[0]?.focus());
  app.on("activate", () => {
    if (BrowserWindow.getAllWindows().length === 0) openWindow();
  });
  app.on("window-all-closed", () => {
    if (process.platform !== "darwin") app.quit();
  });
}

if (app.requestSingleInstanceLock()) void run();
else app.quit();
