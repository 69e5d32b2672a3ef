// Which name a misspelt one is taken for, and which are too far from any.

import { expect, test } from "vitest";
import { nearest } from "../../src/shared/nearest.js";
import { builtInOperations } from "../../src/shared/operations.js";

const ids = Object.keys(builtInOperations);

test.each([
  ["todos.creat", "todos.create"],
  ["todo.create", "todos.create"],
  ["todos.craete", "todos.create"],
  ["Todos.Create", "todos.create"],
  ["messages.apend", "messages.append"],
  ["vaults.delete ", "vaults.delete"],
])("%o was meant to be %o", (wrong, right) => {
  expect(nearest(wrong, ids)).toBe(right);
});

test.each(["", "x", "constructor", "notes.cards", "todos.list".repeat(1000)])(
  "%o is near to none",
  (wrong) => {
    expect(nearest(wrong, ids)).toBeUndefined();
  },
);

test("the one with the fewest differences is named, and a swap of neighbours is one", () => {
  expect(nearest("form", ["farms", "from", "norm"])).toBe("from");
  expect(nearest("lit", ["list", "live", "lit"])).toBe("lit");
});
