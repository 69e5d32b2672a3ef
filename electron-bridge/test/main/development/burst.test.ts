// Bursts of events, with a clock that the test holds in its hands.

import { expect, test } from "vitest";
import { Burst } from "../../../src/main/development/burst.js";
import { FakeClock } from "../../fake-clock.js";

function setUp() {
  const clock = new FakeClock();
  const ends: number[] = [];
  const burst = new Burst(clock, () => ends.push(clock.now()));
  return { clock, burst, ends };
}

test("a burst ends when nothing has come for a moment", async () => {
  const { clock, burst, ends } = setUp();
  burst.note();
  await clock.advance(60);
  burst.note();
  await clock.advance(5_000);
  expect(ends).toEqual([160]);
  burst.note();
  await clock.advance(5_000);
  expect(ends).toEqual([160, 5_160]);
});

test("events that never cease do not put its end off for ever", async () => {
  const { clock, burst, ends } = setUp();
  for (let round = 0; round < 40; round += 1) {
    burst.note();
    await clock.advance(60);
  }
  expect(ends).toEqual([1_000, 2_020]);
});

test("it can be told to end later without an event, and not to end", async () => {
  const { clock, burst, ends } = setUp();
  burst.endLater();
  await clock.advance(5_000);
  expect(ends).toEqual([1_000]);
  burst.note();
  burst.cancel();
  await clock.advance(5_000);
  expect(ends).toEqual([1_000]);
  expect(clock.pending).toBe(0);
});
