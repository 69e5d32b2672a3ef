// The output of a sidecar: its pipes cut into lines, the status lines of its standard output, and the stacks that it
// writes to its log. Pure text handling.

import type { Ready, Stage, Warning } from "../../shared/status.js";

/** Characters of a line that are kept; more than any status line or sensible log line has. */
const MAX_LINE_LENGTH = 8_192;

/** Cuts a stream of text into lines, in bounded memory whatever arrives. Empty lines are left out. */
export class LineSplitter {
  #line = "";
  /** Inside a line whose kept part has been handed over already. */
  #skipping = false;

  constructor(private readonly onLine: (line: string) => void) {}

  push(text: string): void {
    const pieces = text.split("\n");
    const rest = pieces.pop() ?? "";
    for (const piece of pieces) {
      this.#append(piece);
      this.end();
    }
    this.#append(rest);
  }

  /** Ends the line, because a line ending came or the stream ended. */
  end(): void {
    const line = this.#line.replace(/\r$/, "");
    if (line !== "") this.onLine(line);
    this.#line = "";
    this.#skipping = false;
  }

  #append(piece: string): void {
    if (this.#skipping) return;
    this.#line += piece.slice(0, MAX_LINE_LENGTH - this.#line.length + 1);
    if (this.#line.length <= MAX_LINE_LENGTH) return;
    this.onLine(`${this.#line.slice(0, MAX_LINE_LENGTH)}… (cut)`);
    this.#line = "";
    this.#skipping = true;
  }
}

export type StatusLine =
  | { readonly event: "bound"; readonly version: { readonly version: string; readonly apiVersion: number } }
  | ({ readonly event: "stage" } & Stage)
  | { readonly event: "ready"; readonly ready: Ready }
  | ({ readonly event: "warning" } & Warning)
  | { readonly event: "failed"; readonly code: string; readonly message: string }
  | { readonly event: "stopping"; readonly reason: string };

/** The text as a status line, undefined if it is none. Unknown fields are ignored. */
export function parseStatusLine(text: string): StatusLine | undefined {
  const line = parseObject(text);
  if (!line) return undefined;
  const { event, stage, detail, code, message, reason } = line;
  if (event === "bound") return parseBound(line);
  if (event === "ready") return parseReady(line);
  if (event === "stage" && typeof stage === "string") {
    return { event, stage, detail: typeof detail === "string" ? detail : null };
  }
  if (event === "failed" || event === "warning") {
    return typeof code === "string" && typeof message === "string" ? { event, code, message } : undefined;
  }
  if (event === "stopping" && typeof reason === "string") return { event, reason };
  return undefined;
}

function parseBound({ version, api_version: apiVersion }: Record<string, unknown>): StatusLine | undefined {
  if (typeof version !== "string" || typeof apiVersion !== "number") return undefined;
  return { event: "bound", version: { version, apiVersion } };
}

function parseReady(line: Record<string, unknown>): StatusLine | undefined {
  const { port, pid, instance, version, api_version: apiVersion, schema_version: schemaVersion } = line;
  if (!isPort(port) || typeof pid !== "number") return undefined;
  if (typeof instance !== "string" || typeof version !== "string") return undefined;
  if (typeof apiVersion !== "number" || typeof schemaVersion !== "number") return undefined;
  return {
    event: "ready",
    ready: Object.freeze({ port, pid, instance, version, apiVersion, schemaVersion }),
  };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) < 65_536;
}

const STACKS_BEGIN = "--- stacks of all threads ---";
const STACKS_END = "--- end of stacks ---";
/** More than any sidecar has: a marker that is never followed by its other must not swallow the log. */
const MAX_STACK_LINES = 2_000;

/** Separates the stacks, which are the lines between two markers, from the lines of the log. */
export class StacksReader {
  #stacks: string[] | undefined;

  constructor(
    private readonly onLog: (line: string) => void,
    private readonly onStacks: (stacks: readonly string[]) => void,
  ) {}

  push(line: string): void {
    if (line === STACKS_BEGIN) this.#stacks = [];
    else if (line === STACKS_END) this.end();
    else if (!this.#stacks) this.onLog(line);
    else if (this.#stacks.push(line) >= MAX_STACK_LINES) this.end();
  }

  /** Ends the stacks, because their end marker or the end of the log came. */
  end(): void {
    if (this.#stacks) this.onStacks(this.#stacks);
    this.#stacks = undefined;
  }
}
