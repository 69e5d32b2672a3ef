// An app with Python of its own: the module that its test puts into `backend` below the user's data. Its one page has the
// client of the built package.
"use strict";

const { app, BrowserWindow, ipcMain, protocol } = require("electron");
const { execFileSync } = require("node:child_process");
const { readFileSync } = require("node:fs");
const path = require("node:path");
const { exposeToPages, Sidecar } = require("electron-sidecar/main");

const ORIGIN = "app://own";
const REPOSITORY = path.join(__dirname, "..", "..", "..", "..", "..");
const PYTHON = path.join(
  REPOSITORY,
  ".venv",
  process.platform === "win32" ? "Scripts/python.exe" : "bin/python",
);
const MODULE = "my_app.notes";
const FILES = {
  [`${ORIGIN}/`]: { data: "<p id=state data-state=ready>An own page</p>", mimeType: "text/html" },
  [`${ORIGIN}/electron-sidecar.js`]: {
    data: readFileSync(
      path.join(path.dirname(require.resolve("electron-sidecar/preload")), "renderer.mjs"),
      "utf8",
    ),
    mimeType: "text/javascript",
  },
};

protocol.registerSchemesAsPrivileged([{ scheme: "app", privileges: { standard: true, secure: true } }]);

/** The table that `electron-sidecar generate` writes into a file of the app. */
function operationsOf(backend) {
  const args = ["-m", "sidecar.extension", "--extension", MODULE, "--python-path", backend];
  return JSON.parse(execFileSync(PYTHON, args, { encoding: "utf8" })).operations;
}

void app.whenReady().then(() => {
  protocol.registerStringProtocol("app", ({ url }, done) => done(FILES[url] ?? { data: "" }));
  const backend = path.join(app.getPath("userData"), "backend");
  const sidecar = new Sidecar({
    command: PYTHON,
    args: ["-m", "sidecar"],
    dataDir: path.join(app.getPath("userData"), "data"),
    extensions: [MODULE],
    pythonPath: [backend],
    operations: operationsOf(backend),
  });
  exposeToPages(sidecar, { ipcMain, origins: [ORIGIN], deny: ["notes.forget"] });
  sidecar.start().catch((error) => console.error(error.message));
  const preload = require.resolve("electron-sidecar/preload");
  const window = new BrowserWindow({ webPreferences: { preload, sandbox: true, contextIsolation: true } });
  void window.loadURL(`${ORIGIN}/`);

  let isStopped = false;
  app.on("will-quit", (event) => {
    if (isStopped) return;
    event.preventDefault();
    void sidecar.stop().then(() => {
      isStopped = true;
      app.quit();
    });
  });
});
