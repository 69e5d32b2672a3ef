// Why a sidecar is lost, each cause with its code and its sentence for a person.

import type { Failure, Ready } from "../shared/status.js";
import type { Exit } from "./child.js";
import type { Policy } from "./policy.js";

export type Cause = Pick<Failure, "code" | "message">;

/** What its exit says; the sidecar itself, or whoever killed it, may know better. */
export function ended({ code, signal, spawnError }: Exit): Cause {
  if (spawnError) return { code: "spawn_failed", message: spawnError.message };
  const how = signal === null ? `with exit code ${code}` : `by signal ${signal}`;
  return { code: "sidecar_exited", message: `The sidecar ended ${how}.` };
}

export function startSilent({ startSilenceMs }: Policy): Cause {
  const message = `The sidecar said nothing for ${seconds(startSilenceMs)} while it was starting.`;
  return { code: "start_timeout", message };
}

export function startOverdue({ startTotalMs }: Policy): Cause {
  return {
    code: "start_timeout",
    message: `The sidecar did not become ready within ${seconds(startTotalMs)}.`,
  };
}

export function unresponsive(misses: number): Cause {
  return { code: "sidecar_unresponsive", message: `The sidecar missed ${misses} health checks in a row.` };
}

export function otherApiVersion({ apiVersion, version }: Ready, bridgeApiVersion: number): Cause {
  const message =
    `The sidecar (version ${version}) speaks API version ${apiVersion}, the bridge speaks ${bridgeApiVersion}; ` +
    "use a bridge and a sidecar of the same version.";
  return { code: "api_version_mismatch", message };
}

export function crashLoop({ breakerCrashes, breakerWindowMs }: Policy, last: Cause): Cause {
  const often = `The sidecar failed ${breakerCrashes} times within ${seconds(breakerWindowMs)}.`;
  return { code: "crash_loop", message: `${often} ${last.message}` };
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
