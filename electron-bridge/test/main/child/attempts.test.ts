// The attempts of one start, with processes that the test speaks for.

import { describe, expect, test } from "vitest";
import { launchFirst } from "../../../src/main/child/attempts.js";
import type { Candidate, Place } from "../../../src/main/child/candidates.js";
import type { Child, ChildEvents, Exit, Refusal } from "../../../src/main/child/child.js";
import type { StatusLine } from "../../../src/main/child/output.js";
import type { Tried } from "../../../src/main/child/refusals.js";
import { until } from "../../support.js";

const CRASH: Exit = { code: 1, signal: null };
const BOUND: StatusLine = { event: "bound", version: { version: "1", apiVersion: 1 } };
const NO_PACKAGE: Refusal = { code: "sidecar_not_found", message: "No package." };

function candidate(command: string): { candidate: Candidate } {
  return { candidate: { command, args: [], origin: "project" } };
}

/** Starts with these places. What it says of a candidate that ends early is in `refusals`; undefined is a crash. */
function start(places: readonly Place[], refusals: Record<string, Refusal | undefined> = {}) {
  const launched: { command: string; events: ChildEvents; orders: string[] }[] = [];
  const seen: { lines: StatusLine[]; exited: Exit[]; gone: Exit[] } = { lines: [], exited: [], gone: [] };
  const tried: Tried[] = [];
  const world = { explained: 0, answers: true };
  const child = launchFirst(
    places,
    {
      launch: ({ command }, events): Child => {
        const orders: string[] = [];
        launched.push({ command, events, orders });
        const order = (name: string) => () => void orders.push(name);
        return {
          shutdown: order("shutdown"),
          askForStacks: order("askForStacks"),
          terminate: order("terminate"),
          kill: order("kill"),
        };
      },
      refuseVersion: (_, { version }) =>
        version === "1" ? undefined : { code: "version_mismatch", message: `${version} is not 1.` },
      explain: ({ command }, _exit, signal) => {
        world.explained += 1;
        if (world.answers) return Promise.resolve(refusals[command]);
        return new Promise((resolve) => signal.addEventListener("abort", () => resolve(refusals[command])));
      },
      noneLeft: (all) => {
        tried.push(...all);
        return { code: "none_left", message: "None is left." };
      },
    },
    {
      line: (line) => seen.lines.push(line),
      stacks: () => undefined,
      exited: (exit) => seen.exited.push(exit),
      gone: (exit) => seen.gone.push(exit),
    },
  );
  const newest = () => {
    const last = launched.at(-1);
    if (!last) throw new Error("nothing was launched");
    return last;
  };
  const end = (exit: Exit = CRASH): void => {
    const { events } = newest();
    events.exited(exit);
    events.gone(exit);
  };
  return { child, launched, seen, tried, world, newest, end };
}

describe("a candidate that is bound", () => {
  test("is the sidecar: its lines and its end are passed on at once, and no other is started", () => {
    const { launched, seen, newest, world } = start([candidate("a"), candidate("b")]);
    newest().events.line(BOUND);
    newest().events.exited(CRASH);
    expect(seen).toEqual({ lines: [BOUND], exited: [CRASH], gone: [] });
    newest().events.gone(CRASH);
    expect(seen.gone).toEqual([CRASH]);
    expect([launched.length, world.explained]).toEqual([1, 0]);
  });

  test("of another version is killed, and the next one is started", async () => {
    const { launched, seen, newest, end } = start([candidate("a"), candidate("b")]);
    newest().events.line({ event: "bound", version: { version: "0", apiVersion: 1 } });
    newest().events.line({ event: "stage", stage: "migrating", detail: null });
    expect(newest().orders).toEqual(["kill"]);
    end({ code: null, signal: "SIGKILL" });
    await until(() => launched.length === 2, "the second candidate");
    newest().events.line(BOUND);
    expect(seen).toEqual({ lines: [BOUND], exited: [], gone: [] });
  });
});

describe("a candidate that ends early", () => {
  test("and is none gives way to the next, and its end is not seen", async () => {
    const { launched, seen, end } = start([{ nothing: "x" }, candidate("a"), candidate("b")], {
      a: NO_PACKAGE,
    });
    end();
    await until(() => launched.length === 2, "the second candidate");
    expect(launched.map(({ command }) => command)).toEqual(["a", "b"]);
    expect(seen.exited).toEqual([]);
  });

  test("and was the last ends in the refusal of all, which is permanent", async () => {
    const places = [{ nothing: "x" }, candidate("a"), candidate("b"), { nothing: "y" }];
    const { seen, end, tried, launched } = start(places, { a: NO_PACKAGE, b: NO_PACKAGE });
    end();
    await until(() => launched.length === 2, "the second candidate");
    end();
    await until(() => seen.gone.length === 1, "the end");
    const refusal = { code: "none_left", message: "None is left.", isPermanent: true };
    expect(seen.gone).toEqual([{ ...CRASH, refusal }]);
    expect(seen.exited).toEqual(seen.gone);
    expect(tried).toEqual([
      { nothing: "x" },
      { ...candidate("a"), refusal: NO_PACKAGE },
      { ...candidate("b"), refusal: NO_PACKAGE },
      { nothing: "y" },
    ]);
  });

  test("and is a sidecar has crashed: its end is passed on, and no other takes its place", async () => {
    const { launched, seen, end } = start([candidate("a"), candidate("b")]);
    end();
    await until(() => seen.gone.length === 1, "the end");
    expect(seen).toMatchObject({ exited: [CRASH], gone: [CRASH] });
    expect(launched).toHaveLength(1);
  });

  test("and has said why is not asked again", async () => {
    const { seen, newest, end, world } = start([candidate("a"), candidate("b")]);
    const failed: StatusLine = { event: "failed", code: "too_few_descriptors", message: "Too few." };
    newest().events.line(failed);
    end({ code: 2, signal: null });
    await until(() => seen.gone.length === 1, "the end");
    expect(seen).toMatchObject({ lines: [failed], gone: [{ code: 2, signal: null }] });
    expect(world.explained).toBe(0);
  });

  test("because its Python is too old gives way to the next", async () => {
    const { launched, seen, newest, end } = start([candidate("a"), candidate("b")]);
    newest().events.line({ event: "failed", code: "python_too_old", message: "Python 3.10." });
    end({ code: 2, signal: null });
    await until(() => launched.length === 2, "the second candidate");
    expect(seen.lines).toEqual([]);
  });

  test("because the machine is out of something may be started again later", async () => {
    const { seen, end, launched } = start([candidate("a"), candidate("b")]);
    end({ code: null, signal: null, spawnError: { errno: "EAGAIN", message: "spawn a EAGAIN" } });
    await until(() => seen.gone.length === 1, "the end");
    expect(seen.gone[0]?.refusal).toMatchObject({ code: "spawn_failed", isPermanent: false });
    expect(launched).toHaveLength(1);
  });
});

describe("one that is to end", () => {
  test("passes the order on, and starts no other candidate", () => {
    const { child, launched, seen, newest, end } = start([candidate("a"), candidate("b")], { a: NO_PACKAGE });
    child.shutdown();
    child.terminate();
    child.kill();
    expect(newest().orders).toEqual(["shutdown", "terminate", "kill"]);
    end();
    expect(seen).toMatchObject({ exited: [CRASH], gone: [CRASH] });
    expect(launched).toHaveLength(1);
  });

  test("while a candidate is looked at does not wait for the answer", async () => {
    const { child, launched, seen, end, world } = start([candidate("a"), candidate("b")], { a: NO_PACKAGE });
    world.answers = false;
    end();
    await until(() => world.explained === 1, "the look at the candidate");
    child.kill();
    await until(() => seen.gone.length === 1, "the end");
    expect(seen.gone).toEqual([CRASH]);
    expect(launched).toHaveLength(1);
  });
});

test("a start without a candidate ends in a refusal, and not before the start has returned", async () => {
  const { seen, launched } = start([{ nothing: "x" }]);
  expect(seen.gone).toEqual([]);
  await until(() => seen.gone.length === 1, "the end");
  expect(seen.gone[0]?.refusal).toMatchObject({ code: "none_left", isPermanent: true });
  expect(launched).toEqual([]);
});
