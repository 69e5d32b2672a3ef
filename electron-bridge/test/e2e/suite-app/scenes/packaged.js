// No window: prints, as JSON, what is otherwise in a packaged app than before.
"use strict";

const { app } = require("electron");
const { accessSync, constants, readlinkSync } = require("node:fs");
const { Sidecar } = require("electron-sidecar/main");
const operations = require("../operations.json");
const { sidecarOptions, stopBeforeQuit } = require("../shared");

app.on("window-all-closed", () => undefined);

function codeOf(action) {
  try {
    action();
    return null;
  } catch (error) {
    return error.code;
  }
}

void app.whenReady().then(async () => {
  const options = { ...sidecarOptions(), extensions: ["my_app.notes"], operations };
  const sidecar = new Sidecar(options);
  await sidecar.start();
  const card = await sidecar.call("notes.create_card", { front: "sea", back: "mer" });
  void stopBeforeQuit(sidecar);
  console.log(
    JSON.stringify({
      card,
      program: readlinkSync(`/proc/${sidecar.snapshot.ready.pid}/exe`),
      isPackaged: app.isPackaged,
      appPath: app.getAppPath(),
      resourcesPath: process.resourcesPath,
      preload: require.resolve("electron-sidecar/preload"),
      dataDir: options.dataDir,
      userData: app.getPath("userData"),
      writingIntoResources: codeOf(() => accessSync(process.resourcesPath, constants.W_OK)),
      developmentOptions: codeOf(() => new Sidecar({ ...options, dev: { watch: [] } })),
      relativeCommand: codeOf(() => new Sidecar({ ...options, command: "sidecar" })),
    }),
  );
  app.quit();
});
