// Brings about, each time, what can keep Electron from noticing a connection: within one turn of the event
// loop, the sidecar's `ready` is read, connections are opened, and then a file operation ends, whose wake-up swallows theirs.
// Prints the longest time from `ready` to the answer of each kind of waiting.
"use strict";

const { app } = require("electron");
const fs = require("node:fs");
const path = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const { Sidecar } = require("electron-sidecar/main");

/** A Node and the fixture that it runs as the sidecar: a packaged app is no Node, and its files are no programs. */
const { SUITE_NODE, READY_FIXTURE } = process.env;
const SETTLE_MS = 100;
const FILE_OPERATION_MS = 30;
/** Anything else that wakes the event loop hides what is sought: not every round shows it. */
const ROUNDS = 2;

const waits = {
  "a call that waits for ready": async (sidecar) => {
    void sidecar.start();
    await sidecar.call("tips.list");
  },
  "a call after start()": async (sidecar) => {
    await sidecar.start();
    await sidecar.call("tips.list");
  },
  "a subscription": async (sidecar) => {
    void sidecar.start();
    await new Promise((resolve) => sidecar.events.subscribe(["tips"], resolve));
  },
};

/** Keeps the main thread busy until `ready` can be read and, after that, a file operation has ended. */
function beBusy(folder, { READY_GATE, READY_SAID }) {
  fs.writeFileSync(READY_GATE, "");
  while (!fs.existsSync(READY_SAID));
  const made = path.join(folder, "made");
  fs.mkdir(made, () => undefined);
  while (!fs.existsSync(made));
  for (const end = performance.now() + FILE_OPERATION_MS; performance.now() < end;);
}

async function measure(folder, wait) {
  const env = {
    READY_WAITING: path.join(folder, "waiting"),
    READY_GATE: path.join(folder, "gate"),
    READY_SAID: path.join(folder, "said"),
  };
  const sidecar = new Sidecar({ command: SUITE_NODE, args: [READY_FIXTURE], dataDir: folder, env });
  let readyAt = 0;
  sidecar.on("snapshot", ({ ready }) => ready && (readyAt = performance.now()));
  const answered = wait(sidecar).then(() => performance.now() - readyAt);

  while (!fs.existsSync(env.READY_WAITING)) await sleep(10);
  setTimeout(beBusy, SETTLE_MS, folder, env);
  const milliseconds = await answered;
  await sidecar.stop();
  return milliseconds;
}

void app.whenReady().then(async () => {
  const result = {};
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, wait] of Object.entries(waits)) {
      const folder = fs.mkdtempSync(path.join(app.getPath("userData"), "wait-"));
      result[name] = Math.max(result[name] ?? 0, await measure(folder, wait));
    }
  }
  console.log(JSON.stringify(result));
  app.quit();
});
