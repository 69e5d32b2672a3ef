// The record of what hosts were told was done, kept apart from the store, and its comparison with the store.

import { expect } from "vitest";
import type { Sidecar } from "../../dist/main.mjs";

/** What a host tells of itself. */
export type Line = { readonly type: string } & Readonly<Record<string, unknown>>;

interface Row {
  readonly id: number;
  readonly content: string;
}

export class Acknowledged {
  readonly #tips = new Map<number, string>();
  readonly #todos = new Map<number, { prefix: string; steps: number }>();
  readonly #messages = new Map<number, { chunks: number; finished: boolean }>();
  readonly #problems: string[] = [];
  #writes = 0;

  /** How many writes were acknowledged. */
  get writes(): number {
    return this.#writes;
  }

  /** Calls that failed, and answers that were not what they had to be. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  take(line: Line): void {
    this.#writes += 1;
    const id = Number(line["id"]);
    if (line.type === "tip") this.#tips.set(id, String(line["content"]));
    else if (line.type === "todo") {
      this.#todos.set(id, { prefix: String(line["prefix"]), steps: Number(line["steps"]) });
    } else if (line.type === "message") {
      this.#messages.set(id, { chunks: Number(line["chunks"]), finished: false });
    } else if (line.type === "finished") {
      const message = this.#messages.get(id);
      if (message) message.finished = true;
    } else {
      this.#writes -= 1;
      this.#problems.push(JSON.stringify(line));
    }
  }

  /**
   * Every write is in the store, and none twice. `exact`: nobody was killed who could have written without hearing of
   * it; else each writer may have done one thing more.
   */
  async compare(sidecar: Sidecar, { exact }: { exact: boolean }): Promise<void> {
    expect(this.#problems).toEqual([]);
    expect(this.#writes).toBeGreaterThan(0);
    await this.#compareTips(sidecar, exact);
    await this.#compareTodos(sidecar, exact);
    await this.#compareMessages(sidecar, exact);
    const pages = await all<{ page_name: string }>(sidecar, "conversations.list");
    expect(repeated(pages.map(({ page_name }) => page_name))).toEqual([]);
  }

  async #compareTips(sidecar: Sidecar, exact: boolean): Promise<void> {
    const tips = await all<Row>(sidecar, "tips.list");
    const stored = new Map(tips.map(({ id, content }) => [id, content]));
    expect([...this.#tips].filter(([id, content]) => stored.get(id) !== content)).toEqual([]);
    expect(repeated(tips.map(({ content }) => content))).toEqual([]);
    if (exact) expect(stored.size).toBe(this.#tips.size);
  }

  async #compareTodos(sidecar: Sidecar, exact: boolean): Promise<void> {
    const todos = await all<Row & { status: number }>(sidecar, "todos.list");
    const stored = new Map(todos.map((todo) => [todo.id, todo]));
    expect(repeated(todos.map(({ content }) => content.replace(/ edit\d+$/, "")))).toEqual([]);
    for (const [id, { prefix, steps }] of this.#todos) {
      const now = stored.get(id);
      const possible = (exact ? [steps] : [steps, steps + 1]).map((count) => ({
        content: `${prefix} edit${Math.floor(count / 2)}`,
        status: Math.ceil(count / 2) % 2,
      }));
      expect(possible).toContainEqual({ content: now?.content, status: now?.status });
    }
  }

  async #compareMessages(sidecar: Sidecar, exact: boolean): Promise<void> {
    for (const [message_id, { chunks, finished }] of this.#messages) {
      const { content, status } = await sidecar.call("messages.get", { path: { message_id } });
      const possible = (exact ? [chunks] : [chunks, chunks + 1]).map((count) =>
        Array.from({ length: count }, (_, number) => `${number} `).join(""),
      );
      expect(possible).toContain(content);
      if (finished) expect(status).toBe("completed");
    }
  }
}

/** Every row of a list, page by page. */
async function all<Item>(
  sidecar: Sidecar,
  operation: "tips.list" | "todos.list" | "conversations.list",
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const query: { limit: number; cursor?: string } = { limit: 1_000, ...(cursor !== null && { cursor }) };
    const page = await sidecar.call(operation, { query });
    items.push(...(page.items as Item[]));
    cursor = page.next_cursor ?? null;
  } while (cursor !== null);
  return items;
}

function repeated(values: readonly string[]): string[] {
  const seen = new Set<string>();
  return values.filter((value) => seen.size === seen.add(value).size);
}
