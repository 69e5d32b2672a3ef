// Time that stands still while the machine sleeps.

import { describe, expect, test } from "vitest";
import { AwakeClock } from "../../../src/main/supervision/clock.js";
import { FakeClock } from "../../fake-clock.js";

function setUp() {
  const outer = new FakeClock();
  const clock = new AwakeClock(outer);
  const heard: number[] = [];
  const sleep = async (ms: number): Promise<void> => {
    clock.suspend();
    await outer.advance(ms);
    clock.resume();
  };
  return { outer, clock, heard, sleep, note: () => heard.push(clock.now()) };
}

describe("a clock of the time awake", () => {
  test("moves with the other one while the machine is awake", async () => {
    const { outer, clock, heard, note } = setUp();
    clock.after(100, note);
    await outer.advance(150);
    expect([clock.now(), heard]).toEqual([150, [100]]);
  });

  test("does not count sleep, however often it is told", async () => {
    const { outer, clock, sleep } = setUp();
    await outer.advance(50);
    await sleep(1_000);
    clock.resume();
    await outer.advance(50);
    clock.suspend();
    await sleep(1_000);
    expect(clock.now()).toBe(100);
  });

  test("has whatever was waited for waited for anew after a sleep, and nothing done meanwhile", async () => {
    const { outer, clock, heard, sleep, note } = setUp();
    clock.after(100, note);
    await outer.advance(99);
    await sleep(1_000);
    await outer.advance(99);
    expect(heard).toEqual([]);
    await outer.advance(1);
    expect(heard).toEqual([199]);
    expect(outer.pending).toBe(0);
  });

  test("begins a wait of the sleep's time when that is over", async () => {
    const { outer, clock, heard, note } = setUp();
    clock.suspend();
    clock.after(100, note);
    await outer.advance(1_000);
    clock.resume();
    await outer.advance(100);
    expect(heard).toEqual([100]);
  });

  test("does nothing that was called off, asleep or awake", async () => {
    const { outer, clock, heard, sleep, note } = setUp();
    clock.after(100, note)();
    const cancel = clock.after(100, note);
    clock.suspend();
    cancel();
    await sleep(1_000);
    await outer.advance(1_000);
    expect(heard).toEqual([]);
    expect(outer.pending).toBe(0);
  });
});
