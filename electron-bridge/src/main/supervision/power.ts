// The sleep of the machine, as Electron reports it.

import type { PowerMonitorLike } from "../electron-types.js";

/** An object that stands still while the machine sleeps: a Sidecar. */
export interface Sleeper {
  suspend(): void;
  resume(): void;
}

/** Suspends the sidecar while the machine sleeps. Returns a function that ends this. */
export function watchPower(sidecar: Sleeper, powerMonitor: PowerMonitorLike): () => void {
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
