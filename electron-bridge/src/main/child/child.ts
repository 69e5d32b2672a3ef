// A launched sidecar as the supervisor sees it: its commands and its events. Knows no processes.

import type { StatusLine } from "./output.js";

/** The commands to a sidecar. Each may be called when the process is gone already. */
export interface Child {
  /** Ask it, over the control pipe, to stop. */
  shutdown(): void;
  /** Ask it, over the control pipe, what its threads are doing. One that is stuck for good does not answer. */
  askForStacks(): void;
  /** Ask its process group, by signal, to stop. */
  terminate(): void;
  /** End its process tree. */
  kill(): void;
}

/** `exited` and then `gone` come once each; none of them while it is being launched. */
export interface ChildEvents {
  line(line: StatusLine): void;
  /** The stacks that it was asked for, or as much of them as it wrote before it ended. */
  stacks(stacks: readonly string[]): void;
  /** The process has ended; others of its tree may live, and its last lines may be on their way. */
  exited(exit: Exit): void;
  /** Nothing of its process tree is left, and its output was read. */
  gone(exit: Exit): void;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Set if the system did not run the program: its error. */
  readonly spawnError?: { readonly errno: string; readonly message: string };
  /** Set if no program was found that is a sidecar for this bridge. `isPermanent`: trying again would not help. */
  readonly refusal?: Refusal & { readonly isPermanent: boolean };
}

/** Why something is not run, for a program and for a person. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}
