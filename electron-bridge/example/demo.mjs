// The main job, played on the console by a robot: rows are made by hand in the page, the app is closed and started
// again, and shows the same rows. Run by ./scripts/demo; prints a transcript, ends non-zero at the first step that fails.
import assert from "node:assert/strict";
import path from "node:path";
import { parseArgs } from "node:util";
import { CONSOLE, launch, quit } from "../test/e2e/launch.mjs";

const { values: options } = parseArgs({
  options: {
    run: { type: "string" },
    "user-data": { type: "string" },
    screenshot: { type: "string" },
    keep: { type: "boolean", default: false },
  },
});
const DEADLINE_MS = 20_000;
const GONE_WITHIN_MS = 2_000;
const LISTS = ["vaults", "todos", "activities", "tips"];

/** The app that runs now, or ran last. */
let launched;

try {
  await secondVisit(await firstVisit());
} catch (error) {
  console.error(`  FAILED: ${error.message}\n── the app's log\n${launched?.log() ?? ""}`);
  process.exitCode = 1;
} finally {
  if (launched) await quit(launched.electron);
}

async function firstVisit() {
  const app = await open("Start the app");
  const { page } = app;
  await page.getByLabel("Kind").selectOption("Folder");
  await add(app, "Create a folder", "#add-vault", "vaults.create", { Title: "Journey to Lisbon" });
  await page.getByLabel("In which folder").selectOption("in Journey to Lisbon");
  await add(app, "Create a document in it", "#add-vault", "vaults.create", {
    Title: "What to pack",
    Text: "Passport, two books, the small camera.",
  });
  await add(app, "Create a todo", "#add-todo", "todos.create", {
    "What is to be done?": "Book the night train",
  });
  await add(app, "Create an activity", "#add-activity", "activities.create", {
    "What did you do?": "Compared three hotels",
    "Minutes until now": "40",
  });
  await add(app, "Create a tip", "#add-tip", "tips.create", {
    "A tip worth keeping": "Trams are quieter before nine.",
  });
  await list(app);
  const rows = await shownRows(page);
  check(
    "the document lies in the folder",
    rows.vaults.some((row) => row.under === "Journey to Lisbon"),
  );
  for (const name of LISTS) check(`${name} are shown`, rows[name].length > 0);
  await page.screenshot({ path: options.screenshot });
  say("Save a screenshot", path.relative(process.cwd(), options.screenshot));
  await close(app);
  return rows;
}

async function secondVisit(rows) {
  const app = await open("Start it again on the same data");
  await list(app, " while the sidecar was starting");
  const again = await shownRows(app.page);
  assert.deepEqual(again, rows, "The second start shows other rows than the first.");
  say("Compare with before", `the same ${LISTS.reduce((sum, name) => sum + rows[name].length, 0)} rows`);
  if (options.keep) {
    say("Leave it open", "close its window to end the demo");
    await new Promise((closed) => app.electron.once("close", closed));
    await expectGone(app.sidecar, "You closed it");
  } else {
    await close(app);
  }
}

async function open(title) {
  const started = performance.now();
  launched = await launch(CONSOLE, { userData: options["user-data"], run: options.run });
  const { electron, log } = launched;
  const page = await electron.firstWindow();
  page.setDefaultTimeout(DEADLINE_MS);
  await page.locator('#state[data-state="ready"]').waitFor();
  const took = elapsed(started);
  const said = await until("the sidecar's start", () => /ready after (\d+) ms \(process (\d+)\)/.exec(log()));
  const [, milliseconds, pid] = said;
  say(title, `${took}, of which the sidecar ${milliseconds} ms from start to ready (process ${pid})`);
  return { electron, page, sidecar: Number(pid) };
}

async function add({ page }, title, form, operation, fields) {
  const before = (await durations(page, operation)).length;
  for (const [label, value] of Object.entries(fields))
    await page.locator(form).getByLabel(label, { exact: true }).fill(value);
  await page.locator(form).getByRole("button").click();
  const after = await until(operation, async () => {
    if (await page.locator("#notice").isVisible())
      throw new Error(await page.locator("#notice p").innerText());
    const all = await durations(page, operation);
    return all.length > before ? all : undefined;
  });
  await page.getByText(Object.values(fields)[0], { exact: true }).first().waitFor();
  say(title, `${operation} ${after.at(-1).toFixed(1)} ms, “${Object.values(fields)[0]}”`);
}

/** The page lists everything by itself, when it opens and after each change: what it shows, and how long that took. */
async function list({ page }, note = "") {
  for (const name of LISTS) {
    const took = await until(`${name}.list`, async () => (await durations(page, `${name}.list`)).at(-1));
    const count = await page.locator(`#${name} li[data-id]`).count();
    say(
      `List the ${name}`,
      `${name}.list ${took.toFixed(1)} ms${note}, ${count} ${count === 1 ? "row" : "rows"}`,
    );
  }
}

function durations(page, operation) {
  return page.evaluate(
    (name) => performance.getEntriesByName(name, "measure").map(({ duration }) => duration),
    operation,
  );
}

function shownRows(page) {
  return page.evaluate((names) => {
    const read = (item) => ({
      id: item.dataset.id,
      text: item.querySelector(".text").textContent,
      detail: item.querySelector("small").textContent,
      under: item.parentElement.closest("li")?.querySelector(".text").textContent ?? null,
    });
    return Object.fromEntries(
      names.map((name) => [name, [...document.querySelectorAll(`#${name} li[data-id]`)].map(read)]),
    );
  }, LISTS);
}

async function close({ electron, sidecar }) {
  const started = performance.now();
  await quit(electron);
  await expectGone(sidecar, "Close the app", started);
}

async function expectGone(pid, title, started = performance.now()) {
  await until("the sidecar's end", () => !isAlive(pid) || undefined, GONE_WITHIN_MS);
  say(title, `${elapsed(started)}, the sidecar is gone`);
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function until(what, probe, milliseconds = DEADLINE_MS) {
  const deadline = performance.now() + milliseconds;
  while (performance.now() < deadline) {
    const found = await probe();
    if (found !== undefined && found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${what}: not within ${milliseconds} ms`);
}

function check(what, holds) {
  assert.ok(holds, `It does not hold that ${what}.`);
}

function elapsed(since) {
  return `${Math.round(performance.now() - since)} ms`;
}

function say(title, detail) {
  console.log(`  ${title.padEnd(32)} ${detail}`);
}
