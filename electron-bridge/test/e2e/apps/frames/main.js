// An app whose window shows a page of its own with two frames in it: one of another origin, one of its own. Each of
// them has the bridge's preload script. Its sidecar is not started: which code a call ends with says how far it came.
"use strict";

const { app, BrowserWindow, ipcMain, protocol } = require("electron");
const path = require("node:path");
const { exposeToPages, Sidecar } = require("electron-sidecar/main");

const OWN = "app://own";
const FOREIGN = "app://foreign";
const PAGES = {
  [`${OWN}/`]: `<iframe src="${FOREIGN}/"></iframe><iframe src="${OWN}/frame"></iframe>`,
  [`${OWN}/frame`]: "A frame of the same origin",
  [`${FOREIGN}/`]: "A page of another origin",
};

protocol.registerSchemesAsPrivileged([{ scheme: "app", privileges: { standard: true, secure: true } }]);

void app.whenReady().then(() => {
  protocol.registerStringProtocol("app", ({ url }, done) =>
    done({ data: PAGES[url] ?? "", mimeType: "text/html" }),
  );
  const sidecar = new Sidecar({
    command: process.execPath,
    dataDir: path.join(app.getPath("userData"), "data"),
  });
  exposeToPages(sidecar, { ipcMain, origins: [OWN] });

  const preload = require.resolve("electron-sidecar/preload");
  const window = new BrowserWindow({
    webPreferences: { preload, sandbox: true, contextIsolation: true, nodeIntegrationInSubFrames: true },
  });
  void window.loadURL(`${OWN}/`);
});
