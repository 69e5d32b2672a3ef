// The health check by which the supervisor watches a sidecar.

import type { Ready } from "../shared/status.js";
import type { Clock } from "./clock.js";
import { HttpClient } from "./http-client.js";
import { buildRequest } from "./http-request.js";

/**
 * Whether the sidecar answers `GET /health/live` in time, and is the very instance that said `ready`: another process
 * that has taken its port answers too. Never rejects. A connection of its own, so that no queue of calls delays it.
 */
export async function isAlive(ready: Ready, timeoutMs: number, clock: Clock): Promise<boolean> {
  const client = new HttpClient(ready.port);
  const controller = new AbortController();
  const stopTimer = clock.after(timeoutMs, () => controller.abort());
  try {
    const answer = await client.send(buildRequest("health.live"), controller.signal);
    return (answer as { instance?: unknown } | null | undefined)?.instance === ready.instance;
  } catch {
    return false;
  } finally {
    stopTimer();
    client.close();
  }
}
