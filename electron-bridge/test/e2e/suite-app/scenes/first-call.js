// No window: starts the sidecar, listens to events, makes its first call, quits. Prints, as JSON, how long after `ready`
// the call and the first notice had come, when it began to quit, and what stop() reported.
"use strict";

const { app } = require("electron");
const { Sidecar } = require("electron-sidecar/main");
const { sidecarOptions, stopBeforeQuit } = require("../shared");

app.on("window-all-closed", () => undefined);

async function run() {
  await app.whenReady();
  const sidecar = new Sidecar(sidecarOptions());
  let readyAt = 0;
  sidecar.on("snapshot", ({ ready }) => ready && (readyAt = performance.now()));
  const sinceReady = () => performance.now() - readyAt;
  const noticed = new Promise((resolve) => sidecar.events.subscribe(["todos"], () => resolve(sinceReady())));
  const started = sidecar.start();
  if (process.env.FIRST_CALL === "after start()") await started;
  await sidecar.call("todos.create", { body: { content: "x" } });
  const result = { call: sinceReady(), notice: await noticed };

  void stopBeforeQuit(sidecar).then((stop) => console.log(JSON.stringify({ ...result, quitAt, stop })));
  const quitAt = Date.now();
  app.quit();
}

void run();
