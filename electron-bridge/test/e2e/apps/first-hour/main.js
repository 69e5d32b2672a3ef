// An app that makes one of the mistakes of a first hour, which MISTAKE names. Its windows show a page of app://own, which
// has the renderer's client. Its sidecar is not started: `not_running` is the code of a call that came all the way.
"use strict";

const { app, BrowserWindow, ipcMain, protocol } = require("electron");
const fs = require("node:fs");
const path = require("node:path");
const { exposeToPages, Sidecar } = require("electron-sidecar/main");

const PACKAGE = path.dirname(require.resolve("electron-sidecar/package.json"));
const ORIGIN = "app://own";
const mistake = process.env.MISTAKE;
const PRELOADS = {
  "no preload": undefined,
  "preload not bundled": path.join(__dirname, "not-bundled.js"),
  "preload missing": path.join(__dirname, "missing.js"),
};

if (mistake !== "scheme not privileged") {
  const privileges = { standard: true, secure: true, supportFetchAPI: true };
  protocol.registerSchemesAsPrivileged([{ scheme: "app", privileges }]);
}

function answer({ url }, done) {
  if (new URL(url).pathname === "/electron-sidecar.js") {
    return done({
      mimeType: "text/javascript",
      data: fs.readFileSync(path.join(PACKAGE, "dist", "renderer.mjs"), "utf8"),
    });
  }
  return done({ mimeType: "text/html", data: "<!doctype html><title>own</title>" });
}

globalThis.warnings = [];

void app.whenReady().then(() => {
  if (mistake !== "scheme not handled") protocol.registerStringProtocol("app", answer);
  const sidecar = new Sidecar({
    command: process.execPath,
    dataDir: path.join(app.getPath("userData"), "data"),
  });
  sidecar.on("warning", (warning) => globalThis.warnings.push(warning));
  if (mistake !== "not exposed") exposeToPages(sidecar, { ipcMain, origins: [ORIGIN] });

  const preload = mistake in PRELOADS ? PRELOADS[mistake] : require.resolve("electron-sidecar/preload");
  const contextIsolation = mistake !== "no context isolation";
  const window = new BrowserWindow({ webPreferences: { preload, sandbox: true, contextIsolation } });
  // The rejection of a page that cannot be shown says less than the warning.
  window.loadURL(`${ORIGIN}/`).catch(() => undefined);
});
