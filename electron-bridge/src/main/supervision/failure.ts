// The causes for which a sidecar is lost, each with its code and a sentence for a person; as the status has them, and as
// errors.

import { SidecarError } from "../../shared/errors.js";
import type { Failure } from "../../shared/status.js";
import type { Exit } from "../child/child.js";
import type { Policy } from "./policy.js";

export type Cause = Pick<Failure, "code" | "message">;

/** The cause that an exit shows; the sidecar itself, or the program that killed it, may know better. */
export function ended({ code, signal, refusal }: Exit): Cause {
  if (refusal) return { code: refusal.code, message: refusal.message };
  const how = signal === null ? `with exit code ${code}` : `by signal ${signal}`;
  return { code: "sidecar_exited", message: `The sidecar ended ${how}.` };
}

export function startSilent({ startSilenceMs }: Policy): Cause {
  const message = `The sidecar said nothing for ${seconds(startSilenceMs)} while it was starting.`;
  return { code: "start_timeout", message };
}

export function startOverdue({ startTotalMs }: Policy): Cause {
  const message = `The sidecar did not become ready within ${seconds(startTotalMs)}.`;
  return { code: "start_timeout", message };
}

export function unresponsive(misses: number): Cause {
  return { code: "sidecar_unresponsive", message: `The sidecar missed ${misses} health checks in a row.` };
}

export function crashLoop({ breakerCrashes, breakerWindowMs }: Policy, last: Cause): Cause {
  const often = `The sidecar failed ${breakerCrashes} times within ${seconds(breakerWindowMs)}.`;
  return { code: "crash_loop", message: `${often} ${last.message}` };
}

/** The failure as the status has it: an immutable snapshot. */
export function failureOf(
  { code, message }: Cause,
  logTail: readonly string[],
  exit?: Exit,
  stacks: readonly string[] = [],
): Failure {
  return Object.freeze({
    code,
    message,
    exitCode: exit?.code ?? null,
    signal: exit?.signal ?? null,
    logTail: Object.freeze([...logTail]),
    stacks: Object.freeze([...stacks]),
  });
}

/** The error with which calls and start() reject after a failure; its cause holds the last log lines and the stacks. */
export function failureError({ code, message, logTail, stacks }: Failure): SidecarError {
  const parts = [
    ...(logTail.length > 0 ? ["The sidecar's last log lines:", ...logTail] : []),
    ...(stacks.length > 0 ? ["What its threads were doing:", ...stacks] : []),
  ];
  return new SidecarError(code, message, parts.length > 0 ? { cause: new Error(parts.join("\n")) } : {});
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
