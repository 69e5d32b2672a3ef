// Where a sidecar is looked for, on machines of every kind.

import { describe, expect, test } from "vitest";
import { type Place, placesToTry, type Surroundings } from "../../../src/main/child/candidates.js";

const PYTHON_ARGS = ["-m", "sidecar"];

/** A development machine on which nothing but these paths exists. */
function machine({ paths = [], ...more }: Partial<Surroundings> & { paths?: string[] } = {}): Surroundings {
  return {
    platform: "linux",
    isPackaged: false,
    resourcesPath: "/electron/resources",
    appPath: "/projects/my app",
    environmentCommand: undefined,
    exists: (path) => paths.includes(path),
    ...more,
  };
}

function found(surroundings: Surroundings, named = {}): unknown[] {
  return placesToTry(named, surroundings).flatMap((place) => ("candidate" in place ? [place.candidate] : []));
}

function nothings(places: readonly Place[]): string[] {
  return places.flatMap((place) => ("nothing" in place ? [place.nothing] : []));
}

const EVERYWHERE = ["/electron/resources/sidecar/sidecar", "/projects/my app/.venv", "/projects/.venv"];

describe("an app in development", () => {
  test("has the resources tried first, and then the environments from its folder upwards", () => {
    expect(found(machine({ paths: EVERYWHERE }))).toEqual([
      { command: "/electron/resources/sidecar/sidecar", args: [], origin: "packaged" },
      { command: "/projects/my app/.venv/bin/python", args: PYTHON_ARGS, origin: "project" },
      { command: "/projects/.venv/bin/python", args: PYTHON_ARGS, origin: "project" },
    ]);
  });

  test("has only the program that SIDECAR_COMMAND names", () => {
    const environmentCommand = "/frozen/sidecar";
    expect(found(machine({ paths: EVERYWHERE, environmentCommand }))).toEqual([
      { command: "/frozen/sidecar", args: [], origin: "environment" },
    ]);
  });

  test.each(["/usr/bin/python3", "/usr/bin/python3.12", "/opt/pypy3", "/x/python"])(
    "has SIDECAR_COMMAND=%s run the package, because it is a Python by its name",
    (environmentCommand) => {
      expect(found(machine({ environmentCommand }))).toMatchObject([
        { command: environmentCommand, args: PYTHON_ARGS },
      ]);
    },
  );

  test("has a SIDECAR_COMMAND looked for in the current folder and never on PATH", () => {
    expect(found(machine({ environmentCommand: "sidecar" }))).toMatchObject([
      { command: `${process.cwd()}/sidecar` },
    ]);
  });

  test("has an empty SIDECAR_COMMAND count as none", () => {
    const surroundings = machine({ paths: ["/projects/.venv"], environmentCommand: "" });
    expect(found(surroundings)).toMatchObject([{ origin: "project" }]);
  });

  test("with nothing to try has every place named", () => {
    expect(nothings(placesToTry({}, machine()))).toEqual([
      "SIDECAR_COMMAND is not set.",
      "/electron/resources/sidecar/sidecar does not exist.",
      "There is no .venv in /projects/my app or a folder above it.",
    ]);
  });

  test("has a command tried alone, whatever else is there", () => {
    const surroundings = machine({ paths: EVERYWHERE, environmentCommand: "/frozen/sidecar" });
    expect(found(surroundings, { command: "sidecar" })).toEqual([
      { command: "sidecar", args: [], origin: "option" },
    ]);
    expect(found(surroundings, { command: ".venv/bin/python" })).toMatchObject([{ args: PYTHON_ARGS }]);
    expect(found(surroundings, { command: "python3", args: ["x.py"] })).toMatchObject([{ args: ["x.py"] }]);
  });
});

describe("a packaged app", () => {
  const packaged = { isPackaged: true, resourcesPath: "/app/resources", environmentCommand: "/evil" };

  test("has its own resource, and neither the variable nor an environment", () => {
    const paths = [...EVERYWHERE, "/app/resources/sidecar/sidecar", "/evil"];
    expect(placesToTry({}, machine({ ...packaged, paths }))).toEqual([
      { candidate: { command: "/app/resources/sidecar/sidecar", args: [], origin: "packaged" } },
    ]);
  });

  test("without it has nothing", () => {
    expect(placesToTry({}, machine({ ...packaged, paths: EVERYWHERE }))).toEqual([
      { nothing: "/app/resources/sidecar/sidecar does not exist." },
    ]);
  });
});

test("on Windows, programs have the names and the folders that they have there", () => {
  const resource = "C:\\app\\resources\\sidecar\\sidecar.exe";
  const paths = [resource, "C:\\work\\.venv"];
  const windows = machine({
    platform: "win32",
    resourcesPath: "C:\\app\\resources",
    appPath: "C:\\work\\app",
    paths,
  });
  expect(found(windows)).toMatchObject([
    { command: resource, args: [] },
    { command: "C:\\work\\.venv\\Scripts\\python.exe", args: PYTHON_ARGS },
  ]);
  expect(found({ ...windows, environmentCommand: "C:\\py\\Python.exe" })).toMatchObject([
    { args: PYTHON_ARGS },
  ]);
});

test("in plain Node there are no resources", () => {
  expect(nothings(placesToTry({}, machine({ resourcesPath: undefined })))).toEqual([
    "SIDECAR_COMMAND is not set.",
    "There is no .venv in /projects/my app or a folder above it.",
  ]);
});
