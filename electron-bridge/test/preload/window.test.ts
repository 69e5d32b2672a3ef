// What a page may have on its way to the main process, and what becomes of the rest.

import { describe, expect, test } from "vitest";
import { RequestWindow } from "../../src/preload/window.js";
import type { Envelope } from "../../src/shared/errors.js";

const OK: Envelope<string> = { ok: true, value: "answered" };
const MANY = 100_000;
const UNDER_WAY = 64;
const WAITING = 10_000;

/** A main process that answers when it is told to. */
class FakeMain {
  readonly sent: { id: string; waitedMs: number; answer: () => void }[] = [];
  readonly window = new RequestWindow();

  request(id: string): Promise<Envelope<string>> {
    return this.window.request(
      id,
      (waitedMs) => new Promise((resolve) => this.sent.push({ id, waitedMs, answer: () => resolve(OK) })),
    );
  }

  async answerAll(): Promise<void> {
    for (const { answer } of this.sent) {
      answer();
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    }
  }
}

describe("a page's requests", () => {
  test("are all answered, in order, and no more than so many at a time", async () => {
    const main = new FakeMain();
    const ids = Array.from({ length: 200 }, (_, index) => String(index));
    const answers = ids.map((id) => main.request(id));
    expect(main.sent).toHaveLength(UNDER_WAY);
    await main.answerAll();
    expect(await Promise.all(answers)).toEqual(ids.map(() => OK));
    expect(main.sent.map(({ id }) => id)).toEqual(ids);
  });

  test("beyond those that may wait are refused, at little cost", async () => {
    const main = new FakeMain();
    const started = performance.now();
    const answers = Array.from({ length: MANY }, (_, index) => main.request(String(index)));
    const refused = await Promise.all(answers.slice(UNDER_WAY + WAITING));
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(refused.every((answer) => !answer.ok && answer.error.code === "too_many_calls")).toBe(true);
    expect(main.sent).toHaveLength(UNDER_WAY);
  });

  test("that wait can be withdrawn: they are never sent", async () => {
    const main = new FakeMain();
    for (let index = 0; index < UNDER_WAY; index += 1) void main.request(String(index));
    const answer = main.request("late");
    expect(main.window.withdraw("late")).toBe(true);
    expect(await answer).toMatchObject({ ok: false, error: { code: "cancelled" } });
    expect(main.window.withdraw("0")).toBe(false);
    await main.answerAll();
    expect(main.sent).toHaveLength(UNDER_WAY);
  });

  test("that were sent are cancelled in main once each, and those that are not under way never", async () => {
    const main = new FakeMain();
    const ids = Array.from({ length: UNDER_WAY + 1 }, (_, index) => String(index));
    const answers = ids.map((id) => main.request(id));
    expect(main.window.cancel("0")).toBe(true);
    expect(main.window.cancel("0")).toBe(false);
    expect(main.window.cancel(String(UNDER_WAY))).toBe(false);
    expect(main.window.cancel("unknown")).toBe(false);
    await main.answerAll();
    expect((await Promise.all(answers)).filter(({ ok }) => !ok)).toHaveLength(1);
    expect(main.window.cancel("1")).toBe(false);
  });

  test("of one id are refused while another one has it", async () => {
    const main = new FakeMain();
    const first = main.request("same");
    expect(await main.request("same")).toMatchObject({ ok: false, error: { code: "invalid_call" } });
    await main.answerAll();
    expect(await first).toEqual(OK);
  });

  test("say how long they have waited", async () => {
    const main = new FakeMain();
    for (let index = 0; index < UNDER_WAY; index += 1) void main.request(String(index));
    void main.request("late");
    await new Promise((resolve) => setTimeout(resolve, 30));
    await main.answerAll();
    expect(main.sent[0]?.waitedMs).toBe(0);
    expect(main.sent.at(-1)?.waitedMs).toBeGreaterThan(20);
  });
});
