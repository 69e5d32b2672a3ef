// The sidecar: the Python process with the app's own operations from backend/.
"use strict";

const { app, ipcMain, powerMonitor } = require("electron");
const path = require("node:path");
const { exposeToPages, Sidecar, watchPower } = require("electron-sidecar/main");
const operations = require("./operations.json");

/** Starts it, and serves the pages of these origins; it has ended when the app has. Called when the app is ready. */
function startSidecar(origins) {
  const backend = path.join(app.getAppPath(), "backend");
  const sidecar = new Sidecar({
    dataDir: path.join(app.getPath("userData"), "data"),
    extensions: ["notes"],
    operations,
    // The frozen sidecar of a packaged app has the extension in it.
    ...(app.isPackaged ? {} : { pythonPath: [backend], dev: { watch: [backend] } }),
  });
  sidecar.on("log", (line) => console.error(line));
  exposeToPages(sidecar, { ipcMain, origins });
  watchPower(sidecar, powerMonitor);
  // Pages may call at once: their calls wait until it is ready. Why it did not start is the error of their calls.
  sidecar.start().catch((error) => console.error(error.message));
  stopBeforeQuitting(sidecar);
  return sidecar;
}

function stopBeforeQuitting(sidecar) {
  let isStopped = false;
  app.on("will-quit", (event) => {
    if (isStopped) return;
    event.preventDefault();
    void sidecar.stop().finally(() => {
      isStopped = true;
      app.quit();
    });
  });
}

module.exports = { startSidecar };
