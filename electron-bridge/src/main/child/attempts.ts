// Starts the first candidate that is a sidecar for this bridge. To the supervisor, all attempts together are one child.

import type { Candidate, Place } from "./candidates.js";
import type { Child, ChildEvents, Exit, Refusal } from "./child.js";
import type { StatusLine } from "./output.js";
import type { Tried } from "./refusals.js";
import type { Version } from "./versions.js";

export interface AttemptParts {
  readonly launch: (candidate: Candidate, events: ChildEvents) => Child;
  /** The refusal of a sidecar that says that it is of this version; undefined if it may run. */
  readonly refuseVersion: (candidate: Candidate, version: Version) => Refusal | undefined;
  /**
   * Resolves with the refusal of a candidate that ended before it was bound; with undefined if it is a sidecar that has
   * crashed. The signal says that nobody waits for the answer. Never rejects.
   */
  readonly explain: (candidate: Candidate, exit: Exit, signal: AbortSignal) => Promise<Refusal | undefined>;
  /** The failure when every place was refused. */
  readonly noneLeft: (tried: readonly Tried[]) => Refusal;
}

/** Errors of the moment, not of the set-up: the same program may be run the next time. */
const PASSING_SPAWN_ERRORS: readonly string[] = ["EAGAIN", "EMFILE", "ENFILE", "ENOMEM"];

/** Failures that a sidecar reports and that another candidate may not have. */
const CODES_OF_THE_PROGRAM: readonly string[] = ["python_too_old"];

/** Starts the candidates in turn, until one is bound. Its end, or the refusal of them all, is the end of the child. */
export function launchFirst(places: readonly Place[], parts: AttemptParts, events: ChildEvents): Child {
  return new Attempts(places, parts, events);
}

/** One candidate that was started. */
interface Start {
  readonly candidate: Candidate;
  /** Its end is not reported: another candidate may follow. */
  isHeldBack: boolean;
  /** The failure that it reported itself. */
  reported?: StatusLine & { readonly event: "failed" };
  refusal?: Refusal;
}

/** All attempts of one start. Until a candidate is bound, its end is held back: another one may follow. */
class Attempts implements Child {
  readonly #left: Place[];
  readonly #tried: Tried[] = [];
  readonly #explaining = new AbortController();
  #child: Child | undefined;
  #isBound = false;
  /** The supervisor wants it to end: no further candidate is started. */
  #isToEnd = false;

  constructor(
    places: readonly Place[],
    private readonly parts: AttemptParts,
    private readonly events: ChildEvents,
  ) {
    this.#left = [...places];
    this.#startNext();
  }

  shutdown(): void {
    this.#end();
    this.#child?.shutdown();
  }

  askForStacks(): void {
    this.#child?.askForStacks();
  }

  terminate(): void {
    this.#end();
    this.#child?.terminate();
  }

  kill(): void {
    this.#end();
    this.#child?.kill();
  }

  #end(): void {
    this.#isToEnd = true;
    this.#explaining.abort();
  }

  #startNext(): void {
    const place = this.#left.shift();
    if (!place) return void setImmediate(() => this.#refuseAll());
    if ("candidate" in place) return this.#start(place.candidate);
    this.#tried.push(place);
    this.#startNext();
  }

  #start(candidate: Candidate): void {
    const start: Start = { candidate, isHeldBack: false };
    const child = this.parts.launch(candidate, {
      line: (line) => this.#onLine(start, line, child),
      stacks: (stacks) => this.events.stacks(stacks),
      exited: (exit) => {
        start.isHeldBack = !this.#isBound && !this.#isToEnd;
        if (!start.isHeldBack) this.events.exited(exit);
      },
      gone: (exit) => {
        if (start.isHeldBack) void this.#onEndedEarly(start, exit);
        else this.events.gone(exit);
      },
    });
    this.#child = child;
  }

  #onLine(start: Start, line: StatusLine, child: Child): void {
    if (this.#isBound) return this.events.line(line);
    if (start.refusal) return;
    if (line.event === "failed") {
      start.reported = line;
      return;
    }
    const version = versionIn(line);
    const refusal = version && this.parts.refuseVersion(start.candidate, version);
    if (refusal) {
      start.refusal = refusal;
      return child.kill();
    }
    this.#isBound = version !== undefined;
    this.events.line(line);
  }

  /** Continues with the next candidate, or ends if this was a sidecar that has crashed. */
  async #onEndedEarly(start: Start, exit: Exit): Promise<void> {
    const refusal = await this.#refusalOf(start, exit);
    if (this.#isToEnd || !refusal) {
      if (start.reported) this.events.line(start.reported);
      this.#finish(exit);
      return;
    }
    if (refusal.isPassing) {
      this.#finish({ ...exit, refusal: { ...refusal, isPermanent: false } });
      return;
    }
    this.#tried.push({ candidate: start.candidate, refusal });
    if (this.#left.some((place) => "candidate" in place)) this.#startNext();
    else this.#refuseAll(exit);
  }

  async #refusalOf(
    { candidate, refusal, reported }: Start,
    exit: Exit,
  ): Promise<(Refusal & { readonly isPassing?: true }) | undefined> {
    if (refusal || this.#isToEnd) return refusal;
    const { spawnError } = exit;
    if (spawnError && PASSING_SPAWN_ERRORS.includes(spawnError.errno)) {
      const message = `The program ${candidate.command} cannot be run now: ${spawnError.message}.`;
      return { code: "spawn_failed", message, isPassing: true };
    }
    if (!reported) return this.parts.explain(candidate, exit, this.#explaining.signal);
    return CODES_OF_THE_PROGRAM.includes(reported.code) ? reported : undefined;
  }

  #refuseAll(exit: Exit = { code: null, signal: null }): void {
    const refusal = this.parts.noneLeft([...this.#tried, ...this.#left]);
    this.#finish(this.#isToEnd ? exit : { ...exit, refusal: { ...refusal, isPermanent: true } });
  }

  #finish(exit: Exit): void {
    this.events.exited(exit);
    this.events.gone(exit);
  }
}

/** The version that a sidecar says it is of. */
function versionIn(line: StatusLine): Version | undefined {
  if (line.event === "bound") return line.version;
  return line.event === "ready" ? line.ready : undefined;
}
