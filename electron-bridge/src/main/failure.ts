// That a sidecar was lost: as its status tells it, and as an error.

import { SidecarError } from "../shared/errors.js";
import type { Failure } from "../shared/status.js";
import type { Cause } from "./causes.js";
import type { Exit } from "./child.js";

/** What the status tells of it: an immutable snapshot. */
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

/** The error with which calls and start() reject once it has failed; its cause holds the last log lines, and the stacks. */
export function failureError({ code, message, logTail, stacks }: Failure): SidecarError {
  const parts = [
    ...(logTail.length > 0 ? ["The sidecar's last log lines:", ...logTail] : []),
    ...(stacks.length > 0 ? ["What its threads were doing:", ...stacks] : []),
  ];
  return new SidecarError(code, message, parts.length > 0 ? { cause: new Error(parts.join("\n")) } : {});
}
