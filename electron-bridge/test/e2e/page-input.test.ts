// What a page may hand over, and how much it may ask for, in real windows.

import { expect, test } from "vitest";
import { App, clientOf, openWindow, until } from "./app.js";

/** From the call of one page to its answer, while another floods. */
const ANSWERED_WITHIN_MS = 100;
/** Of one page, by the default policy. */
const MAX_SUBSCRIPTIONS = 256;
const SUBSCRIPTIONS = 1_000;
/** As much again for each program that the machine runs beside the tests. */
const BUSY_MACHINE = 5;

test("a page hands over reactive data; what is no data is refused by its path", async () => {
  const app = await App.start();
  const client = await app.client();
  const warnings: string[] = [];
  app.page.on("console", (message) => warnings.push(message.text()));
  const outcomes = await client.evaluate(async ({ sidecar, SidecarError }) => {
    const reactive = (value: unknown): unknown =>
      typeof value === "object" && value !== null
        ? new Proxy(value, { get: (target, name) => reactive(Reflect.get(target, name)) })
        : value;
    const create = async (body: unknown): Promise<string> => {
      try {
        const input = { body } as Parameters<typeof sidecar.call<"tips.create">>[1];
        return (await sidecar.call("tips.create", input)).content;
      } catch (error) {
        return error instanceof SidecarError ? `${error.code} ${error.errors[0]?.field}` : String(error);
      }
    };
    for (let count = 0; count < 11; count += 1) sidecar.onStatus(() => undefined);
    const circular: Record<string, unknown> = { content: "x" };
    circular["self"] = circular;
    return [
      await create(reactive({ content: "from a Proxy" })),
      await create({ content: "x", items: [1, 2, 3, { onClick: () => undefined }] }),
      await create({ content: document.body }),
      await create({ content: 1n }),
      await create(circular),
    ];
  });

  expect(outcomes).toEqual([
    "from a Proxy",
    "invalid_call body.items.3.onClick",
    "invalid_call body.content",
    "invalid_call body.content",
    "invalid_call body.self",
  ]);
  // Of the eleven listeners.
  expect(warnings.filter((text) => text.includes("MaxListeners"))).toEqual([]);
});

test("characters that are cut into halves by a page's chunks are stored whole", async () => {
  const app = await App.start();
  const conversation = await app.value<{ id: number }>("conversations.create", {
    body: { page_name: "chat" },
  });
  const { id } = await app.value<{ id: number }>("messages.create_streaming", {
    path: { conversation_id: conversation.id },
    body: { role: "assistant" },
  });
  const client = await app.client();
  const text = "🚲 on the 🏖️";
  await client.evaluate(
    async ({ sidecar }, { id, text }) => {
      const path = { message_id: id };
      for (const content_chunk of text.split("")) {
        await sidecar.call("messages.append", { path, body: { content_chunk } });
      }
      await sidecar.call("messages.finish", { path, body: { status: "completed" } });
    },
    { id, text },
  );

  expect(await app.value("messages.get", { path: { message_id: id } })).toMatchObject({ content: text });
});

test("a page that floods is refused what is too much, and another page's calls are answered at once", async () => {
  const app = await App.start();
  await app.ready();
  const other = await clientOf(await openWindow(app));
  const client = await app.client();
  const flood = await client.evaluateHandle(({ sidecar, SidecarError }, subscriptions) => {
    const codes: Record<string, number> = {};
    const note = (code: string): void => void (codes[code] = (codes[code] ?? 0) + 1);
    const noteError = (error: unknown): void =>
      note(error instanceof SidecarError ? error.code : String(error));
    window.addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      noteError(event.reason);
    });
    setTimeout(() => {
      for (let index = 0; index < subscriptions; index += 1)
        sidecar.events.subscribe(["tips"], () => undefined);
      for (let index = 0; index < 20_000; index += 1) {
        sidecar.call("tips.list").then(() => note("ok"), noteError);
      }
    }, 100);
    return codes;
  }, SUBSCRIPTIONS);
  const times = await other.evaluate(async ({ sidecar }) => {
    const times: number[] = [];
    const end = performance.now() + 2_000;
    while (performance.now() < end) {
      const started = performance.now();
      await sidecar.call("todos.list", {});
      times.push(performance.now() - started);
    }
    return times.sort((one, another) => one - another);
  });
  // The flooding page itself may be busy for longer; it has a few subscriptions of its own.
  await until("the end of the flood", 30_000, async () => {
    const { ok = 0, too_many_subscriptions = 0 } = await flood.jsonValue();
    return ok > 0 && too_many_subscriptions >= SUBSCRIPTIONS - MAX_SUBSCRIPTIONS;
  });
  const codes = await flood.jsonValue();

  const [median = Infinity, slowest = Infinity] = [times[Math.floor(times.length / 2)], times.at(-1)];
  console.log(
    `beside a flood: ${times.length} calls, median ${median.toFixed(1)} ms, slowest ${slowest.toFixed(1)} ms`,
  );
  console.log(`the flood: ${JSON.stringify(codes)}`);
  expect(median).toBeLessThan(ANSWERED_WITHIN_MS);
  expect(slowest).toBeLessThan(ANSWERED_WITHIN_MS * BUSY_MACHINE);
  expect(codes["too_many_calls"]).toBeGreaterThan(0);
});
