// Violent ends at random moments, under load. The scenarios of this suite and of others, by what they do:
//
// | what happens                                      | where                                                        |
// |---------------------------------------------------|--------------------------------------------------------------|
// | SIGKILL of the sidecar under load                 | here; once in python.test.ts and e2e/lifetimes.test.ts       |
// | SIGKILL of the host under load                    | here; once in python.test.ts and e2e/lifetimes.test.ts       |
// | SIGSTOP of the sidecar under load                 | here; its stacks and its end in python.test.ts               |
// | squatted port                                     | faults.test.ts; the refusal in tests/process/test_start.py   |
// | poisoned proxy variables                          | faults.test.ts; for a call in sidecar.test.ts                |
// | ten megabytes on standard error, no newline       | faults.test.ts; the memory in sidecar.test.ts                |
// | a start that never becomes ready                  | faults.test.ts; every deadline in supervisor.test.ts         |
// | a crash loop and the breaker                      | faults.test.ts; every number in supervisor.test.ts           |
// | simulated sleep                                   | faults.test.ts, e2e/lifetimes.test.ts; more in sidecar.test.ts |
// | two sidecars on one data directory                | python.test.ts, tests/process/test_data_directory.py         |
// | double launch of the app                          | e2e/chaos.test.ts                                            |
// | quitting while it starts                          | e2e/chaos.test.ts at random moments, e2e/lifetimes.test.ts   |
// | the n-th SQL statement of each migration fails    | tests/storage/test_evolution.py, test_adoption.py            |
// | the n-th step of a restore fails                  | tests/storage/test_backups.py                                |
// | the n-th SQL statement of an import fails         | tests/chaos/test_import.py                                   |
// | random bytes in the file of a stopped sidecar     | faults.test.ts; 100 ways in tests/maintenance/test_recovery.py    |

import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { Acknowledged } from "./acknowledged.js";
import { Host, Scene, TIRELESS } from "./chaos.js";
import { dice, repeat, timeoutMs } from "./length.js";

const POSIX = process.platform !== "win32";
/** The longest that a sidecar is left alone before it is killed. */
const PEACE_MS = 500;
/** From a kill to ready again, in plain starts, the first pause not counted. */
const AGAIN_READY_WITHIN = 1.5;

test(
  "SIGKILL of the sidecar at random moments: every acknowledged write is there once, and no call failed",
  async () => {
    const random = dice("sidecar");
    const [scene, record] = [new Scene(), new Acknowledged()];
    await plainStart(scene); // the first one makes the database
    const starts = [await plainStart(scene), await plainStart(scene)];
    const host = new Host(scene, record, random);
    const recoveries: number[] = [];
    let kills = 0;
    await repeat(6, 0.4, async () => {
      const victim = await host.ready();
      await delay(random() * PEACE_MS);
      const killedAt = performance.now();
      process.kill(victim, "SIGKILL");
      kills += 1;
      await host.change();
      if (random() < 0.2) {
        await delay(random() * PEACE_MS);
        if (host.killChild()) {
          kills += 1;
          await host.change();
        }
      } else {
        await host.ready();
        recoveries.push(performance.now() - killedAt);
      }
    });
    await host.ready();
    const calls = await host.finish();
    await scene.nothingIsLeft();

    starts.push(await plainStart(scene), await plainStart(scene));
    await compare(scene, record, { exact: true });
    const [again, plain] = [median(recoveries), median(starts)];
    console.log(
      `${kills} SIGKILLs of the sidecar, ${calls} calls, ${record.writes} acknowledged writes; ` +
        `ready again after ${again.toFixed(0)} ms, a plain start takes ${plain.toFixed(0)} ms (medians)`,
    );
    expect(again).toBeLessThan(AGAIN_READY_WITHIN * plain + (TIRELESS.restartFirstMs ?? 0));
  },
  timeoutMs(0.4),
);

test.runIf(POSIX)(
  "SIGSTOP of the sidecar: it is killed and restarted, every acknowledged write is there once, and no call failed",
  async () => {
    const random = dice("stopped");
    const [scene, record] = [new Scene(), new Acknowledged()];
    const policy = { probeIntervalMs: 800, probeTimeoutMs: 700, stacksWaitMs: 100 };
    const host = new Host(scene, record, random, { policy });
    const stops = await repeat(1, 0.1, async () => {
      const victim = await host.ready();
      await delay(random() * PEACE_MS);
      process.kill(victim, "SIGSTOP");
      await host.change();
      expect(host.state).toBe("unresponsive");
      expect(await host.ready()).not.toBe(victim);
    });
    await host.finish();
    await scene.nothingIsLeft();
    await compare(scene, record, { exact: true });
    console.log(`${stops} SIGSTOPs of the sidecar, ${record.writes} acknowledged writes`);
  },
  timeoutMs(0.1),
);

test(
  "SIGKILL of the host at random moments: no process is left, and every acknowledged write is there once",
  async () => {
    const random = dice("host");
    const [scene, record] = [new Scene(), new Acknowledged()];
    const kills = await repeat(4, 0.3, async (number) => {
      const host = new Host(scene, record, random);
      // The first ones when there is something to lose, later ones at any time.
      if (number < 2 || random() < 0.8) await host.ready();
      await delay(random() * PEACE_MS);
      await host.kill();
      await scene.nothingIsLeft();
    });
    await compare(scene, record, { exact: false });
    console.log(`${kills} SIGKILLs of the host, ${record.writes} acknowledged writes`);
  },
  timeoutMs(0.3),
);

/** Starts and stops it without any load; resolves with how long the start took. */
async function plainStart(scene: Scene): Promise<number> {
  const sidecar = scene.sidecar();
  const began = performance.now();
  await sidecar.start();
  const took = performance.now() - began;
  await sidecar.stop();
  return took;
}

async function compare(scene: Scene, record: Acknowledged, how: { exact: boolean }): Promise<void> {
  const sidecar = scene.sidecar();
  await sidecar.start();
  await record.compare(sidecar, how);
  await sidecar.stop();
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
