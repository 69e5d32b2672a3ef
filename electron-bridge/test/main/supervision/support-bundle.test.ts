// What a support bundle tells, and what it does not.

import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { History, redacted } from "../../../src/main/supervision/support-bundle.js";
import type { Failure, Ready, Snapshot } from "../../../src/shared/status.js";

const READY: Ready = { port: 1, pid: 2, instance: "a", version: "1.2", apiVersion: 1, schemaVersion: 3 };
const CRASH: Failure = {
  code: "sidecar_exited",
  message: "It ended.",
  exitCode: 1,
  signal: null,
  logTail: [],
  stacks: [],
};

function remember(...changes: Partial<Snapshot>[]) {
  let time = 0;
  const history = new History(() => `time ${(time += 1)}`);
  let status: Snapshot = { state: "stopped", ready: null, stage: null, failure: null, restarts: 0 };
  for (const change of changes) {
    status = { ...status, ...change };
    history.note(status);
  }
  return { history, bundle: () => history.bundle({ status, health: null, logTail: [] }) };
}

describe("a support bundle", () => {
  test("tells every change of the state and of the stage, with its time and the code behind it", () => {
    const { bundle } = remember(
      { state: "starting" },
      { stage: { stage: "migrating", detail: "1" } },
      { stage: { stage: "migrating", detail: "2" } },
      { state: "ready", ready: READY, stage: null },
      { state: "restarting", ready: null, failure: CRASH },
    );
    const transitions = bundle().transitions;
    expect(transitions.map(({ state, stage, code }) => ({ state, stage, code }))).toEqual([
      { state: "starting", stage: null, code: null },
      { state: "starting", stage: "migrating", code: null },
      { state: "ready", stage: null, code: null },
      { state: "restarting", stage: null, code: "sidecar_exited" },
    ]);
    expect(transitions[0]?.at).toBe("time 1");
  });

  test("tells every end once, as it was known last", () => {
    const known = { ...CRASH, stacks: ["a stack"] };
    const other = { ...CRASH, exitCode: 3, code: "data_directory_locked" };
    const { bundle } = remember(
      { state: "ready", ready: READY },
      { state: "restarting", ready: null, failure: CRASH },
      { state: "restarting", failure: known },
      { state: "starting" },
      { state: "restarting", failure: { ...CRASH } },
      { state: "starting" },
      { state: "failed", failure: other },
    );
    expect(bundle().exits).toMatchObject([known, CRASH, other]);
  });

  test("tells the versions of a sidecar that is gone", () => {
    const { bundle } = remember({ state: "ready", ready: READY }, { state: "stopped", ready: null });
    expect(bundle().versions).toMatchObject({
      sidecar: "1.2",
      api: 1,
      schema: 3,
      node: process.versions.node,
    });
  });

  test("is bounded, and keeps the latest", () => {
    const crash = (exitCode: number): Partial<Snapshot>[] => [
      { state: "restarting", failure: { ...CRASH, exitCode } },
      { state: "starting" },
    ];
    const { bundle } = remember(...Array.from({ length: 300 }, (_, index) => crash(index)).flat());
    expect(bundle().transitions).toHaveLength(200);
    expect(bundle().exits.map(({ exitCode }) => exitCode)).toEqual(
      Array.from({ length: 20 }, (_, index) => 280 + index),
    );
  });
});

describe("in what it tells", () => {
  test.each([
    ["a token", `the token is ${"0123456789abcdef".repeat(4)}!`, "the token is [token]!"],
    [
      "an Authorization header",
      'headers: {"Authorization": "Basic eDp5"}',
      'headers: {"Authorization [redacted]',
    ],
    ["a bearer", "sent bearer abc.def with it", "sent bearer [redacted] with it"],
    ["the home directory", `in ${join(homedir(), "x")}: no`, `in ${join("~", "x")}: no`],
    ["a home of the same beginning", `${homedir()}-old`, `${homedir()}-old`],
  ])("%s is taken out or left as it should be", (_, text, expected) => {
    expect(redacted({ deep: [{ text }], count: 1, none: null })).toEqual({
      deep: [{ text: expected }],
      count: 1,
      none: null,
    });
  });
});
