// Each bundler of BUNDLERS.md, with the configuration and the commands of its section: an app whose own preload script
// imports the bridge's, in a real Electron, in a sandboxed page.

import { execSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { expect, test } from "vitest";
import { App, freshFolder } from "../e2e/app.js";
import { BRIDGE, installPackage, REPOSITORY, TOOLS } from "./packages.js";

const MAIN = fileURLToPath(new URL("fixtures/bundled-main.js", import.meta.url));
const SHOWN_WITHIN_MS = 20_000;

/** Where the tools of a project are installed, of which each bundler is among the packages. */
const PACKAGES: readonly (readonly [name: string, folder: string])[] = [
  ...["electron-vite", "vite", "webpack", "webpack-cli"].map((name) => [name, TOOLS] as const),
  ...["electron", "esbuild"].map((name) => [name, path.join(BRIDGE, "node_modules")] as const),
];

const PAGE = `
import { sidecar } from "electron-sidecar/renderer";

const todo = await sidecar.todos.create({ content: "water the plants" });
document.body.append(\`Todo \${todo.id}: \${todo.content}; own: \${window.own.answer}\`);
`;

interface Block {
  readonly language: string;
  readonly file: string | undefined;
  readonly text: string;
}

function blocksOf(heading: string): Block[] {
  const page = readFileSync(path.join(REPOSITORY, "BUNDLERS.md"), "utf8");
  const section = page.split(`${heading}\n`)[1]?.split(/^##/m)[0] ?? "";
  return [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", text = ""]) => ({
    language,
    file: /^\/\/ (\S+)\n/.exec(text)?.[1],
    text,
  }));
}

/** A project with the published package, the bundlers, and the sources of an app. */
function project(): string {
  const folder = freshFolder();
  installPackage(folder);
  symlinkSync(path.join(REPOSITORY, ".venv"), path.join(folder, ".venv"), "junction");
  for (const [name, modules] of PACKAGES) {
    symlinkSync(path.join(modules, name), path.join(folder, "node_modules", name), "junction");
  }
  const manifest = { name: "my-app", main: "out/main/index.js", dependencies: { "electron-sidecar": "*" } };
  write(folder, "package.json", JSON.stringify(manifest));
  write(folder, "src/main/index.js", readFileSync(MAIN, "utf8"));
  write(folder, "src/renderer/page.js", PAGE);
  write(
    folder,
    "src/renderer/index.html",
    '<!doctype html><body><script type="module" src="./page.js"></script>',
  );
  writeFiles(folder, blocksOf("## A preload script of your own"));
  return folder;
}

function writeFiles(folder: string, blocks: readonly Block[]): void {
  for (const { file, text } of blocks) if (file !== undefined) write(folder, file, text);
}

function write(folder: string, file: string, text: string): void {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  writeFileSync(path.join(folder, file), text);
}

/** Runs the commands of a section, and does what they leave to the app: its page, and a main process without a bundler. */
function build(folder: string, blocks: readonly Block[]): void {
  const PATH = [
    path.join(TOOLS, ".bin"),
    path.join(BRIDGE, "node_modules", ".bin"),
    process.env["PATH"],
  ].join(path.delimiter);
  for (const command of blocks
    .filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.trim().split("\n"))) {
    const [npx, ...words] = command.split(" ");
    expect(npx).toBe("npx");
    execSync(words.join(" "), {
      cwd: folder,
      stdio: "pipe",
      env: { ...process.env, PATH },
    });
  }
  const [main, page] = ["out/main/index.js", "out/renderer/index.html"].map((file) =>
    path.join(folder, file),
  ) as [string, string];
  if (!existsSync(main)) {
    write(folder, "out/main/index.js", transformSync(readFileSync(MAIN, "utf8"), { format: "cjs" }).code);
  }
  if (!existsSync(page)) copyFileSync(path.join(folder, "src/renderer/index.html"), page);
}

test.each(["electron-vite", "Vite", "webpack", "esbuild"])(
  "%s bundles an own preload script and a page",
  async (bundler) => {
    const blocks = blocksOf(`### ${bundler}`);
    expect(blocks.map(({ language }) => language)).toContain("sh");
    const folder = project();
    writeFiles(folder, blocks);
    build(folder, blocks);
    const preload = readFileSync(path.join(folder, "out/preload/index.js"), "utf8");
    const required = [...preload.matchAll(/\brequire\(["'`]([^"'`]+)["'`]\)/g)].map(([, name]) => name);
    expect(new Set(required)).toEqual(new Set(["electron"]));

    const app = await App.start({ app: folder, cwd: folder });
    await app.page.getByText("Todo 1: water the plants; own: 42").waitFor({ timeout: SHOWN_WITHIN_MS });
  },
);
