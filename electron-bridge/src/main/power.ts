// The sleep of the machine, as Electron tells of it.

import type { Sidecar } from "./sidecar.js";

/** The part of Electron's `powerMonitor` that is used. */
export interface PowerMonitorLike {
  on(event: "suspend", listener: () => void): unknown;
  // eslint-disable-next-line @typescript-eslint/unified-signatures -- Electron's own has one signature for each
  on(event: "resume", listener: () => void): unknown;
  removeListener(event: string, listener: () => void): unknown;
}

/** Has the sidecar know when the machine sleeps, until the function is called that is returned. */
export function watchPower(
  sidecar: Pick<Sidecar, "suspend" | "resume">,
  powerMonitor: PowerMonitorLike,
): () => void {
  const suspend = (): void => sidecar.suspend();
  const resume = (): void => sidecar.resume();
  powerMonitor.on("suspend", suspend);
  powerMonitor.on("resume", resume);
  return () => {
    powerMonitor.removeListener("suspend", suspend);
    powerMonitor.removeListener("resume", resume);
    sidecar.resume();
  };
}
