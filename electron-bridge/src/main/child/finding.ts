// Finds the sidecar of an app and starts it.

import type { Failed } from "./advice.js";
import { launchFirst } from "./attempts.js";
import { type Candidate, placesToTry } from "./candidates.js";
import type { Child, ChildEvents, Exit, Refusal } from "./child.js";
import { askVersion, programFile } from "./inspection.js";
import { launchProcess, type ProcessSpec } from "./process.js";
import { cannotRun, endedAtOnce, noneLeft, otherVersion } from "./refusals.js";
import { surroundings } from "./surroundings.js";

/** The program that the app names; without one, it is looked for. */
export interface NamedProgram {
  readonly command?: string | undefined;
  readonly args?: readonly string[] | undefined;
}

/** Starts the sidecar that is named or found. Looks again at every start: what was missing may have been installed. */
export function launchFound(
  named: NamedProgram,
  spec: Omit<ProcessSpec, "command" | "args">,
  events: ChildEvents,
): Child {
  const around = surroundings();
  const { platform, isPackaged } = around;
  const failed = (candidate: Candidate): Failed => ({
    candidate,
    file: programFile(candidate.command),
    platform,
  });
  const explain = async (
    candidate: Candidate,
    exit: Exit,
    signal: AbortSignal,
  ): Promise<Refusal | undefined> => {
    const program = failed(candidate);
    if (exit.spawnError) return cannotRun(program, exit.spawnError);
    const answer = program.file.isForeign ? undefined : await askVersion(candidate, spec.env, signal);
    return endedAtOnce(program, exit, answer);
  };
  return launchFirst(
    placesToTry(named, around),
    {
      launch: ({ command, args }, childEvents) => launchProcess({ ...spec, command, args }, childEvents),
      refuseVersion: (candidate, version) => otherVersion(failed(candidate), version),
      explain,
      noneLeft: (tried) => noneLeft(tried, platform, isPackaged),
    },
    events,
  );
}
