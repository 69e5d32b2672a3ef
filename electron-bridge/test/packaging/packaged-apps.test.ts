// The packaged apps themselves: what their folders hold, their fuses, and what is otherwise in them than before.

import { execFile, execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { listPackage } from "@electron/asar";
import { FuseV1Options, getCurrentFuseWire } from "@electron/fuses";
import { describe, expect, test } from "vitest";
import { freshFolder } from "../e2e/app.js";
import { runApp } from "../e2e/run-app.js";

const FOLDER = process.env["E2E_PACKAGED"] ?? "";
const APPS = JSON.parse(readFileSync(path.join(FOLDER, "apps.json"), "utf8")) as Record<string, string>;
const programOf = (app: string): string => APPS[app] ?? "";
const resourcesOf = (app: string): string => path.join(path.dirname(programOf(app)), "resources");

const OFF = "0".charCodeAt(0);
const ON = "1".charCodeAt(0);
/** As the configurations set them; Electron 22 knows no more than these. */
const RELEASED = {
  [FuseV1Options.RunAsNode]: OFF,
  [FuseV1Options.EnableCookieEncryption]: ON,
  [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: OFF,
  [FuseV1Options.EnableNodeCliInspectArguments]: OFF,
  [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: ON,
  [FuseV1Options.OnlyLoadAppFromAsar]: ON,
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: OFF,
};
const FOR_TESTS = { ...RELEASED, [FuseV1Options.EnableNodeCliInspectArguments]: ON };

describe("the fuses, read back from the executable", () => {
  test.each([
    ["release", "electron-builder", RELEASED],
    ["suite", "electron-builder", FOR_TESTS],
    ["console", "electron-builder", FOR_TESTS],
    ["cards", "Electron Forge", FOR_TESTS],
  ])("of the app '%s' by %s", async (app, _packager, fuses) => {
    expect(await getCurrentFuseWire(programOf(app))).toEqual({ ...fuses, version: "1" });
  });

  test("keep a release from being a Node, and from obeying NODE_OPTIONS and --inspect", async () => {
    const said = "this is Node";
    const words = ["-e", `console.log(${JSON.stringify(said)})`, "--inspect=0", "--no-sandbox"];
    const env = {
      ...process.env,
      ELECTRON_RUN_AS_NODE: "1",
      NODE_OPTIONS: "--require /there/is/no/module.js",
    };
    // A second start gives way to the first, so this one ends by itself when its window is closed: it is killed instead.
    const options = { env, timeout: 10_000, killSignal: "SIGKILL" as const };
    const run = promisify(execFile)(
      programOf("release"),
      [...words, `--user-data-dir=${freshFolder()}`],
      options,
    );
    const { stdout, stderr } = await run.catch(
      (error: unknown) => error as { stdout: string; stderr: string },
    );
    expect(stdout).not.toContain(said);
    expect(stderr).not.toContain("Debugger listening");
    expect(stdout + stderr).toContain("The sidecar was ready");
  });
});

describe("the folder of a packaged app", () => {
  test.each(["suite", "console", "cards", "release"])(
    "of '%s' has the sidecar beside the archive, as a program",
    (app) => {
      const resources = resourcesOf(app);
      expect(readdirSync(resources)).toEqual(expect.arrayContaining(["app.asar", "sidecar"]));
      const version = execFileSync(path.join(resources, "sidecar", "sidecar"), ["--version"], {
        encoding: "utf8",
      });
      expect(version).toMatch(/^sidecar \d/);
    },
  );

  test.each([
    ["console", ["/main.js", "/page/index.html"]],
    ["cards", ["/cards/main.js", "/cards/operations.json"]],
  ])("of '%s' has in its archive the app and the bridge, and no Python", (app, files) => {
    const archive = listPackage(path.join(resourcesOf(app), "app.asar"), { isPack: false });
    const bridge = "/node_modules/electron-sidecar/dist/";
    expect(archive).toEqual(expect.arrayContaining([...files, `${bridge}main.js`, `${bridge}preload.js`]));
    const foreign = /\.py$|^\/(frozen|backend|packaging|release)(\/|$)|^\/(forge|electron-builder)/;
    expect(archive.filter((file) => foreign.test(file))).toEqual([]);
  });
});

test("a packaged app starts its own sidecar, from a folder with spaces that it cannot write", async () => {
  const { result } = await runApp("packaged", { SIDECAR_COMMAND: "/there/is/no/sidecar" });
  const resources = resourcesOf("suite");
  const { userData, ...seen } = result as { userData: string };
  expect(resources).toMatch(/ .*[^ -~]/);
  expect(seen).toEqual({
    card: { id: 1, front: "sea", back: "mer" },
    program: path.join(resources, "sidecar", "sidecar"),
    isPackaged: true,
    appPath: path.join(resources, "app.asar"),
    resourcesPath: resources,
    preload: path.join(resources, "app.asar", "node_modules/electron-sidecar/dist/preload.js"),
    dataDir: path.join(userData, "data"),
    writingIntoResources: "EACCES",
    developmentOptions: "invalid_configuration",
    relativeCommand: "invalid_configuration",
  });
});
