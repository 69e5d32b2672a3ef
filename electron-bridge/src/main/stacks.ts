// The stacks that a sidecar writes to its log when it is asked for them: the lines between two markers. Pure text handling.

const BEGIN = "--- stacks of all threads ---";
const END = "--- end of stacks ---";
/** More than any sidecar has; a marker that is never followed by its other must not swallow the log. */
const MAX_LINES = 2_000;

/** Tells the lines of the log from those of stacks. */
export class StacksReader {
  #stacks: string[] | undefined;

  constructor(
    private readonly onLog: (line: string) => void,
    private readonly onStacks: (stacks: readonly string[]) => void,
  ) {}

  push(line: string): void {
    if (line === BEGIN) this.#stacks = [];
    else if (line === END) this.end();
    else if (!this.#stacks) this.onLog(line);
    else if (this.#stacks.push(line) >= MAX_LINES) this.end();
  }

  /** Nothing follows: what there is of the stacks is all. */
  end(): void {
    if (this.#stacks) this.onStacks(this.#stacks);
    this.#stacks = undefined;
  }
}
