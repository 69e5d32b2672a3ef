// The console: a small app around a sidecar. This is its main process: one window, one scheme, one sidecar.
"use strict";

const { app, BrowserWindow, ipcMain, nativeTheme, powerMonitor, protocol, session } = require("electron");
const path = require("node:path");
const { exposeToPages, Sidecar, watchPower } = require("electron-sidecar/main");
const { servePages } = require("./scheme");

app.setName("Sidecar Console");
if (!app.commandLine.hasSwitch("user-data-dir")) {
  app.setPath("userData", path.join(app.getPath("appData"), "electron-sidecar-console"));
}

const page = (name, type) => ({ file: path.join(__dirname, "page", name), type });
const { origin, serve } = servePages(protocol, "console", {
  "/": page("index.html", "text/html"),
  "/style.css": page("style.css", "text/css"),
  "/console.js": page("console.js", "text/javascript"),
  "/panels.js": page("panels.js", "text/javascript"),
});

function openWindow() {
  const window = new BrowserWindow({
    width: 1180,
    height: 800,
    minWidth: 720,
    minHeight: 520,
    show: false,
    autoHideMenuBar: true,
    backgroundColor: nativeTheme.shouldUseDarkColors ? "#14161b" : "#f4f5f8",
    webPreferences: {
      preload: require.resolve("electron-sidecar/preload"),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
    },
  });
  window.once("ready-to-show", () => window.show());
  void window.loadURL(`${origin}/`);
}

/** A page of this app stays where it is, opens nothing and is granted nothing. */
function confinePages() {
  app.on("web-contents-created", (_event, contents) => {
    contents.setWindowOpenHandler(() => ({ action: "deny" }));
    contents.on("will-navigate", (event) => event.preventDefault());
  });
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
}

/** Pages may call at once: their calls wait until it is ready; a failed start is the error of their calls. */
async function start(sidecar) {
  const started = Date.now();
  try {
    const { pid } = await sidecar.start();
    console.log(`The sidecar was ready after ${Date.now() - started} ms (process ${pid}).`);
  } catch (error) {
    console.error(`The sidecar did not start: ${error.message}`);
  }
}

async function run() {
  await app.whenReady();
  const sidecar = new Sidecar({ dataDir: path.join(app.getPath("userData"), "data") });
  sidecar.on("log", (line) => console.error(line));
  exposeToPages(sidecar, { ipcMain, origins: [origin] });
  watchPower(sidecar, powerMonitor);
  void start(sidecar);

  let stopped = false;
  app.on("will-quit", (event) => {
    if (stopped) return;
    event.preventDefault();
    void sidecar.stop().finally(() => {
      stopped = true;
      app.quit();
    });
  });
  app.on("window-all-closed", () => app.quit());
  app.on("second-instance", () => BrowserWindow.getAllWindows()[0]?.focus());

  serve();
  confinePages();
  openWindow();
}

if (app.requestSingleInstanceLock()) void run();
else app.quit();
