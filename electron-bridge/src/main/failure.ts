// Why a sidecar was lost, and the error that tells it.

import { SidecarError } from "../shared/errors.js";
import type { Failure } from "../shared/status.js";
import type { Exit } from "./child.js";

export type Cause = Pick<Failure, "code" | "message">;

/** What its exit says; the sidecar itself, or whoever killed it, may know better. */
export function causeOf({ code, signal, spawnError }: Exit): Cause {
  if (spawnError) return { code: "spawn_failed", message: spawnError.message };
  const how = signal === null ? `with exit code ${code}` : `by signal ${signal}`;
  return { code: "sidecar_exited", message: `The sidecar ended ${how}.` };
}

/** The error with which calls and start() reject once the sidecar has failed; its cause holds the last log lines. */
export function failureError({ code, message, logTail }: Failure): SidecarError {
  if (logTail.length === 0) return new SidecarError(code, message);
  const cause = new Error(`The sidecar's last log lines:\n${logTail.join("\n")}`);
  return new SidecarError(code, message, { cause });
}
