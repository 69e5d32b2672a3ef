// A page of the app with two frames in it: one of another origin, one of its own. Each of them has the bridge's preload
// script. Its sidecar is not started: which code a call ends with says how far it came.
"use strict";

const { app, ipcMain } = require("electron");
const { exposeToPages, Sidecar } = require("electron-sidecar/main");
const { openWindow, servePages, sidecarOptions } = require("../shared");

const OWN = "app://own";
const FOREIGN = "app://foreign";

servePages({
  [`${OWN}/`]: `<iframe src="${FOREIGN}/"></iframe><iframe src="${OWN}/frame"></iframe>`,
  [`${OWN}/frame`]: "A frame of the same origin",
  [`${FOREIGN}/`]: "A page of another origin",
});

void app.whenReady().then(() => {
  const sidecar = new Sidecar({ ...sidecarOptions(), command: process.execPath });
  exposeToPages(sidecar, { ipcMain, origins: [OWN] });
  openWindow(`${OWN}/`, { nodeIntegrationInSubFrames: true });
});
