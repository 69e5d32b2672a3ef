// Stacks, told apart from the log that they are written into.

import { expect, test } from "vitest";
import { StacksReader } from "../src/main/stacks.js";

const BEGIN = "--- stacks of all threads ---";
const END = "--- end of stacks ---";

function read(...lines: string[]) {
  const log: string[] = [];
  const stacks: (readonly string[])[] = [];
  const reader = new StacksReader(
    (line) => log.push(line),
    (found) => stacks.push(found),
  );
  for (const line of lines) reader.push(line);
  return { reader, log, stacks };
}

test("what is between the markers is stacks, what is not is log", () => {
  const { log, stacks } = read("before", BEGIN, "Thread 1", "  File a.py", END, "after");
  expect(log).toEqual(["before", "after"]);
  expect(stacks).toEqual([["Thread 1", "  File a.py"]]);
});

test("stacks may be asked for again", () => {
  expect(read(BEGIN, "one", END, BEGIN, "two", END).stacks).toEqual([["one"], ["two"]]);
});

test("stacks that break off are told at the end of the log", () => {
  const { reader, stacks } = read(BEGIN, "Thread 1");
  expect(stacks).toEqual([]);
  reader.end();
  reader.end();
  expect(stacks).toEqual([["Thread 1"]]);
});

test("a marker without its other does not swallow the log for ever", () => {
  const lines = Array.from({ length: 2_001 }, (_, index) => `line ${index}`);
  const { log, stacks } = read(BEGIN, ...lines);
  expect(stacks[0]).toHaveLength(2_000);
  expect(log).toEqual(["line 2000"]);
});
