// An app without a window: starts the sidecar, listens to events, makes its first call, quits. Prints, as JSON, how long after
// `ready` the call and the first notice had come, when it began to quit, and what stop() reported.
"use strict";

const { app } = require("electron");
const path = require("node:path");
const { Sidecar } = require("electron-sidecar/main");

const REPOSITORY = path.join(__dirname, "..", "..", "..", "..", "..");
const PYTHON = process.platform === "win32" ? "Scripts/python.exe" : "bin/python";

app.on("window-all-closed", () => undefined);

async function run() {
  await app.whenReady();
  const sidecar = new Sidecar({
    command: path.join(REPOSITORY, ".venv", PYTHON),
    args: ["-m", "sidecar"],
    dataDir: path.join(app.getPath("userData"), "data"),
  });
  let readyAt = 0;
  sidecar.on("snapshot", ({ ready }) => ready && (readyAt = performance.now()));
  const sinceReady = () => performance.now() - readyAt;
  const noticed = new Promise((resolve) => sidecar.events.subscribe(["todos"], () => resolve(sinceReady())));
  const started = sidecar.start();
  if (process.env.FIRST_CALL === "after start()") await started;
  await sidecar.call("todos.create", { body: { content: "x" } });
  const result = { call: sinceReady(), notice: await noticed };

  let stopped = false;
  app.on("will-quit", (event) => {
    if (stopped) return;
    event.preventDefault();
    void sidecar.stop().then((stop) => {
      stopped = true;
      console.log(JSON.stringify({ ...result, quitAt, stop }));
      app.quit();
    });
  });
  const quitAt = Date.now();
  app.quit();
}

void run();
