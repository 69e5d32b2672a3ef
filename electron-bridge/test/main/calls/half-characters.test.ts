// Chunks of a message that are cut in the middle of a character, wherever they are cut.

import { describe, expect, test } from "vitest";
import { HalfCharacters } from "../../../src/main/calls/half-characters.js";
import { errorOf } from "../../support.js";

const TEXT = "a🚲b日👩‍👩‍👧 \u{10ffff}!";
const HIGH = "\ud83d";
const LOW = "\udeb2";

/** A sidecar that stores chunks as the real one does: none that is empty, none that is no Unicode. */
class FakeSidecar {
  readonly chunks: string[] = [];
  readonly operations: string[] = [];
  readonly keys: (string | undefined)[] = [];
  failNext = false;
  /** While set, an append waits for it. */
  gate: Promise<void> | undefined;
  readonly #halfCharacters = new HalfCharacters((operation, input, { key }) => {
    this.keys.push(key);
    return this.#take(operation, input);
  });

  get text(): string {
    return this.chunks.join("");
  }

  append(
    content_chunk: string,
    rest: object = {},
    message_id: number | string = 7,
    key?: string,
  ): Promise<unknown> {
    return this.call("messages.append", { body: { content_chunk, ...rest } }, message_id, key);
  }

  call(
    operation: string,
    input: object = {},
    message_id: number | string = 7,
    key?: string,
  ): Promise<unknown> {
    const options = key === undefined ? {} : { key };
    return this.#halfCharacters.call(operation, { path: { message_id }, ...input }, options);
  }

  async #take(operation: string, input: unknown): Promise<unknown> {
    this.operations.push(operation);
    const { body } = input as { body?: { content_chunk?: string } };
    if (this.failNext) {
      this.failNext = false;
      await this.gate;
      throw new Error("lost");
    }
    if (operation === "messages.append") {
      const chunk = body?.content_chunk ?? "";
      if (chunk === "") throw new Error("empty");
      encodeURIComponent(chunk);
      this.chunks.push(chunk);
    }
    return { id: 7, message_id: 7, next_sequence: this.chunks.length };
  }
}

describe("a message that is appended to", () => {
  test("is stored whole, wherever its chunks are cut", async () => {
    for (let size = 1; size <= TEXT.length; size += 1) {
      const sidecar = new FakeSidecar();
      for (let start = 0; start < TEXT.length; start += size)
        await sidecar.append(TEXT.slice(start, start + size));
      await sidecar.call("messages.finish");
      expect(sidecar.text).toBe(TEXT);
    }
  });

  test("is stored whole although nobody waits for the answers", async () => {
    const sidecar = new FakeSidecar();
    await Promise.all([...TEXT.split("")].map((unit) => sidecar.append(unit)));
    expect(sidecar.text).toBe(TEXT);
  });

  test("is told what it has so far when a chunk is half a character alone", async () => {
    const sidecar = new FakeSidecar();
    await sidecar.append("a");
    expect(await sidecar.append(HIGH)).toEqual({ message_id: 7, next_sequence: 1 });
    expect(await sidecar.append(LOW)).toMatchObject({ next_sequence: 2 });
    expect(sidecar.operations).toEqual(["messages.append", "messages.get", "messages.append"]);
  });

  test("is not mixed up with another one", async () => {
    const sidecar = new FakeSidecar();
    await sidecar.append(`a${HIGH}`, {}, 7);
    await sidecar.append("b", {}, 8);
    await sidecar.append(LOW, {}, "7");
    expect(sidecar.chunks).toEqual(["a", "b", `${HIGH}${LOW}`]);
  });

  test.each(["a chunk that follows", "its end"])(
    "has a replacement where a half is not completed by %s",
    async (what) => {
      const sidecar = new FakeSidecar();
      await sidecar.append(`a${HIGH}`);
      if (what === "its end") await sidecar.call("messages.finish");
      else await sidecar.append("b");
      expect(sidecar.text).toBe(what === "its end" ? "a\ufffd" : "a\ufffdb");
    },
  );

  test("has nothing in place of a half when it is interrupted", async () => {
    const sidecar = new FakeSidecar();
    await sidecar.append(`a${HIGH}`);
    await sidecar.call("messages.interrupt");
    expect(sidecar.text).toBe("a");
    expect(sidecar.operations).toEqual(["messages.append", "messages.interrupt"]);
  });

  test("gets the same chunk when one that failed is sent again", async () => {
    const sidecar = new FakeSidecar();
    await sidecar.append(`a${HIGH}`);
    sidecar.failNext = true;
    await errorOf(sidecar.append(`${LOW}b${HIGH}`));
    await sidecar.append(`${LOW}b${HIGH}`);
    await sidecar.append(LOW);
    expect(sidecar.text).toBe(`a${HIGH}${LOW}b${HIGH}${LOW}`);
  });

  test.each([
    ["its key", { key: "second" }],
    ["its sequence", { rest: { sequence: 1 } }],
    ["nothing but its text", {}],
  ])(
    "has no half twice when the next chunk took that of one that failed, and it is sent again under %s",
    async (_, name) => {
      const { rest = {}, key } = name as { rest?: object; key?: string };
      const sidecar = new FakeSidecar();
      await sidecar.append(`a${HIGH}`);
      let fail = (): void => undefined;
      sidecar.gate = new Promise((resolve) => (fail = resolve));
      sidecar.failNext = true;
      const failed = errorOf(sidecar.append(`${LOW}b${HIGH}`, rest, 7, key));
      await sidecar.append(`${LOW}c`);
      fail();
      expect(await failed).toMatchObject({ message: "lost" });
      await sidecar.append(`${LOW}b${HIGH}`, rest, 7, key);
      await sidecar.append("d");
      await sidecar.call("messages.finish");
      expect(sidecar.chunks).toEqual(["a", `${HIGH}${LOW}c`, `${HIGH}${LOW}b`, "d"]);
    },
  );

  test("gets its replacement once, however often it is finished under one key", async () => {
    const sidecar = new FakeSidecar();
    await sidecar.append(`a${HIGH}`);
    const finish = () => sidecar.call("messages.finish", {}, 7, "my-key");
    sidecar.failNext = true;
    await errorOf(finish());
    await finish();
    const [, lost, appended, finished] = sidecar.keys;
    expect(lost).toMatch(/^[0-9a-f]{64}$/);
    expect([appended, finished]).toEqual([lost, "my-key"]);
    expect(sidecar.text).toBe("a\ufffd");
  });

  test("gets its replacement under one key when it is finished without one", async () => {
    const sidecar = new FakeSidecar();
    await sidecar.append(`a${HIGH}`);
    sidecar.failNext = true;
    await errorOf(sidecar.call("messages.finish"));
    await sidecar.call("messages.finish");
    expect(sidecar.keys[1]).toMatch(/^[0-9a-f]{64}$/);
    expect(sidecar.keys[2]).toBe(sidecar.keys[1]);
  });

  test("gets the same chunk when one is sent again under its sequence", async () => {
    const sidecar = new FakeSidecar();
    await sidecar.append(`a${HIGH}`, { sequence: 0 });
    await sidecar.append(`${LOW}b${HIGH}`, { sequence: 1 });
    await sidecar.append(`${LOW}b${HIGH}`, { sequence: 1 });
    expect(sidecar.chunks).toEqual(["a", `${HIGH}${LOW}b`, `${HIGH}${LOW}b`]);
  });

  test("gets the same chunk when one is sent again under its key", async () => {
    const sidecar = new FakeSidecar();
    await sidecar.append(`a${HIGH}`, {}, 7, "first");
    await sidecar.append(`a${HIGH}`, {}, 7, "first");
    await sidecar.append(`${LOW}b`, {}, 7, "second");
    await sidecar.append(`${LOW}b`, {}, 7, "second");
    expect(sidecar.chunks).toEqual(["a", "a", `${HIGH}${LOW}b`, `${HIGH}${LOW}b`]);
  });

  test("refuses half a character alone under a sequence", async () => {
    const sidecar = new FakeSidecar();
    const errors = [
      { field: "body.content_chunk", message: expect.stringContaining("half a character") as unknown },
    ];
    expect(await errorOf(sidecar.append(HIGH, { sequence: 0 }))).toMatchObject({
      code: "invalid_call",
      errors,
    });
  });

  test("leaves what cannot be completed to the sidecar to refuse", async () => {
    const sidecar = new FakeSidecar();
    expect(await errorOf(sidecar.append(`${LOW}a`))).toBeInstanceOf(URIError);
  });
});
