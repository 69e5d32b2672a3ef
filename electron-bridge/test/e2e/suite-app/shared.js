// What the scenes share: which sidecar they start, the page that they show, and the quit that waits for the sidecar.
"use strict";

const { app, BrowserWindow, protocol } = require("electron");
const { readFileSync } = require("node:fs");
const path = require("node:path");

const SCHEME = "app";
/** Of its own origin only; which frames of others may call is what the suite asks. */
const POLICY = `default-src 'self'; frame-src ${SCHEME}:`;
const PRELOAD = require.resolve("electron-sidecar/preload");
const CLIENT = path.join(path.dirname(PRELOAD), "renderer.mjs");

/** SUITE_SIDECAR names another program than the one that the bridge finds. */
const sidecarOptions = () => ({
  command: process.env.SUITE_SIDECAR,
  dataDir: path.join(app.getPath("userData"), "data"),
});

/** Makes these texts files of app://, by their addresses; called before the app is ready. */
function servePages(files) {
  protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true } }]);
  void app.whenReady().then(() => {
    protocol.registerStringProtocol(SCHEME, ({ url }, done) => {
      const { pathname } = new URL(url);
      const data = pathname === "/electron-sidecar.js" ? readFileSync(CLIENT, "utf8") : (files[url] ?? "");
      const mimeType = pathname.endsWith(".js") ? "text/javascript" : "text/html";
      done({ data, mimeType, headers: { "content-security-policy": POLICY } });
    });
  });
}

function openWindow(url, preferences = {}) {
  const webPreferences = { preload: PRELOAD, sandbox: true, contextIsolation: true, ...preferences };
  void new BrowserWindow({ webPreferences }).loadURL(url);
}

/** Has the app quit only when its sidecar is gone; resolves with what was confirmed of that. */
function stopBeforeQuit(sidecar) {
  return new Promise((resolve) => {
    let isStopped = false;
    app.on("will-quit", (event) => {
      if (isStopped) return;
      event.preventDefault();
      void sidecar.stop().then((report) => {
        isStopped = true;
        resolve(report);
        app.quit();
      });
    });
  });
}

module.exports = { openWindow, servePages, sidecarOptions, stopBeforeQuit };
