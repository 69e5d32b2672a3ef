// How soon an app has its first answer, and how soon it has quit: in Electron a connection can go unnoticed for seconds.
// E2E_LAUNCHES=200 measures as many launches; every one that takes longer than it may is printed.

import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runApp } from "./run-app.js";

const LAUNCHES = Number(process.env["E2E_LAUNCHES"] ?? 2);
const LAUNCH_WITHIN_MS = 15_000;
/** The share of the launches that may take longer: the machine has pauses of its own. */
const EXCEPTIONS = 0.005;

/** A few launches amid other tests only show that nothing waits for a timer; the limits themselves need a quiet machine. */
const LENIENCE = LAUNCHES < 100 ? 5 : 1;
const CALL_WITHIN_MS = 100 * LENIENCE;
const QUIT_WITHIN_MS = 500 * LENIENCE;
/** Of an answer whose wake-up was swallowed: without the cure, it waits for a health check. */
const NOTICED_WITHIN_MS = 1_000;

interface Launch {
  readonly call: number;
  readonly notice: number;
  readonly quitAt: number;
  readonly stop: { readonly durationMs: number; readonly outcome: string };
}

const READY_FIXTURE = fileURLToPath(new URL("fixtures/ready-on-demand.mjs", import.meta.url));

test("a connection is noticed at once although its wake-up is swallowed by another", async () => {
  const { result } = await runApp("swallowed-wake-up", {
    SUITE_NODE: process.execPath,
    READY_FIXTURE,
  });
  const answers = Object.entries(result as Record<string, number>);
  const late = answers.filter(([, milliseconds]) => milliseconds > NOTICED_WITHIN_MS);

  expect(answers).toHaveLength(3);
  expect(Object.fromEntries(late)).toEqual({});
});

test(
  `in ${LAUNCHES} launches the first call is answered soon after ready, and the app quits soon`,
  async () => {
    const launches = [];
    for (let index = 0; index < LAUNCHES; index += 1) {
      const firstCall = index % 2 === 0 ? "while it starts" : "after start()";
      const { result, endedAt } = await runApp("first-call", { FIRST_CALL: firstCall });
      const { call, notice, quitAt, stop } = result as Launch;
      launches.push({
        index,
        firstCall,
        call,
        notice,
        quit: endedAt - quitAt,
        stop: stop.durationMs,
        how: stop.outcome,
      });
    }
    for (const [what, limit] of [
      ["call", CALL_WITHIN_MS],
      ["notice", CALL_WITHIN_MS],
      ["quit", QUIT_WITHIN_MS],
    ] as const) {
      const times = launches.map((launch) => launch[what]).sort((one, other) => one - other);
      const slow = launches.filter((launch) => launch[what] > limit);
      const [median, slowest] = [times[Math.floor(times.length / 2)], times.at(-1)];
      console.log(
        `${what}: median ${median?.toFixed(0)} ms, slowest ${slowest?.toFixed(0)} ms, ${slow.length} of ${LAUNCHES} above ${limit} ms`,
      );
      for (const launch of slow) console.log(`  ${JSON.stringify(launch)}`);
      expect(slow.length, `${what} above ${limit} ms`).toBeLessThanOrEqual(Math.ceil(LAUNCHES * EXCEPTIONS));
    }
  },
  LAUNCHES * LAUNCH_WITHIN_MS,
);
