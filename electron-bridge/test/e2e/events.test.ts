// Live events in real windows: who hears what, until when, and what a growing message looks like from a page.

import type { JSHandle, Page } from "playwright-core";
import { expect, test } from "vitest";
import { App, clientOf, openWindow, until } from "./app.js";

const SOON_MS = 5_000;
/** From the answer of an append to its text in the page, the median. */
const DELTA_WITHIN_MS = 5;

interface Row {
  readonly id: number;
}

/** What a page's listener heard, in short: ids of rows, reasons of resets. */
type Heard = JSHandle<(number | string | null)[]>;

test("a change reaches every window; when one closes, the others still get theirs", async () => {
  const app = await App.start();
  const other = await openWindow(app);
  const [heard, alsoHeard] = [await listen(app.page), await listen(other)];
  const first = await app.value<Row>("todos.create", { body: { content: "one" } });
  await hears(heard, ["subscribed", first.id]);
  await hears(alsoHeard, ["subscribed", first.id]);

  await other.close();
  const second = await app.value<Row>("todos.create", { body: { content: "two" } });
  await hears(heard, ["subscribed", first.id, second.id]);
});

test("a page that is loaded again hears no more of what it subscribed to before", async () => {
  const app = await App.start();
  await listen(app.page);
  await app.page.reload();
  const heard = await listen(app.page);
  const todo = await app.value<Row>("todos.create", { body: { content: "one" } });

  await hears(heard, ["subscribed", todo.id]);
});

test("after a violent end of the sidecar every page is told to read again, and hears what follows", async () => {
  const app = await App.start();
  const other = await openWindow(app);
  const [heard, alsoHeard] = [await listen(app.page), await listen(other)];
  await hears(heard, ["subscribed"]);
  await hears(alsoHeard, ["subscribed"]);
  process.kill(await app.sidecarPid(), "SIGKILL");
  await hears(heard, ["subscribed", "another_instance"]);
  const todo = await app.value<Row>("todos.create", { body: { content: "one" } });

  await hears(heard, ["subscribed", "another_instance", todo.id]);
  await hears(alsoHeard, ["subscribed", "another_instance", todo.id]);
});

test("a message's text reaches a page within milliseconds of each append, to its end", async () => {
  const app = await App.start();
  const { id } = await growingMessage(app);
  const client = await clientOf(app.page);
  const { text, latencies } = await client.evaluate(async ({ sidecar }, message_id) => {
    const chunks = Array.from({ length: 100 }, (_, number) => `chunk ${number} `);
    const answered: number[] = [];
    const arrived: number[] = [];
    const reading = (async () => {
      let read = "";
      for await (const piece of sidecar.messages.text(message_id)) {
        read += piece;
        arrived.push(performance.now());
      }
      return read;
    })();
    for (const content_chunk of chunks) {
      const seen = arrived.length;
      await sidecar.call("messages.append", { path: { message_id }, body: { content_chunk } });
      answered.push(performance.now());
      while (arrived.length === seen) await new Promise((resolve) => setTimeout(resolve));
    }
    await sidecar.call("messages.finish", { path: { message_id }, body: { status: "completed" } });
    const text = await reading;
    return { text, latencies: answered.map((at, index) => Math.max(0, (arrived[index] ?? Infinity) - at)) };
  }, id);

  expect(text).toBe(Array.from({ length: 100 }, (_, number) => `chunk ${number} `).join(""));
  const median = latencies.sort((one, another) => one - another)[50];
  console.log(`from an append's answer to its text in the page: median ${median?.toFixed(2)} ms`);
  expect(median).toBeLessThanOrEqual(DELTA_WITHIN_MS);
});

test("a message that was growing when the sidecar died is read to its last character, then says so", async () => {
  const app = await App.start();
  const { id } = await growingMessage(app);
  const append = (content_chunk: string) =>
    app.value("messages.append", { path: { message_id: id }, body: { content_chunk } });
  await append("one ");
  const client = await clientOf(app.page);
  const reading = await client.evaluateHandle(({ sidecar, SidecarError }, message_id) => {
    const seen = { text: "", code: "" };
    void (async () => {
      try {
        for await (const piece of sidecar.messages.text(message_id)) seen.text += piece;
      } catch (error) {
        seen.code = error instanceof SidecarError ? error.code : String(error);
      }
    })();
    return seen;
  }, id);
  await append("two ");
  await until("the text", SOON_MS, async () => (await reading.jsonValue()).text === "one two ");
  process.kill(await app.sidecarPid(), "SIGKILL");

  await until("the end", SOON_MS, async () => (await reading.jsonValue()).code !== "");
  expect(await reading.jsonValue()).toEqual({ text: "one two ", code: "message_failed" });
});

async function growingMessage(app: App): Promise<Row> {
  const conversation = await app.value<Row>("conversations.create", { body: { page_name: "chat" } });
  const input = { path: { conversation_id: conversation.id }, body: { role: "assistant" } };
  return app.value<Row>("messages.create_streaming", input);
}

/** Subscribes the page to todos, and waits for its first notice: nothing is missed from there on. */
async function listen(page: Page): Promise<Heard> {
  const client = await clientOf(page);
  const heard = await client.evaluateHandle(({ sidecar }) => {
    const list: (number | string | null)[] = [];
    sidecar.events.subscribe(["todos"], (notice) =>
      list.push(notice.kind === "reset" ? notice.reason : notice.id),
    );
    return list;
  });
  await until("the first notice", SOON_MS, async () => (await heard.jsonValue()).length > 0);
  return heard;
}

async function hears(heard: Heard, expected: readonly unknown[]): Promise<void> {
  await until(
    `${expected.length} notices`,
    SOON_MS,
    async () => (await heard.jsonValue()).length >= expected.length,
  );
  expect(await heard.jsonValue()).toEqual(expected);
}
