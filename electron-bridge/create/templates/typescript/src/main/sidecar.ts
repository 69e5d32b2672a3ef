// The sidecar: the Python process with the app's own operations from backend/.
import { app, ipcMain, powerMonitor } from "electron";
import { exposeToPages, Sidecar, watchPower } from "electron-sidecar/main";
import { join } from "node:path";
import { appOperations } from "../sidecar.generated";

/** Starts it, and serves the pages of these origins; it has ended when the app has. Called when the app is ready. */
export function startSidecar(origins: string[]): Sidecar {
  const backend = join(app.getAppPath(), "backend");
  const sidecar = new Sidecar({
    dataDir: join(app.getPath("userData"), "data"),
    extensions: ["notes"],
    operations: appOperations,
    // The frozen sidecar of a packaged app has the extension in it.
    ...(app.isPackaged ? {} : { pythonPath: [backend], dev: { watch: [backend] } }),
  });
  sidecar.on("log", (line) => console.error(line));
  exposeToPages(sidecar, { ipcMain, origins });
  watchPower(sidecar, powerMonitor);
  // Pages may call at once: their calls wait until it is ready. Why it did not start is the error of their calls.
  sidecar.start().catch((error: Error) => console.error(error.message));
  stopBeforeQuitting(sidecar);
  return sidecar;
}

function stopBeforeQuitting(sidecar: Sidecar): void {
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
