// Finds the name that a misspelt one was meant to be.

/** Longer names are not compared: nobody misspells them, and comparing takes time. */
const MAX_LENGTH = 100;

/** Letters that may differ: one, and one more for every three. */
const allowance = (length: number): number => Math.max(1, Math.floor(length / 3));

/** The name that differs least from `wrong`, if that is little enough to be a misspelling. */
export function nearest(wrong: string, names: Iterable<string>): string | undefined {
  let found: string | undefined;
  let limit = wrong.length > MAX_LENGTH ? -1 : allowance(wrong.length);
  for (const name of names) {
    if (Math.abs(name.length - wrong.length) > limit) continue;
    const differences = distance(wrong.toLowerCase(), name.toLowerCase());
    if (differences <= limit) [found, limit] = [name, differences - 1];
  }
  return found;
}

/** How many letters must be added, removed, replaced or swapped with their neighbour to make one of the other. */
function distance(one: string, other: string): number {
  const width = other.length + 1;
  let [before, row]: [number[], number[]] = [[], Array.from({ length: width }, (_, index) => index)];
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j < width; j += 1) {
      const same = one[i - 1] === other[j - 1];
      let least = Math.min(at(row, j) + 1, at(next, j - 1) + 1, at(row, j - 1) + (same ? 0 : 1));
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (isSwapped) least = Math.min(least, at(before, j - 2) + 1);
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return at(row, width - 1);
}

const at = (row: readonly number[], index: number): number => row[index] ?? 0;
