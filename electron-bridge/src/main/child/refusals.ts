// Why a candidate is refused, each as a code and a sentence for the person who can correct it. Pure.

import { explainEnd, explainSpawnError, OTHER_MACHINE, type Platform, shellWord } from "../platform.js";
import {
  adviseInstall,
  adviseMissing,
  adviseNewEnvironment,
  adviseNewerBridge,
  adviseNothingFound,
  type Failed,
} from "./advice.js";
import { type Candidate, COMMAND_VARIABLE, type Place } from "./candidates.js";
import type { Refusal } from "./child.js";
import { API_VERSION, BRIDGE_VERSION, mismatchOf, type Version } from "./versions.js";

/** The Python that the package needs. */
const LEAST_PYTHON = [3, 11] as const;
const LONGEST_QUOTE = 80;
/** What an environment says whose Python was moved or removed: on Windows its launcher, elsewhere Python itself. */
const LOST_PYTHON = /No Python at |did not find executable at |No module named 'encodings'/;

/** The answer of a program to `--version`. */
export interface VersionAnswer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The refusal of a program that the system does not run. */
export function cannotRun(
  failed: Failed,
  error: { readonly errno: string; readonly message: string },
): Refusal {
  const { reason, advice } = whyNotRun(failed, error);
  const message = `${subjectOf(failed.candidate)} cannot be run: it ${reason}; ${advice}.`;
  return { code: "spawn_failed", message };
}

function whyNotRun(
  failed: Failed,
  { errno, message }: { readonly errno: string; readonly message: string },
): { readonly reason: string; readonly advice: string } {
  const { candidate, file, platform } = failed;
  const { target = "a file", interpreter } = file;
  if (file.kind === "missing") return { reason: "does not exist", advice: adviseMissing(failed) };
  if (file.kind === "folder") return { reason: "is a folder", advice: "name the program in it" };
  if (file.kind === "broken link") {
    const reason = `is a link to ${target}, which does not exist, because that Python was moved or removed`;
    return { reason, advice: adviseNewEnvironment(failed) };
  }
  if (file.kind === "unknown" && errno === "ENOENT") {
    return {
      reason: "is not on PATH",
      advice: "leave `command` out to have the sidecar found, or give its absolute path",
    };
  }
  if (interpreter?.exists === false) {
    const reason = `begins with the name of ${interpreter.path}, which does not exist, because the environment was moved or its Python removed`;
    return { reason, advice: adviseNewEnvironment(failed) };
  }
  // The program exists, but the loader that it names does not.
  if (file.isForeign || errno === "ENOENT") return OTHER_MACHINE;
  const explained = explainSpawnError(errno, message, platform);
  if (explained) return explained;
  if (errno === "EACCES") {
    const advice = `run \`chmod +x ${shellWord(candidate.command, platform)}\`, and see that the app's archive or installer keeps permissions`;
    return { reason: "is not executable", advice };
  }
  return {
    reason: `is refused by the system (${message})`,
    advice: "see that its path is right and that it is a program",
  };
}

/**
 * The refusal of a program that ended before it said anything, by its answer to `--version`. Undefined if it is a sidecar
 * of this version, which has crashed, or if the answer explains nothing: then it may start the next time.
 */
export function endedAtOnce(
  failed: Failed,
  { code, signal }: { readonly code: number | null; readonly signal: string | null },
  answer: VersionAnswer | undefined,
): Refusal | undefined {
  const subject = subjectOf(failed.candidate);
  const explained = failed.file.isForeign ? OTHER_MACHINE : explainEnd(code, signal, failed.platform);
  if (explained) {
    return { code: "spawn_failed", message: `${subject} ${explained.reason}; ${explained.advice}.` };
  }
  if (answer === undefined) return undefined;
  const version = /^sidecar (\S+)\s*$/.exec(answer.stdout)?.[1];
  if (answer.code === 0 && version !== undefined) return otherVersion(failed, { version });
  if (LOST_PYTHON.test(answer.stderr)) {
    const message = `${subject} has lost the Python that it was made from; ${adviseNewEnvironment(failed)}.`;
    return { code: "spawn_failed", message };
  }
  const lacking = /No module named '?([\w.]+)/.exec(answer.stderr)?.[1];
  if (lacking === "sidecar") return withoutPackage(failed);
  if (lacking !== undefined) {
    const message = `${subject} cannot import ${lacking}, so its packages are incomplete or are for another Python; ${adviseInstall(failed)}.`;
    return { code: "sidecar_not_found", message };
  }
  if (answer.code !== 0) return undefined;
  const said = (answer.stdout.trim().split("\n")[0] ?? "").slice(0, LONGEST_QUOTE);
  const message = `${subject} is no sidecar: asked for its --version, it says '${said}' and not 'sidecar ${BRIDGE_VERSION}'; ${adviseMissing(failed)}.`;
  return { code: "sidecar_not_found", message };
}

function withoutPackage(failed: Failed): Refusal {
  const subject = subjectOf(failed.candidate);
  const version = failed.file.venv?.pythonVersion;
  if (version !== undefined && isTooOld(version)) {
    const needed = `electron-sidecar needs Python ${LEAST_PYTHON.join(".")} or newer`;
    const message = `${subject} is Python ${version}, and ${needed}; ${adviseNewEnvironment(failed)}, both with a newer Python.`;
    return { code: "python_too_old", message };
  }
  const message = `${subject} has no package electron-sidecar; ${adviseInstall(failed)}.`;
  return { code: "sidecar_not_found", message };
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < LEAST_PYTHON[0] || (major === LEAST_PYTHON[0] && minor < LEAST_PYTHON[1]);
}

/** The refusal of a sidecar whose version is not the bridge's; undefined if it is. */
export function otherVersion(failed: Failed, said: Version): Refusal | undefined {
  const mismatch = mismatchOf(said);
  if (!mismatch) return undefined;
  const { code, isOlder } = mismatch;
  const apis =
    said.apiVersion === API_VERSION ? "" : ` (API ${said.apiVersion ?? "unknown"} and ${API_VERSION})`;
  const versions = `version ${said.version}, ${isOlder ? "older" : "newer"} than the npm package electron-sidecar ${BRIDGE_VERSION}${apis}`;
  const advice = isOlder ? adviseInstall(failed) : adviseNewerBridge(failed, said.version);
  const message = `${subjectOf(failed.candidate)} is ${versions}, and both must be of one version; ${advice}.`;
  return { code, message };
}

/** A place with the refusal of its candidate. */
export type Tried = Place & { readonly refusal?: Refusal };

/** The failure when no place is left: what was tried, why each was refused, and what to do. */
export function noneLeft(tried: readonly Tried[], platform: Platform, isPackaged: boolean): Refusal {
  const refusals = tried.flatMap(({ refusal }) => (refusal ? [refusal] : []));
  const [refusal] = refusals;
  if (refusal && tried.length === 1) return refusal;
  const lines = tried.map(
    (place) => `- ${"nothing" in place ? place.nothing : (place.refusal?.message ?? "")}`,
  );
  const advice = refusal ? [] : [`No sidecar was found; ${adviseNothingFound(platform, isPackaged)}.`];
  return {
    code: refusals.length === 1 && refusal ? refusal.code : "sidecar_not_found",
    message: ["No sidecar can be started. What was tried:", ...lines, ...advice].join("\n"),
  };
}

function subjectOf({ command, origin }: Candidate): string {
  return origin === "environment"
    ? `The program ${command}, named by ${COMMAND_VARIABLE},`
    : `The program ${command}`;
}
