// Whether a sidecar and this bridge belong together. Both packages are released together, with one version.

import { version as bridgeVersion } from "../../../package.json";

/** The version of the HTTP API that the generated types and the operation table are of. */
export const API_VERSION = 1;

export const BRIDGE_VERSION: string = bridgeVersion;

/** What a sidecar says of itself. */
export interface Version {
  readonly version: string;
  /** Undefined where only its version was asked for. */
  readonly apiVersion?: number;
}

/** How a sidecar differs from the bridge: by the API, which cannot work, or by the release. */
export interface Mismatch {
  readonly code: "api_version_mismatch" | "version_mismatch";
  readonly isOlder: boolean;
}

/** How the sidecar differs from the bridge; undefined if they belong together. */
export function mismatchOf(
  sidecar: Version,
  bridge: Required<Version> = { version: BRIDGE_VERSION, apiVersion: API_VERSION },
): Mismatch | undefined {
  const { version, apiVersion = bridge.apiVersion } = sidecar;
  if (apiVersion !== bridge.apiVersion) {
    return { code: "api_version_mismatch", isOlder: apiVersion < bridge.apiVersion };
  }
  const [sidecars, bridges] = [parts(version), parts(bridge.version)];
  if (sidecars.join(".") === bridges.join(".")) return undefined;
  return { code: "version_mismatch", isOlder: compare(sidecars, bridges) < 0 };
}

/** The parts of a version, whether it is written for npm (`1.0.0-rc.1`) or for PyPI (`1.0.0rc1`). */
function parts(version: string): readonly string[] {
  const short: Readonly<Record<string, string>> = { alpha: "a", beta: "b" };
  return (version.toLowerCase().match(/\d+|[a-z]+/g) ?? []).map((part) => short[part] ?? part);
}

/** Negative if the first is older. A pre-release, which continues with a letter, comes before its release. */
function compare([one = "~", ...ones]: readonly string[], [two = "~", ...twos]: readonly string[]): number {
  if (one === "~" && two === "~") return 0;
  if (one === two) return compare(ones, twos);
  if (/^\d/.test(one) && /^\d/.test(two)) return Number(one) - Number(two);
  return one < two ? -1 : 1;
}
