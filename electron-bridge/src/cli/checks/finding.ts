// What a check of `doctor` comes to.

export interface Finding {
  /** `note`: nothing is wrong, but something will be missed later. */
  readonly status: "ok" | "note" | "problem";
  /** What was looked at and how it is. */
  readonly message: string;
  /** What to do, unless it is ok. */
  readonly advice?: string;
}

export function ok(message: string): Finding {
  return { status: "ok", message };
}

export function note(message: string, advice: string): Finding {
  return { status: "note", message, advice };
}

export function problem(message: string, advice: string): Finding {
  return { status: "problem", message, advice };
}
