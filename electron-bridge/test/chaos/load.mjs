// A mixed load on a sidecar: writers that know what the answer to each write must be, readers that know what must be
// found, subscribers that keep a copy. It tells what was acknowledged, and whatever was not as it had to be.

import { setTimeout as delay } from "node:timers/promises";

const CREATORS = 2;
const CHANGERS = 2;
const WRITERS = 2;
const CHUNKS = 40;
const PAGE = 1000;
const AGREE_WITHIN_MS = 10_000;

/**
 * @typedef {import("../../dist/main.mjs").Sidecar} Sidecar
 * @typedef {(line: Record<string, unknown>) => void} Tell
 */

export class Load {
  #running = true;
  /** @type {Promise<void>[]} */
  #workers = [];
  /** @type {{ id: number, content: string }[]} */
  #tips = [];
  /** @type {Map<number, { content: string, status: number }>} todos as they have to be */
  #todos = new Map();
  #copies;
  #calls = 0;

  /**
   * @param {Sidecar} sidecar
   * @param {{ name: string, random: () => number, tell: Tell }} options `name` tells the rows of this load from others'
   */
  constructor(sidecar, { name, random, tell }) {
    this.sidecar = sidecar;
    this.name = name;
    this.random = random;
    this.tell = tell;
    this.#copies = { tips: new TipsCopy(this), todos: new TodosCopy(this) };
  }

  get running() {
    return this.#running;
  }

  begin() {
    const times = (/** @type {number} */ count, /** @type {(number: number) => Promise<void>} */ work) =>
      Array.from({ length: count }, (_, number) => work.call(this, number));
    this.#workers = [
      ...times(CREATORS, this.#createTips),
      ...times(CHANGERS, this.#changeTodo),
      ...times(WRITERS, this.#writeMessages),
      this.#read(),
      this.#search(),
    ].map((work) => work.catch((error) => this.wrong(String(error.stack))));
  }

  /** Ends what is under way, and checks what subscribers made of it. Returns the number of calls. */
  async finish() {
    this.#running = false;
    await Promise.all(this.#workers);
    await this.#copies.tips.agree(new Set(this.#tips.map(({ id }) => id)));
    await this.#copies.todos.agree(this.#todos);
    return this.#calls;
  }

  /**
   * A call that has to succeed, or to fail with a code that is expected; resolves then with undefined.
   *
   * @param {any} operation
   * @param {any} [input]
   * @param {{ key?: string, expected?: string }} [options]
   * @returns {Promise<any>}
   */
  async call(operation, input, { key, expected } = {}) {
    this.#calls += 1;
    try {
      return await this.sidecar.call(operation, input, key === undefined ? {} : { key });
    } catch (error) {
      if (error.code === expected) return undefined;
      this.tell({ type: "failed", operation, code: error.code, message: error.message });
      throw error;
    } finally {
      await delay(this.random() * 10);
    }
  }

  /** @param {string} what */
  wrong(what) {
    this.tell({ type: "wrong", what });
  }

  async #createTips(/** @type {number} */ worker) {
    for (let number = 0; this.#running; number += 1) {
      const content = `${this.name} creator${worker} tip${number}`;
      // Every second one with a key of the page's own, the others with the bridge's.
      const { id } = await this.call(
        "tips.create",
        { body: { content } },
        number % 2 ? { key: content.replaceAll(" ", "-") } : {},
      );
      this.tell({ type: "tip", id, content });
      this.#tips.push({ id, content });
    }
  }

  /** Completing and reopening tells a write that was done twice; in between its text is changed. */
  async #changeTodo(/** @type {number} */ worker) {
    const content = `${this.name} changer${worker}`;
    const { id } = await this.call("todos.create", { body: { content: `${content} edit0` } });
    const expected = { content: `${content} edit0`, status: 0 };
    this.#todos.set(id, expected);
    for (let step = 1; this.#running; step += 1) {
      const [operation, body] =
        step % 2 ? ["todos.toggle"] : ["todos.update", { content: `${content} edit${step / 2}` }];
      const todo = await this.call(operation, { path: { todo_id: id }, ...(body && { body }) });
      if (body) expected.content = body.content;
      else expected.status = 1 - expected.status;
      if (todo.content !== expected.content || todo.status !== expected.status) {
        this.wrong(`${operation} answered ${JSON.stringify(todo)}, not ${JSON.stringify(expected)}`);
        Object.assign(expected, { content: todo.content, status: todo.status });
      }
      this.tell({ type: "todo", id, prefix: content, steps: step });
    }
  }

  /** A message that was growing when the sidecar ended has failed, with all that was acknowledged; then comes another. */
  async #writeMessages(/** @type {number} */ worker) {
    const { id: conversation_id } = await this.call("conversations.create", {
      body: { page_name: `${this.name} writer${worker}` },
    });
    while (this.#running) {
      const { id } = await this.call("messages.create_streaming", { path: { conversation_id }, body: {} });
      this.tell({ type: "message", id, chunks: 0 });
      await this.#grow(id);
    }
  }

  async #grow(/** @type {number} */ message_id) {
    const path = { message_id };
    for (let chunk = 0; chunk < CHUNKS && this.#running; chunk += 1) {
      const body = { content_chunk: `${chunk} ` };
      const appended = await this.call("messages.append", { path, body }, { expected: "conflict" });
      if (!appended) return this.#hasFailed(message_id);
      if (appended.next_sequence !== chunk + 1)
        this.wrong(`message ${message_id}: ${JSON.stringify(appended)}`);
      this.tell({ type: "message", id: message_id, chunks: chunk + 1 });
    }
    const finished = await this.call("messages.finish", { path, body: {} }, { expected: "conflict" });
    if (!finished) return this.#hasFailed(message_id);
    this.tell({ type: "finished", id: message_id });
  }

  async #hasFailed(/** @type {number} */ message_id) {
    const { status } = await this.call("messages.get", { path: { message_id } });
    if (status !== "failed") this.wrong(`message ${message_id} refused a chunk, and is ${status}`);
  }

  async #read() {
    while (this.#running) {
      const newest = this.#tips.at(-1)?.id ?? 0;
      const { items } = await this.call("tips.list", { query: { limit: 10 } });
      if (newest > 0 && !(items[0]?.id >= newest)) {
        this.wrong(`tips.list begins with ${items[0]?.id}, after ${newest} was acknowledged`);
      }
      for (const id of this.#todos.keys()) await this.call("todos.get", { path: { todo_id: id } });
    }
  }

  async #search() {
    while (this.#running) {
      const tip = this.#tips[Math.floor(this.random() * this.#tips.length)];
      if (!tip) await delay(10);
      else {
        const { items, complete } = await this.call("search.query", {
          query: { q: `"${tip.content}"`, limit: 5 },
        });
        const found = items.some((/** @type {{ id: string }} */ { id }) => id === `tip:${tip.id}`);
        if (complete && !found) this.wrong(`'${tip.content}' is not found`);
      }
    }
  }
}

/** A subscriber's copy: read anew at every reset, brought up to date by every event, one after the other. */
class Copy {
  /** @type {Promise<void>} */
  #work = Promise.resolve();

  /** @param {Load} load @param {string} topic */
  constructor(load, topic) {
    this.load = load;
    this.topic = topic;
    this.unsubscribe = load.sidecar.events.subscribe([topic], (notice) => {
      const update = notice.kind === "reset" ? () => this.readAll() : () => this.readOne(Number(notice.id));
      this.#work = this.#work.then(update);
      this.#work.catch(() => undefined); // the call has told
    });
  }

  /** Waits until the copy is as it has to be, and ends. @param {() => boolean} isRight */
  async endWhen(isRight) {
    const deadline = performance.now() + AGREE_WITHIN_MS;
    while (!isRight() && performance.now() < deadline) await delay(10);
    this.unsubscribe();
    await this.#work;
    if (!isRight()) this.load.wrong(`a subscriber to ${this.topic} ended with another copy`);
  }
}

class TipsCopy extends Copy {
  /** @type {Set<number>} */
  #ids = new Set();
  #readTo = 0;

  constructor(/** @type {Load} */ load) {
    super(load, "tips");
  }

  async readAll() {
    let query = { limit: PAGE };
    for (;;) {
      const { items, next_cursor } = await this.load.call("tips.list", { query });
      for (const { id } of items) this.#ids.add(id);
      if (!next_cursor || items.at(-1).id <= this.#readTo) break;
      query = { ...query, cursor: next_cursor };
    }
    this.#readTo = Math.max(0, ...this.#ids);
  }

  async readOne(/** @type {number} */ id) {
    this.#ids.add(id);
    this.#readTo = Math.max(this.#readTo, id);
  }

  async agree(/** @type {Set<number>} */ ids) {
    await this.endWhen(() => [...ids].every((id) => this.#ids.has(id)));
  }
}

class TodosCopy extends Copy {
  /** @type {Map<number, { content: string, status: number }>} */
  #todos = new Map();

  constructor(/** @type {Load} */ load) {
    super(load, "todos");
  }

  async readAll() {
    const { items } = await this.load.call("todos.list", { query: { limit: PAGE } });
    this.#todos = new Map(items.map((/** @type {{ id: number }} */ todo) => [todo.id, todo]));
  }

  async readOne(/** @type {number} */ id) {
    this.#todos.set(id, await this.load.call("todos.get", { path: { todo_id: id } }));
  }

  async agree(/** @type {Map<number, { content: string, status: number }>} */ todos) {
    await this.endWhen(() =>
      [...todos].every(([id, { content, status }]) => {
        const copy = this.#todos.get(id);
        return copy?.content === content && copy.status === status;
      }),
    );
  }
}
