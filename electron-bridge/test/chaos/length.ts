// How long the suite goes on, and its random numbers.

import { randomOf } from "./random.mjs";

/** The minutes of the long form in all; 0 is the short form. */
const MINUTES = Number(process.env["CHAOS_MINUTES"] ?? 0);
const SEED = Number(process.env["CHAOS_SEED"] ?? 1);
/** What a test may take besides that which goes on for its share of the long form. */
const BESIDES_MS = 120_000;

/** Numbers of a scenario's own, the same for the same seed whatever else is run. */
export function dice(scenario: string): () => number {
  const seed = Buffer.from(scenario).reduce((sum, byte) => Math.imul(sum, 31) + byte, SEED);
  return randomOf(seed);
}

/** Does it `short` times, or in the long form for this share of its minutes. Resolves with how often that was. */
export async function repeat(
  short: number,
  share: number,
  once: (number: number) => Promise<void>,
): Promise<number> {
  const end = performance.now() + MINUTES * share * 60_000;
  let count = 0;
  for (; MINUTES > 0 ? performance.now() < end : count < short; count += 1) await once(count);
  return count;
}

/** How long a test may take that goes on for this share of the long form. */
export function timeoutMs(share: number): number {
  return BESIDES_MS + MINUTES * share * 60_000;
}
