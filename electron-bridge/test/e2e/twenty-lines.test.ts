// The extension of README.md, written from the page alone in an empty folder: from its twenty lines to a typed stored row
// in an Electron page.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { expect, test } from "vitest";
import { App, freshFolder } from "./app.js";

const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
const BRIDGE = path.join(REPOSITORY, "electron-bridge");
const RESULT_WITHIN_MS = 20_000;
const TYPES = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"];
const BUNDLER = [
  "--module",
  "esnext",
  "--moduleResolution",
  "bundler",
  "--lib",
  "es2022,dom",
  "--types",
  "node",
];

/** What the page leaves to the app: how it serves its pages. */
const SERVE = `
const { app, protocol } = require("electron");
const { readFileSync } = require("node:fs");
const path = require("node:path");
const files = {
  "/": ["text/html", path.join(__dirname, "page.html")],
  "/page.js": ["text/javascript", path.join(__dirname, "page.js")],
};
protocol.registerSchemesAsPrivileged([{ scheme: "app", privileges: { standard: true, secure: true } }]);
app.whenReady().then(() => {
  protocol.registerBufferProtocol("app", ({ url }, done) => {
    const [mimeType, file] = files[new URL(url).pathname];
    done({ mimeType, data: readFileSync(file) });
  });
});
require("./main.js");
`;

/** The section's blocks: each with its language, and the file that its first line names. */
function blocks(): { language: string; file: string | undefined; text: string }[] {
  const page = readFileSync(path.join(REPOSITORY, "README.md"), "utf8");
  const section = page.split("## Python of your own\n")[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", text = ""]) => ({
    language,
    file: /^(?:#|\/\/) (\S+\.(?:py|ts))\n/.exec(text)?.[1],
    text,
  }));
}

/** An empty folder, after `npm install` and `pip install`, with the files that the page shows. */
function project(): string {
  const folder = freshFolder();
  mkdirSync(path.join(folder, "node_modules", "@types"), { recursive: true });
  for (const name of ["openapi-typescript", "electron", "@types/node"]) {
    symlinkSync(path.join(BRIDGE, "node_modules", name), path.join(folder, "node_modules", name), "junction");
  }
  symlinkSync(BRIDGE, path.join(folder, "node_modules", "electron-sidecar"), "junction");
  symlinkSync(path.join(REPOSITORY, ".venv"), path.join(folder, ".venv"), "junction");
  writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name: "my-app", main: "serve.js" }));
  for (const { file, text } of blocks()) {
    if (file === undefined) continue;
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
  return folder;
}

function compile(folder: string, ...files: string[]) {
  const tsc = path.join(BRIDGE, "node_modules", "typescript", "bin", "tsc");
  return spawnSync(process.execPath, [tsc, ...TYPES, ...BUNDLER, ...files], {
    cwd: folder,
    encoding: "utf8",
  });
}

/** What a bundler does for every app: main for Node, the page for the browser. */
function bundle(folder: string): void {
  const common = { bundle: true, absWorkingDir: folder, logLevel: "silent" } as const;
  buildSync({
    ...common,
    entryPoints: ["src/main.ts"],
    outfile: "main.js",
    platform: "node",
    external: ["electron", "electron-sidecar/*"],
  });
  buildSync({ ...common, entryPoints: ["src/page.ts"], outfile: "page.js", format: "esm", target: "es2022" });
  writeFileSync(path.join(folder, "serve.js"), SERVE);
  writeFileSync(
    path.join(folder, "page.html"),
    '<!doctype html><body><script type="module" src="/page.js"></script>',
  );
}

async function cardShown(folder: string, userData: string): Promise<string> {
  const app = await App.start({ app: folder, userData, cwd: folder });
  const shown = app.page.getByText(/^Card \d+/);
  await shown.waitFor({ timeout: RESULT_WITHIN_MS });
  const text = await shown.innerText();
  await app.electron.close();
  return text;
}

test("the twenty lines of the README end with a typed stored row in a page", async () => {
  const module = blocks().find(({ language }) => language === "python")?.text ?? "";
  const lines = module.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  expect(lines).toHaveLength(20);

  const folder = project();
  const commands = blocks().filter(({ language }) => language === "sh");
  expect(commands).toHaveLength(1);
  const cli = path.join(BRIDGE, "dist", "cli.js");
  const [, ...args] = (commands[0]?.text ?? "").trim().split(" ").slice(1);
  execFileSync(process.execPath, [cli, ...args], { cwd: folder });

  expect(compile(folder, "src/main.ts", "src/page.ts")).toMatchObject({ stdout: "", status: 0 });
  writeFileSync(
    path.join(folder, "src", "wrong.ts"),
    `import { sidecar } from "electron-sidecar/renderer";\nimport "./sidecar.generated";\nvoid sidecar.notes.create_card({ fron: "sea", back: "mer" });\n`,
  );
  expect(compile(folder, "src/wrong.ts").stdout).toContain("src/wrong.ts(3,");

  bundle(folder);
  const userData = freshFolder();
  expect(await cardShown(folder, userData)).toBe("Card 1: sea, mer");
  expect(await cardShown(folder, userData)).toBe("Card 2: sea, mer");
}, 120_000);
