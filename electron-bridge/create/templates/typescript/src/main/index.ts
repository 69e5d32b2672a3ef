// The main process: one instance, one window, one sidecar.
import { app, BrowserWindow, session } from "electron";
import { join } from "node:path";
import { ORIGIN, registerScheme, servePages } from "./pages";
import { startSidecar } from "./sidecar";

function openWindow(): void {
  const window = new BrowserWindow({
    width: 900,
    height: 640,
    show: false,
    autoHideMenuBar: true,
    webPreferences: {
      preload: join(__dirname, "../preload/index.js"),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
    },
  });
  window.once("ready-to-show", () => window.show());
  void window.loadURL(`${ORIGIN}/index.html`);
}

/** A page stays where it is, opens nothing and is granted nothing. */
function confinePages(): void {
  app.on("web-contents-created", (_event, contents) => {
    contents.setWindowOpenHandler(() => ({ action: "deny" }));
    contents.on("will-navigate", (event) => event.preventDefault());
  });
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
}

async function run(): Promise<void> {
  registerScheme();
  await app.whenReady();
  servePages(join(__dirname, "../renderer"));
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
