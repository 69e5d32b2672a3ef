// How far behind a job its page is: from the sidecar's clock at each step to the page's own, on one machine.

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { App, freshFolder } from "./app.js";
import { PYTHON } from "./launch.mjs";

const STEPS = 50;
const BEHIND_MS = 50;

const MODULE = `
import asyncio
import time

from sidecar.extension import Extension, Job, Jobs, Running

notes = Extension("notes")


@notes.job()
async def tick(job: Running) -> None:
    for number in range(${STEPS}):
        await asyncio.sleep(0.04)  # longer than events are held back, so that each is sent
        job.progress(number + 1, ${STEPS}, str(time.time() * 1000))


@notes.router.post("/ticks", status_code=202)
async def begin_ticks(jobs: Jobs) -> Job:
    """Begin a job that reports the time."""
    return await jobs.start(tick)
`;

test("the progress of a job is in a page within 50 ms", async () => {
  const userData = freshFolder();
  const folder = path.join(userData, "backend", "my_app");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "__init__.py"), "");
  writeFileSync(path.join(folder, "notes.py"), MODULE);
  const app = await App.start({ scene: "extension", userData, env: { SUITE_PYTHON: PYTHON } });
  const client = await app.client();
  const behind = await client.evaluate(async ({ sidecar }, steps) => {
    const found: number[] = [];
    await new Promise<void>((done) => {
      sidecar.events.subscribe(["jobs"], (notice) => {
        if (notice.kind === "reset") {
          void sidecar.call("notes.begin_ticks" as never, {} as never);
          return;
        }
        const { message, total, status } = notice.data;
        if (message && total === steps && status === "running") found.push(Date.now() - Number(message));
        if (status === "done") done();
      });
    });
    return found;
  }, STEPS);
  behind.sort((one, other) => one - other);
  console.log(`median ${behind[behind.length >> 1]?.toFixed(1)} ms, most ${behind.at(-1)?.toFixed(1)} ms`);
  expect(behind.length).toBeGreaterThan(STEPS / 2);
  expect(behind[behind.length >> 1]).toBeLessThanOrEqual(BEHIND_MS);
});
