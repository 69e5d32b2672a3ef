// `create-electron-sidecar`: what it writes and what it refuses. test/packaging starts what it wrote.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { version } from "../../package.json";
import { temporaryFolder } from "../support.js";

const CREATE = join(__dirname, "..", "..", "create", "dist", "index.js");

interface Manifest {
  name: string;
  productName: string;
  scripts: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

function create(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const all = { cwd, encoding: "utf8" as const, env: { ...process.env, ...env } };
  return spawnSync(process.execPath, [CREATE, ...args], all);
}

/** The files below a folder, with `/` between their parts. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? filesBelow(join(folder, entry.name)).map((file) => `${entry.name}/${file}`)
      : [entry.name],
  );
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

describe("a new app", () => {
  test.each([
    [
      "typescript",
      ["src/main/sidecar.ts", "src/preload/index.ts", "electron-builder.js", "test/app.test.ts"],
    ],
    ["javascript", ["main/sidecar.js", "page/page.js", "forge.config.js", "test/app.test.mjs"]],
  ])("(%s) has its own name in every file, in a folder with any letters", (template, files) => {
    const folder = join(temporaryFolder(), "Ordner für Äpfel");
    mkdirSync(folder);
    const { status, stdout } = create(folder, ["plant-diary", "--no-install", "--template", template]);
    expect(status).toBe(0);
    expect(stdout).toContain("cd plant-diary");
    const app = join(folder, "plant-diary");
    const written = filesBelow(app);
    expect(written).toEqual(
      expect.arrayContaining([...files, ".gitignore", "backend/notes.py", "README.md"]),
    );
    for (const file of written) {
      expect(readFileSync(join(app, file), "utf8"), file).not.toMatch(/my-app|My App|\b0\.0\.0\b/);
    }
    expect(manifestOf(app)).toMatchObject({ name: "plant-diary", productName: "Plant Diary" });
    const { dependencies, devDependencies } = manifestOf(app);
    expect({ ...dependencies, ...devDependencies }).toMatchObject({ "electron-sidecar": version });
    const requirements = readFileSync(join(app, "backend", "requirements.txt"), "utf8");
    expect(requirements).toContain(`electron-sidecar[freeze,testing]==${version}\n`);
  });

  test("is in TypeScript where nobody can be asked", () => {
    const folder = temporaryFolder();
    create(folder, ["my-app", "--no-install"]);
    expect(existsSync(join(folder, "my-app", "tsconfig.json"))).toBe(true);
  });

  test("leaves a folder with files alone, unless it is forced", () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "my-app", ".git"), { recursive: true });
    writeFileSync(join(folder, "my-app", "README.md"), "mine");
    const refused = create(folder, ["my-app", "--no-install"]);
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.stderr).toContain("is not empty; choose another folder");
    expect(filesBelow(join(folder, "my-app"))).toEqual(["README.md"]);
    expect(create(folder, ["my-app", "--no-install", "--force"])).toMatchObject({ status: 0 });
    expect(readFileSync(join(folder, "my-app", "README.md"), "utf8")).toContain("# My App");
  });

  test.each([
    ["My App", "try my-app"],
    ["Äpfel", "try apfel"],
    ["node_modules", "try node-modules"],
    ["favicon.ico", "choose another one"],
    ["日本", "choose another one"],
  ])("is not called %s", (name, advice) => {
    const folder = temporaryFolder();
    const { status, stderr } = create(folder, [name, "--no-install"]);
    expect(status).toBe(2);
    expect(stderr).toContain(`'${name}' cannot be the name of an npm package`);
    expect(stderr).toContain(advice);
    expect(filesBelow(folder)).toEqual([]);
  });

  test.each([
    [["my-app", "--template", "rust"], "there is no template 'rust'; choose one of typescript, javascript"],
    [[], "name one folder"],
    [["one", "two"], "name one folder"],
    [["my-app", "--colour"], "Unknown option '--colour'"],
  ])("is not made of %j", (args, said) => {
    const { status, stderr } = create(temporaryFolder(), args);
    expect(status).toBe(2);
    expect(stderr).toContain(said);
  });

  test("says which Python it needs, where there is none", () => {
    const { status, stderr } = create(temporaryFolder(), ["my-app"], { PATH: "", Path: "" });
    expect(status).toBe(1);
    expect(stderr).toContain("Python 3.11 or newer is needed, and this machine has none; install it with");
  });
});

describe("an app that is there", () => {
  const ENTRY = "require('./own');\n";

  function app(manifest: object = {}): string {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "old", ...manifest }, null, "\t"));
    writeFileSync(join(folder, "index.js"), ENTRY);
    writeFileSync(join(folder, ".gitignore"), "node_modules");
    return folder;
  }

  test("gets what is missing, and advice on what to paste", () => {
    const folder = app();
    const { status, stdout } = create(folder, ["--here", "--no-install"]);
    expect(status).toBe(0);
    expect(stdout).toContain('startSidecar(["app://my-app"])');
    expect(stdout).toContain('preload: require.resolve("electron-sidecar/preload")');
    expect(filesBelow(folder)).toEqual(expect.arrayContaining(["main/sidecar.js", "backend/notes.py"]));
    expect(manifestOf(folder)).toMatchObject({
      name: "old",
      scripts: { generate: expect.stringContaining("--out main/operations.json") as string },
      dependencies: { "electron-sidecar": version },
    });
    expect(readFileSync(join(folder, "package.json"), "utf8")).toContain('\n\t"name"');
    expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe(
      "node_modules\n.venv/\n__pycache__/\nfrozen/\n",
    );
    expect(readFileSync(join(folder, "index.js"), "utf8")).toBe(ENTRY);
  });

  test("stays as it is the second time", () => {
    const folder = app();
    create(folder, ["--here", "--no-install"]);
    writeFileSync(join(folder, "backend", "notes.py"), "# mine\n");
    const before = filesBelow(folder).map((file) => [file, readFileSync(join(folder, file), "utf8")]);
    const { stdout } = create(folder, ["--here", "--no-install"]);
    expect(stdout).toMatch(/notes\.py: left as it is/);
    expect(stdout).not.toMatch(/written|added|connect/);
    expect(filesBelow(folder).map((file) => [file, readFileSync(join(folder, file), "utf8")])).toEqual(
      before,
    );
  });

  test("of ES modules gets a module that it can import", () => {
    const folder = app({ type: "module" });
    const { stdout } = create(folder, ["--here", "--no-install"]);
    expect(filesBelow(folder)).toContain("main/sidecar.cjs");
    expect(stdout).toContain('import sidecar from "./main/sidecar.cjs";');
  });

  test("with electron-vite has electron-sidecar bundled into its own preload script", () => {
    const folder = app({ devDependencies: { "electron-vite": "^6.0.0" }, scripts: { generate: "my own" } });
    writeFileSync(join(folder, "tsconfig.json"), "{}");
    mkdirSync(join(folder, "src", "preload"), { recursive: true });
    writeFileSync(join(folder, "src", "preload", "index.ts"), "export {};\n");
    const { stdout } = create(folder, ["--here", "--no-install"]);
    expect(stdout).toContain('script "generate" left as it is; the sidecar\'s is: electron-sidecar generate');
    expect(stdout).toContain('import "electron-sidecar/preload";');
    expect(manifestOf(folder).dependencies).toBeUndefined();
    expect(manifestOf(folder)).toMatchObject({
      scripts: { generate: "my own" },
      devDependencies: { "electron-sidecar": version, "openapi-typescript": expect.any(String) as string },
    });
  });

  test("has a package.json", () => {
    const { status, stderr } = create(temporaryFolder(), ["--here"]);
    expect(status).toBe(1);
    expect(stderr).toContain(
      "there is no package.json here; a new app is made by `npm create electron-sidecar",
    );
  });
});
