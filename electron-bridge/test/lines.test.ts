// Lines out of a stream that is cut anywhere.

import { expect, test } from "vitest";
import { LineSplitter } from "../src/main/lines.js";

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
