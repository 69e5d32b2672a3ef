// The Python files below some folders, and the moment when they change.
//
// Events of the file system only wake it up: it then compares all files with what it saw before. So it does not matter
// how a system reports a renamed folder, or an editor that writes another file and renames that. Each folder has a watcher
// of its own, because Node 16 cannot watch recursively on Linux.

import { type Dirent, type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../supervision/clock.js";
import { Burst } from "./burst.js";

/** The state of each file, by its path: two that are equal are the same file. */
type Stamps = ReadonlyMap<string, string>;

export class PythonFiles {
  readonly #burst = new Burst(systemClock, () => this.#compare());
  readonly #watchers = new Map<string, FSWatcher>();
  #stamps: Stamps | undefined;
  #isReported = false;

  /** `changed` gets the path of a file that has changed. `failed` gets a sentence about a folder that cannot be watched. */
  constructor(
    private readonly folders: readonly string[],
    private readonly on: {
      readonly changed: (file: string) => void;
      readonly failed: (message: string) => void;
    },
  ) {}

  /** Begins to watch; does nothing if it does already. */
  watch(): void {
    this.#stamps ??= this.#scan();
  }

  unwatch(): void {
    this.#stamps = undefined;
    this.#burst.cancel();
    for (const folder of [...this.#watchers.keys()]) this.#forget(folder);
  }

  /** Notes that something happened to an entry of a folder; null if the system does not say which. */
  #onEvent(name: string | null): void {
    if (name !== null && !isPython(name) && name.includes(".")) return;
    this.#burst.note();
  }

  #compare(): void {
    const before = this.#stamps;
    if (!before) return;
    const now = this.#scan();
    this.#stamps = now;
    const changed = firstDifference(before, now) ?? firstDifference(now, before);
    if (changed !== undefined) this.on.changed(changed);
  }

  /** Reads all files, and watches exactly the folders that there are. */
  #scan(): Stamps {
    const stamps = new Map<string, string>();
    const found = new Set<string>();
    for (const folder of this.folders) this.#scanFolder(folder, stamps, found);
    for (const folder of [...this.#watchers.keys()]) if (!found.has(folder)) this.#forget(folder);
    const isWatched = (folder: string): boolean => this.#watchers.has(folder);
    // One that is gone may come back, and a system may have no watcher left: these are looked at every second.
    if (![...this.folders, ...found].every(isWatched)) this.#burst.endLater();
    return stamps;
  }

  #scanFolder(folder: string, stamps: Map<string, string>, found: Set<string>): void {
    // It is watched before it is read, so that no change falls in between.
    this.#watchFolder(folder);
    const entries = entriesOf(folder);
    if (!entries || entries.some(({ name }) => name === "pyvenv.cfg")) return;
    found.add(folder);
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !isIgnored(entry.name)) this.#scanFolder(path, stamps, found);
      else if (isPython(entry.name)) stamps.set(path, stampOf(path));
    }
  }

  #watchFolder(folder: string): void {
    if (this.#watchers.has(folder)) return;
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => this.#onEvent(name));
      // Windows reports a removed folder so; the event of its parent makes this one be forgotten.
      watcher.on("error", () => this.#onEvent(null));
      this.#watchers.set(folder, watcher);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || this.#isReported) return;
      this.#isReported = true;
      this.on.failed(`Changes in ${folder} are noticed late, because it cannot be watched: ${message}.`);
    }
  }

  #forget(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }
}

function isPython(name: string): boolean {
  return name.endsWith(".py");
}

/** Whether a folder holds no source of the app: caches, packages of npm, and what begins with a dot. */
function isIgnored(name: string): boolean {
  return name.startsWith(".") || name === "__pycache__" || name === "node_modules";
}

/** The entries of a folder; undefined if it is gone. */
function entriesOf(folder: string): Dirent[] | undefined {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return undefined;
  }
}

function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs} ${stat.size} ${stat.ino}` : "gone";
}

/** The first file of one that the other does not have in the same state. */
function firstDifference(one: Stamps, other: Stamps): string | undefined {
  for (const [file, stamp] of one) if (other.get(file) !== stamp) return file;
  return undefined;
}
