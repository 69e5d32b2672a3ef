// The output of a sidecar: lines out of a stream that is cut anywhere, and stacks among the lines of the log.

import { expect, test } from "vitest";
import { LineSplitter, StacksReader } from "../../../src/main/child/output.js";

function split(...pieces: string[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const piece of pieces) splitter.push(piece);
  splitter.end();
  return lines;
}

test("a line may come in pieces, and a piece may hold several lines", () => {
  expect(split("a", "b\nc", "\nd\n", "e")).toEqual(["ab", "c", "d", "e"]);
});

test("the line endings of Windows are taken off, and empty lines left out", () => {
  expect(split("a\r\n\r\n\nb\r", "\n")).toEqual(["a", "b"]);
});

test("a line of the longest length is whole, a longer one is cut and says so", () => {
  const longest = "x".repeat(8_192);
  expect(split(`${longest}\nnext`)).toEqual([longest, "next"]);
  expect(split(`${longest}y`, "z".repeat(100_000), "\nnext\n")).toEqual([`${longest}… (cut)`, "next"]);
});

test("a line that is cut is told when it is too long, not when it ends", () => {
  const lines: string[] = [];
  new LineSplitter((line) => lines.push(line)).push("x".repeat(8_193));
  expect(lines).toHaveLength(1);
});

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
