// Cutting a stream of text into lines, in bounded memory whatever arrives.

/** Characters of a line that are kept; more than any status line or sensible log line has. */
const MAX_LINE_LENGTH = 8_192;

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

  /** The line is complete, be it that the stream is. */
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
