// One connection to the sidecar's live events: sends the request, parses the answer, ends when it falls silent.

import { type ClientRequest, request as httpRequest } from "node:http";
import { systemClock, Timers } from "../supervision/clock.js";
import { noticeConnection } from "../child/event-loop.js";
import { LOOPBACK } from "../calls/http-client.js";

/** One server-sent event. */
export interface ServerEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Parses a stream of server-sent events, wherever its chunks are cut. */
export class EventParser {
  #rest = "";
  #fields = new Map<string, string>();

  /** `lastId` is the id of the latest event, or of a heartbeat that carries one; at first, of the stream before. */
  constructor(public lastId?: string) {}

  /** The events that are complete now. */
  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = text.split("\n");
    lines[0] = this.#rest + (lines[0] ?? "");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#take(line.replace(/\r$/, ""), events);
    return events;
  }

  #take(line: string, events: ServerEvent[]): void {
    if (line !== "") {
      const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      const data = this.#fields.get("data");
      this.#fields.set(name, name === "data" && data !== undefined ? `${data}\n${value}` : value);
      return;
    }
    this.lastId = this.#fields.get("id") ?? this.lastId;
    const data = this.#fields.get("data");
    if (data !== undefined) events.push({ name: this.#fields.get("event") ?? "", data: objectOf(data) });
    this.#fields = new Map();
  }
}

export interface EventStreamOptions {
  readonly port: number;
  readonly token: string;
  /** The id to continue after; undefined begins with the events from now on. */
  readonly lastId: string | undefined;
  /** Without a byte for this long, in milliseconds, the connection counts as lost. */
  readonly silenceMs: number;
  /** Called with all events that came in one piece, and the id to continue after. */
  readonly onEvents: (events: readonly ServerEvent[], lastId: string | undefined) => void;
  /** Called once when the connection has ended, unless `close` ended it. */
  readonly onEnd: () => void;
}

export class EventStream {
  readonly #request: ClientRequest;
  readonly #timers = new Timers<"silence">(systemClock);
  #isOpen = true;

  constructor(private readonly options: EventStreamOptions) {
    const { port, token, lastId } = options;
    const headers: Record<string, string> = { accept: "text/event-stream", authorization: `Bearer ${token}` };
    if (lastId !== undefined) headers["last-event-id"] = lastId;
    // A connection of its own: one that never ends must not take a place from calls.
    this.#request = httpRequest({ host: LOOPBACK, port, path: "/events", headers, agent: false });
    noticeConnection(this.#request);
    this.#request.on("response", (answer) => {
      if (answer.statusCode !== 200) return this.#end();
      const parser = new EventParser(lastId);
      answer.setEncoding("utf8");
      answer.on("data", (text: string) => {
        if (!this.#isOpen) return;
        this.#watch();
        const events = parser.push(text);
        options.onEvents(events, parser.lastId);
      });
      answer.on("error", () => this.#end());
      answer.on("end", () => this.#end());
    });
    this.#request.on("error", () => this.#end());
    this.#request.on("close", () => this.#end());
    this.#request.end();
    this.#watch();
  }

  close(): void {
    this.#isOpen = false;
    this.#timers.clearAll();
    this.#request.destroy();
  }

  #watch(): void {
    this.#timers.set("silence", this.options.silenceMs, () => this.#end());
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.close();
    this.options.onEnd();
  }
}

/** The JSON object in a text; an empty one if there is none. */
function objectOf(text: string): Record<string, unknown> {
  try {
    return { ...(JSON.parse(text) as object) };
  } catch {
    return {};
  }
}
