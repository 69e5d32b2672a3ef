// A host of its own, to be killed or told to finish: keeps a sidecar under load, and writes a line of JSON for each write
// that was acknowledged, each change of the status, and whatever failed. Its options come as JSON.

import { createInterface } from "node:readline";
import { Sidecar } from "../../dist/main.mjs";
import { Load } from "./load.mjs";
import { randomOf } from "./random.mjs";

const { name, seed, sidecar: options } = JSON.parse(process.argv[2]);
// A pipe is written to synchronously: what was acknowledged is told before anything else can happen.
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const sidecar = new Sidecar(options);
sidecar.on("log", (line) => process.stderr.write(`${line}\n`));
sidecar.on("snapshot", ({ state, ready, failure }) =>
  tell({ type: "status", state, pid: ready?.pid ?? null, failure: failure?.code ?? null }),
);
const load = new Load(sidecar, { name, random: randomOf(seed), tell });

async function end(work) {
  try {
    await work();
  } catch (error) {
    tell({ type: "failed", operation: "host", code: error.code, message: error.stack });
  }
  tell({ type: "end", stop: await sidecar.stop() });
  process.exit();
}

void sidecar.start();
load.begin();
createInterface({ input: process.stdin })
  .once("line", () => void end(async () => tell({ type: "calls", count: await load.finish() })))
  .once("close", () => void end(() => undefined));
