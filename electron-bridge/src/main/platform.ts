// Everything in which the operating systems differ, for the whole bridge. Each function takes the platform, so that a
// test can hand in another one than its own. Pure: others do what is said here.

import { posix, win32 } from "node:path";

export type Platform = NodeJS.Platform;
export type TreeSignal = "SIGTERM" | "SIGKILL";

export const PLATFORM: Platform = process.platform;

/** The platform and the processor, for a report. */
export const MACHINE = `${process.platform} ${process.arch}`;

/** Node's functions for paths as this platform writes them. */
export function pathsOf(platform = PLATFORM): typeof posix {
  return platform === "win32" ? win32 : posix;
}

/** The file name of a program. */
export function executableName(name: string, platform = PLATFORM): string {
  return platform === "win32" ? `${name}.exe` : name;
}

/** The Python of a virtual environment. */
export function venvPython(venv: string, platform = PLATFORM): string {
  return platform === "win32" ? win32.join(venv, "Scripts", "python.exe") : posix.join(venv, "bin", "python");
}

/** The command that runs a Python of the machine. */
export function pythonLauncher(platform = PLATFORM): string {
  return platform === "win32" ? "py" : "python3";
}

/** The word as the platform's shell needs it, for a command that a person can copy. */
export function shellWord(word: string, platform = PLATFORM): string {
  if (/^[\w@%+=:,./\\~-]+$/.test(word) && (platform === "win32" || !word.includes("\\"))) return word;
  return platform === "win32" ? `"${word}"` : `'${word.replace(/'/g, `'\\''`)}'`;
}

/** Options for `spawn` of a process that is ended with all that it starts: a group of its own, where there are groups. */
export function treeOptions(platform = PLATFORM): { detached: boolean; windowsHide: true } {
  return { detached: platform !== "win32", windowsHide: true };
}

/** The first argument of `process.kill` for a process and as much of its tree as a signal reaches. */
export function killTarget(pid: number, platform = PLATFORM): number {
  return platform === "win32" ? pid : -pid;
}

/** The program that ends a tree, with its arguments; undefined where signals do. It knows no signal that asks. */
export function treeKiller(pid: number, platform = PLATFORM): Program | undefined {
  return platform === "win32" ? ["taskkill", "/pid", String(pid), "/t", "/f"] : undefined;
}

/** The folder in which every process has an entry that shows whether it is a zombie; undefined where there is none. */
export function processTable(platform = PLATFORM): string | undefined {
  return platform === "linux" ? "/proc" : undefined;
}

/** An explanation, which completes "FILE …", and advice, which begins a sentence's last part. */
export interface Explanation {
  readonly reason: string;
  readonly advice: string;
}

const ANTIVIRUS: Explanation = {
  reason: "is blocked by Windows, perhaps by an antivirus program",
  advice: "allow it there, or sign it and report it to the antivirus program's maker as harmless",
};

const QUARANTINE: Explanation = {
  reason: "is blocked by macOS, which does so with a program that is quarantined or not validly signed",
  advice:
    "sign and notarise the app with the sidecar in it; on your own machine, `xattr -dr com.apple.quarantine` on the app's folder lifts the quarantine",
};

export const OTHER_MACHINE: Explanation = {
  reason: "is not a program for this system and processor, or is damaged",
  advice: "freeze the sidecar on a system like this one, and see that the file is copied whole",
};

/** The processors of programs for Linux, by the number in their heads. */
const ELF_MACHINES: Readonly<Record<number, string>> = {
  0x03: "ia32",
  0x28: "arm",
  0x3e: "x64",
  0xb7: "arm64",
};
const MACH_O_ARM64 = 0x0100000c;

/**
 * Whether a file, by its first bytes, is a program for another system or processor. A system does not always say so: on
 * POSIX, what it cannot run is given to the shell, which stumbles over it.
 */
export function isForeignProgram(head: Buffer, platform = PLATFORM, arch = process.arch): boolean {
  const magic = head.toString("latin1", 0, 4);
  if (magic === "\x7fELF") {
    return platform !== "linux" || head.length < 20 || ELF_MACHINES[head.readUInt16LE(18)] !== arch;
  }
  if (magic.startsWith("MZ")) return platform !== "win32";
  if (magic === "\xca\xfe\xba\xbe") return platform !== "darwin";
  if (magic !== "\xcf\xfa\xed\xfe") return false;
  // An Apple processor runs programs for Intel's, and not the other way round.
  return (
    platform !== "darwin" || (arch === "x64" && head.length >= 8 && head.readUInt32LE(4) === MACH_O_ARM64)
  );
}

/** What the system means by an error of `spawn`; undefined if it is the same everywhere. */
export function explainSpawnError(
  errno: string,
  message: string,
  platform = PLATFORM,
): Explanation | undefined {
  // libuv knows no name for what Windows says of a program that a scanner has locked or found infected.
  if (platform === "win32" && ["UNKNOWN", "EPERM", "EACCES", "EBUSY"].includes(errno)) return ANTIVIRUS;
  if (platform === "darwin" && errno === "EPERM") return QUARANTINE;
  // EBADARCH of macOS has no name in libuv either.
  const isOfAnotherMachine =
    ["ENOEXEC", "EFTYPE"].includes(errno) || (platform === "darwin" && /-86\b/.test(message));
  return isOfAnotherMachine ? OTHER_MACHINE : undefined;
}

/** Exit codes of Windows that say that a program could not be loaded. */
const NOT_LOADED: Readonly<Record<number, string>> = {
  0xc0000135: "lacks a DLL that it needs",
  0xc000007b: "is, or needs a DLL that is, for another processor",
  0xc0000142: "has a DLL that could not be initialised",
};

/** What the end of a program that said nothing means; undefined if it means nothing special. */
export function explainEnd(
  code: number | null,
  signal: string | null,
  platform = PLATFORM,
): Explanation | undefined {
  if (platform === "darwin" && signal === "SIGKILL") return QUARANTINE;
  const reason = platform === "win32" && code !== null ? NOT_LOADED[code >>> 0] : undefined;
  return reason === undefined ? undefined : { reason, advice: "freeze the sidecar again on this system" };
}

/** Advice for a packaged program that is missing. */
export function missingProgramAdvice(platform = PLATFORM): string {
  return platform === "win32"
    ? "an antivirus program may have moved it into its quarantine: restore it there and allow it, or install the app again"
    : "install the app again";
}

/** A program with its first arguments. */
export type Program = readonly [string, ...string[]];

/** The Pythons that a machine may have, the preferred one first. */
export function pythonCandidates(platform = PLATFORM): readonly Program[] {
  const newest: Program[] = [["python3.13"], ["python3.12"], ["python3.11"]];
  return platform === "win32" ? [["py", "-3"], ["python"]] : [...newest, ["python3"], ["python"]];
}

/** How a Python is installed there, for a person. */
export function pythonAdvice(platform = PLATFORM): string {
  if (platform === "win32") return "install it with `winget install Python.Python.3.13`";
  if (platform === "darwin") return "install it with `brew install python@3.13`";
  return "install it with the package manager of your system, such as `sudo apt-get install python3 python3-venv`";
}

/** Whether a program of this name is a script that needs a shell, as npm is on Windows. */
export function isShellScript(name: string, platform = PLATFORM): boolean {
  return platform === "win32" && name === "npm";
}

/** Whether Electron needs libraries, a sandbox of the kernel's and a display that a system may lack. */
export function needsDesktopLibraries(platform = PLATFORM): boolean {
  return platform === "linux";
}
