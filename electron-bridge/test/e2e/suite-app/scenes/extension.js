// Python of the app's own. Its module lies in `backend` below the user's data, where the test puts it. In the packaged
// app it is part of the frozen sidecar, and its operations lie beside main.js in the archive.
"use strict";

const { app, ipcMain } = require("electron");
const { execFileSync } = require("node:child_process");
const path = require("node:path");
const { exposeToPages, Sidecar } = require("electron-sidecar/main");
const { openWindow, servePages, sidecarOptions, stopBeforeQuit } = require("../shared");

const ORIGIN = "app://own";
const MODULE = "my_app.notes";

servePages({ [`${ORIGIN}/`]: "<p id=state data-state=ready>An own page</p>" });

function ownPython() {
  if (app.isPackaged) return { operations: require("../operations.json") };
  const backend = path.join(app.getPath("userData"), "backend");
  const args = ["-m", "sidecar.extension", "--extension", MODULE, "--python-path", backend];
  const { operations } = JSON.parse(execFileSync(process.env.SUITE_PYTHON, args, { encoding: "utf8" }));
  return { operations, pythonPath: [backend] };
}

void app.whenReady().then(() => {
  const sidecar = new Sidecar({
    ...sidecarOptions(),
    ...ownPython(),
    extensions: [MODULE],
  });
  sidecar.on("log", (line) => console.error(line));
  const { SUITE_DENY } = process.env;
  exposeToPages(sidecar, { ipcMain, origins: [ORIGIN], deny: SUITE_DENY ? [SUITE_DENY] : [] });
  sidecar.start().catch((error) => console.error(error.message));
  void stopBeforeQuit(sidecar);
  openWindow(`${ORIGIN}/`);
});
