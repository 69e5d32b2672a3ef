// The shape of a command of `electron-sidecar`. Each has a file of its own; index.ts lists them.

export interface Command {
  /** One line for the list of the commands. */
  readonly summary: string;
  /** The text of `--help`, with examples. */
  readonly usage: string;
  /**
   * Runs it with the arguments after its name; returns its exit code.
   *
   * @throws CommandError
   */
  readonly run: (args: readonly string[]) => number | Promise<number>;
}
