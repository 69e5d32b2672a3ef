// How long calls of a page take, in a real Electron: to a row and back, to a new row on the disk and back, and to the
// sidecar's liveness and back; and how many a second there are when many are on their way. Run by ./scripts/bench; prints one line of JSON, medians.
import { parseArgs } from "node:util";
import { CONSOLE, launch, quit } from "./launch.mjs";

const { values: options } = parseArgs({
  options: { run: { type: "string" }, "user-data": { type: "string" } },
});
/** A page's clock moves in steps of 0.1 ms, so a few calls in a row are measured together. */
const CALLS_IN_A_ROW = 5;
const ROUNDS = 100;
const CONCURRENT = 32;
const CONCURRENT_ROUNDS = 10;

const { electron, log } = await launch(CONSOLE, { userData: options["user-data"], run: options.run });
try {
  const page = await electron.firstWindow();
  await page.locator('#state[data-state="ready"]').waitFor();
  // A page of the same app that does nothing by itself: the console reads its lists again whenever a row changes.
  await page.goto("app://console/electron-sidecar.js");
  console.log(
    JSON.stringify(
      await page.evaluate(measure, {
        rounds: ROUNDS,
        row: CALLS_IN_A_ROW,
        concurrent: CONCURRENT,
        concurrentRounds: CONCURRENT_ROUNDS,
      }),
    ),
  );
} catch (error) {
  console.error(log());
  throw error;
} finally {
  await quit(electron);
}

/** Runs in the page. The kinds of call take turns, so that what else the machine does befalls both alike. */
async function measure({ rounds, row, concurrent, concurrentRounds }) {
  const { sidecar } = await import("/electron-sidecar.js");
  const { id } = await sidecar.call("todos.create", { body: { content: "feed the cat" } });
  const kinds = {
    read: () => sidecar.call("todos.get", { path: { todo_id: id } }),
    stored: () => sidecar.call("todos.create", { body: { content: "water the plants on the balcony" } }),
    live: () => sidecar.call("health.live"),
  };
  const durations = { read: [], stored: [], live: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const [kind, call] of Object.entries(kinds)) {
      const started = performance.now();
      for (let index = 0; index < row; index += 1) await call();
      durations[kind].push((performance.now() - started) / row);
    }
  }
  const rates = { read: [], stored: [], live: [] };
  for (let round = 0; round < concurrentRounds; round += 1) {
    for (const [kind, call] of Object.entries(kinds)) {
      const calling = async () => {
        for (let index = 0; index < row; index += 1) await call();
      };
      const started = performance.now();
      await Promise.all(Array.from({ length: concurrent }, calling));
      rates[kind].push((concurrent * row * 1000) / (performance.now() - started));
    }
  }
  const median = (values) => values.sort((one, other) => one - other)[Math.floor(values.length / 2)];
  return Object.fromEntries(
    Object.keys(kinds).map((kind) => [
      kind,
      { ms: median(durations[kind]), per_second: median(rates[kind]) },
    ]),
  );
}
