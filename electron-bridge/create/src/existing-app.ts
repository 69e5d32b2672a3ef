// Adds a sidecar to an app that is there: files that are missing, and lines in package.json and .gitignore.

import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { version } from "../package.json";
import { CommandError } from "../../src/cli/errors.js";
import type { Template } from "./options.js";
import { templateFile, templateFiles, write } from "./template.js";

interface Manifest {
  type?: string;
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

interface Added {
  /** What was written and what was left as it is. */
  readonly report: string;
  /** What the person has to do; empty if the app is connected already. */
  readonly toPaste: string;
}

/** What is written of a template, and where the app has it. */
const FILES: Readonly<Record<Template, readonly string[]>> = {
  typescript: [join("src", "main", "sidecar.ts"), join("src", "preload", "index.ts")],
  javascript: [join("main", "sidecar.js")],
};

const SCRIPTS = ["generate", "freeze"];

/**
 * Writes what is missing; nothing that is there is overwritten.
 *
 * @throws CommandError for a package.json that cannot be read
 */
export function addToApp(folder: string, template: Template): Added {
  const manifest = readManifest(folder);
  const app = basename(folder);
  const [written, kept]: [string[], string[]] = [[], []];
  const add = (file: string, text: string): void => {
    const isThere = existsSync(join(folder, file));
    (isThere ? kept : written).push(file);
    if (!isThere) write(join(folder, file), text);
  };
  for (const file of templateFiles("shared").filter((file) => file.startsWith("backend"))) {
    add(file, templateFile("shared", file, app));
  }
  for (const file of FILES[template]) {
    // In a package of ES modules, only .cjs can be required.
    const name = manifest.type === "module" ? file.replace(/\.js$/, ".cjs") : file;
    add(name, templateFile(template, file, app));
  }
  const lines = [
    ...written.map((file) => `  ${file}: written\n`),
    ...kept.map((file) => `  ${file}: left as it is\n`),
    ...addToManifest(folder, manifest, template),
    ...addToGitignore(folder),
  ];
  return { report: lines.join(""), toPaste: toPaste(template, manifest, written, kept) };
}

function readManifest(folder: string): Manifest {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  } catch (error) {
    throw new CommandError(`package.json cannot be read: ${(error as Error).message}`);
  }
}

function addToManifest(folder: string, manifest: Manifest, template: Template): string[] {
  const own = JSON.parse(templateFile(template, "package.json", basename(folder))) as Manifest;
  const report: string[] = [];
  const scripts = (manifest.scripts ??= {});
  for (const name of SCRIPTS) {
    const script = own.scripts?.[name] ?? "";
    if (scripts[name] === undefined) {
      scripts[name] = script;
      report.push(`  package.json: script "${name}" added\n`);
    } else if (scripts[name] !== script) {
      report.push(`  package.json: script "${name}" left as it is; the sidecar's is: ${script}\n`);
    }
  }
  for (const name of template === "typescript"
    ? ["electron-sidecar", "openapi-typescript"]
    : ["electron-sidecar"]) {
    if (manifest.dependencies?.[name] ?? manifest.devDependencies?.[name]) continue;
    // electron-vite leaves `dependencies` out of the preload script's bundle, and a sandboxed one can load nothing.
    const isBundled =
      name !== "electron-sidecar" || manifest.devDependencies?.["electron-vite"] !== undefined;
    const field = isBundled ? "devDependencies" : "dependencies";
    const range = name === "electron-sidecar" ? version : (own.devDependencies?.[name] ?? "*");
    (manifest[field] ??= {})[name] = range;
    report.push(`  package.json: ${name} added to ${field}\n`);
  }
  if (report.some((line) => line.endsWith("added\n") || line.includes(" added to "))) {
    const indent = /^([ \t]+)"/m.exec(readFileSync(join(folder, "package.json"), "utf8"))?.[1] ?? "  ";
    write(join(folder, "package.json"), `${JSON.stringify(manifest, null, indent)}\n`);
  }
  return report;
}

function addToGitignore(folder: string): string[] {
  const file = join(folder, ".gitignore");
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8");
  const ignored = new Set(text.split("\n").map((line) => line.trim().replace(/^\/|\/$/g, "")));
  const missing = [".venv/", "__pycache__/", "frozen/"].filter(
    (line) => !ignored.has(line.replace(/\/$/, "")),
  );
  if (missing.length === 0) return [];
  write(file, `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${missing.join("\n")}\n`);
  return [`  .gitignore: ${missing.join(", ")} added\n`];
}

function toPaste(template: Template, manifest: Manifest, written: string[], kept: string[]): string {
  const module = [...written].find((file) => /sidecar\.(ts|c?js)$/.test(file));
  if (module === undefined) return "";
  const preload = join("src", "preload", "index.ts");
  const lines =
    template === "typescript"
      ? ['import { startSidecar } from "./sidecar"; // src/main/sidecar.ts']
      : manifest.type === "module"
        ? ['import sidecar from "./main/sidecar.cjs";', "const { startSidecar } = sidecar;"]
        : ['const { startSidecar } = require("./main/sidecar");'];
  return `
Now connect it. In the main process, when the app is ready, with the origin of your pages:

  ${lines.join("\n  ")}
  startSidecar(["app://my-app"]);

${preloadAdvice(template, kept.includes(preload))}
Then a page has the operations of backend/notes.py:

  import { sidecar } from "electron-sidecar/renderer";
  await sidecar.notes.create_note({ text: "water the plants" });

\`npx electron-sidecar doctor\` checks the rest.
`;
}

function preloadAdvice(template: Template, isOwn: boolean): string {
  if (template === "javascript") {
    return `The window needs the preload script, unless it has one that begins with require("electron-sidecar/preload"):

  webPreferences: { preload: require.resolve("electron-sidecar/preload") }
`;
  }
  return isOwn
    ? `At the top of your preload script, src/preload/index.ts:

  import "electron-sidecar/preload";
`
    : "The window needs what is built of src/preload/index.ts as its preload script.\n";
}
