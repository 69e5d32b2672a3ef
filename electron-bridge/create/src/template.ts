// Writes the files of a template, under the app's own name.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { version } from "../package.json";
import { CommandError } from "../../src/cli/errors.js";
import type { Template } from "./options.js";

const TEMPLATES = join(__dirname, "..", "templates");

/** npm publishes no file of this name, so that the template has it under another one. */
const PUBLISHED_AS: Readonly<Record<string, string>> = { ".gitignore": "_gitignore" };

/** What the files of the templates say where an app has its own. */
const PLACEHOLDERS = { name: "my-app", title: "My App", version: "0.0.0" };

/** The file of a template, with the app's name in it. */
export function templateFile(template: Template | "shared", file: string, app: string): string {
  const published = join(dirname(file), PUBLISHED_AS[basename(file)] ?? basename(file));
  return filled(readFileSync(join(TEMPLATES, template, published), "utf8"), app);
}

/** The paths of all files of a template, relative to the app's folder. */
export function templateFiles(template: Template | "shared"): string[] {
  const names = new Map(Object.entries(PUBLISHED_AS).map(([name, published]) => [published, name]));
  return filesIn(join(TEMPLATES, template)).map((file) =>
    join(dirname(file), names.get(basename(file)) ?? basename(file)),
  );
}

/**
 * Writes a new app.
 *
 * @throws CommandError if the folder has files in it, unless `force`
 */
export function writeApp(folder: string, template: Template, force: boolean): void {
  const inTheWay = existsSync(folder) ? readdirSync(folder).filter((name) => name !== ".git") : [];
  if (inTheWay.length > 0 && !force) {
    throw new CommandError(
      `${folder} is not empty; choose another folder, or replace the files of the same names with --force`,
    );
  }
  for (const part of ["shared", template] as const) {
    for (const file of templateFiles(part)) {
      write(join(folder, file), templateFile(part, file, basename(folder)));
    }
  }
}

export function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function filled(text: string, app: string): string {
  return text
    .replaceAll(PLACEHOLDERS.name, app)
    .replaceAll(PLACEHOLDERS.title, titleOf(app))
    .replaceAll(PLACEHOLDERS.version, version);
}

/** `my-app` is shown as `My App`. */
function titleOf(app: string): string {
  const words = app.split(/[-_.]+/).filter((word) => word !== "");
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(" ");
}

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => name !== "__pycache__");
  return entries.flatMap((entry) =>
    entry.isDirectory()
      ? filesIn(join(folder, entry.name)).map((file) => join(entry.name, file))
      : [entry.name],
  );
}
