// A window whose page shows the sidecar's state and does nothing else by itself. `activate` opens another one.
"use strict";

const { app, BrowserWindow, ipcMain, powerMonitor } = require("electron");
const { exposeToPages, Sidecar, watchPower } = require("electron-sidecar/main");
const { openWindow, servePages, sidecarOptions, stopBeforeQuit } = require("../shared");

const ORIGIN = "app://suite";
const FILES = {
  [`${ORIGIN}/`]: `<!doctype html><title>Suite</title><p id="state" data-state="waiting"></p>
    <script type="module" src="/page.js"></script>`,
  [`${ORIGIN}/page.js`]: `import { sidecar } from "/electron-sidecar.js";
    const shown = document.querySelector("#state");
    const show = ({ state }) => (shown.dataset.state = shown.textContent = state);
    sidecar.onStatus(show);
    sidecar.status().then(show);`,
};

async function run() {
  servePages(FILES);
  await app.whenReady();
  const sidecar = new Sidecar(sidecarOptions());
  sidecar.on("log", (line) => console.error(line));
  exposeToPages(sidecar, { ipcMain, origins: [ORIGIN] });
  watchPower(sidecar, powerMonitor);
  sidecar.start().catch((error) => console.error(error.message));

  void stopBeforeQuit(sidecar);
  app.on("window-all-closed", () => app.quit());
  app.on("second-instance", () => BrowserWindow.getAllWindows()[0]?.focus());
  app.on("activate", () => openWindow(`${ORIGIN}/`));
  openWindow(`${ORIGIN}/`);
}

if (app.requestSingleInstanceLock()) void run();
else app.quit();
