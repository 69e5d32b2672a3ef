// Changes of Python files, in real folders.

import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { PythonFiles } from "../../../src/main/development/python-files.js";
import { temporaryFolder, until } from "../../support.js";

function write(file: string, text = "x = 1\n"): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** A watched folder with `notes.py` and what `prepare` adds; and the files that were reported. */
function watched(prepare: (folder: string) => void = () => undefined) {
  const folder = join(temporaryFolder(), "backend");
  const notes = write(join(folder, "my_app", "notes.py"));
  prepare(folder);
  const changed: string[] = [];
  const files = new PythonFiles([folder], {
    changed: (file) => changed.push(file),
    failed: (message) => expect.unreachable(message),
  });
  files.watch();
  onTestFinished(() => files.unwatch());
  return { folder, notes, changed, files };
}

/** Resolves when exactly this file was reported, once. */
async function reported(changed: string[], file: string): Promise<void> {
  await until(() => changed.length > 0, `the change of ${file}`);
  expect(changed.splice(0)).toEqual([file]);
}

describe("a change is reported", () => {
  test("of a file that is written", async () => {
    const { notes, changed } = watched();
    write(notes, "x = 22\n");
    await reported(changed, notes);
  });

  test("of a file that another one replaces, as editors save", async () => {
    const { notes, changed, folder } = watched();
    renameSync(write(join(folder, "notes.py~"), "x = 22\n"), notes);
    await reported(changed, notes);
  });

  test("of a file that is new, and of one that is removed", async () => {
    const { folder, changed } = watched();
    const more = write(join(folder, "my_app", "more.py"));
    await reported(changed, more);
    rmSync(more);
    await reported(changed, more);
  });

  test("of a file in a folder that is new, and then of that folder's own", async () => {
    const { folder, changed } = watched();
    const inner = write(join(folder, "my_app", "inner", "deep", "cards.py"));
    await reported(changed, inner);
    write(inner, "x = 22\n");
    await reported(changed, inner);
  });

  test("of a folder that is renamed", async () => {
    const { folder, notes, changed } = watched();
    renameSync(join(folder, "my_app"), join(folder, "other"));
    await reported(changed, notes);
    const moved = write(join(folder, "other", "notes.py"), "x = 22\n");
    await reported(changed, moved);
  });

  test("of the watched folder itself, which is removed and comes back", async () => {
    const { folder, notes, changed } = watched();
    rmSync(folder, { recursive: true });
    await reported(changed, notes);
    write(notes);
    await reported(changed, notes);
  });

  test("once, for files that are saved together", async () => {
    const { folder, changed } = watched();
    for (let number = 0; number < 30; number += 1) write(join(folder, `module_${number}.py`));
    await until(() => changed.length > 0, "the change");
    const last = write(join(folder, "zzz.py"));
    await until(() => changed.includes(last), "the later change");
    expect(changed).toHaveLength(2);
  });
});

describe("no change is reported", () => {
  test("of other files, caches, packages, environments and hidden folders", async () => {
    const { folder, notes, changed } = watched((base) => {
      write(join(base, "env", "pyvenv.cfg"), "home = /usr/bin\n");
      for (const name of [".git", "__pycache__", "node_modules", "env"]) write(join(base, name, "a.py"));
    });
    for (const name of [".git", "__pycache__", "node_modules", "env"])
      write(join(folder, name, "a.py"), "x = 2");
    write(join(folder, "my_app", "data.json"), "{}");
    write(join(folder, "my_app", "notes.pyc"), "");
    write(join(folder, "README"), "");
    // Events come in order, so that this one is the last.
    write(notes, "x = 22\n");
    await reported(changed, notes);
  });

  test("where a file is as it was", async () => {
    const { folder, notes, changed } = watched();
    const then = new Date(2020, 1, 1);
    utimesSync(notes, then, then);
    await reported(changed, notes);
    utimesSync(notes, then, then);
    const more = write(join(folder, "more.py"));
    await reported(changed, more);
  });

  test("after unwatch()", async () => {
    const { folder, notes, changed, files } = watched();
    files.unwatch();
    const later: string[] = [];
    const others = new PythonFiles([folder], {
      changed: (file) => later.push(file),
      failed: () => undefined,
    });
    others.watch();
    onTestFinished(() => others.unwatch());
    write(notes, "x = 22\n");
    await reported(later, notes);
    expect(changed).toEqual([]);
  });
});
