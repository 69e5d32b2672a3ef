// Why a candidate is refused: the sentences, on machines of every kind.

import { describe, expect, test } from "vitest";
import type { Failed, ProgramFile } from "../../../src/main/child/advice.js";
import type { Candidate } from "../../../src/main/child/candidates.js";
import { cannotRun, endedAtOnce, noneLeft, otherVersion } from "../../../src/main/child/refusals.js";
import { API_VERSION, BRIDGE_VERSION } from "../../../src/main/child/versions.js";
import type { Platform } from "../../../src/main/platform.js";

const PACKAGE = `electron-sidecar==${BRIDGE_VERSION}`;
const VENV = { folder: "/app/.venv", pythonVersion: "3.12.1", isOfUv: false };
const REMAKE = `make the environment again: \`python3 -m venv --clear /app/.venv\`, then \`/app/.venv/bin/python -m pip install ${PACKAGE}\``;

function failed(
  origin: Candidate["origin"],
  file: Partial<ProgramFile> = {},
  {
    platform = "linux",
    command = origin === "project" ? "/app/.venv/bin/python" : "/x/sidecar",
  }: { platform?: Platform; command?: string } = {},
): Failed {
  const venv = origin === "project" ? { venv: VENV } : {};
  return { candidate: { command, args: [], origin }, file: { kind: "file", ...venv, ...file }, platform };
}

function whyNot(failure: Failed, errno: string): string {
  const { code, message } = cannotRun(failure, { errno, message: `spawn x ${errno}` });
  expect(code).toBe("spawn_failed");
  return message;
}

describe("a program that the system does not run", () => {
  test("because it is missing, with advice for who named it", () => {
    const missing = { kind: "missing" } as const;
    expect(whyNot(failed("option", missing), "ENOENT")).toBe(
      "The program /x/sidecar cannot be run: it does not exist; correct `command`, or leave it out to have the sidecar found.",
    );
    expect(whyNot(failed("environment", missing), "ENOENT")).toBe(
      "The program /x/sidecar, named by SIDECAR_COMMAND, cannot be run: it does not exist; correct SIDECAR_COMMAND, or unset it.",
    );
    expect(whyNot(failed("packaged", missing), "ENOENT")).toMatch(/install the app again\.$/);
    expect(whyNot(failed("packaged", missing, { platform: "win32" }), "ENOENT")).toMatch(/antivirus/);
    expect(whyNot(failed("project", missing), "ENOENT")).toContain(REMAKE);
  });

  test("because its environment has lost its Python", () => {
    const file = { kind: "broken link", target: "/usr/bin/python3.9" } as const;
    expect(whyNot(failed("project", file), "ENOENT")).toBe(
      `The program /app/.venv/bin/python cannot be run: it is a link to /usr/bin/python3.9, which does not exist, because that Python was moved or removed; ${REMAKE}.`,
    );
  });

  test("because its environment was made by uv and moved", () => {
    const interpreter = { path: "/old/.venv/bin/python", exists: false };
    const message = whyNot(failed("option", { interpreter, venv: { ...VENV, isOfUv: true } }), "ENOENT");
    expect(message).toContain("begins with the name of /old/.venv/bin/python, which does not exist");
    expect(message).toContain(
      `uv venv --clear /app/.venv\`, then \`uv pip install --python /app/.venv/bin/python ${PACKAGE}`,
    );
  });

  test.each([
    [{ kind: "folder" }, "EACCES", /it is a folder; name the program in it/],
    [{ kind: "unknown" }, "ENOENT", /it is not on PATH; leave `command` out/],
    [{}, "ENOENT", /not a program for this system and processor.*; freeze/],
    [{ isForeign: true }, "EACCES", /not a program for this system and processor/],
    [{}, "EACCES", /it is not executable; run `chmod \+x \/x\/sidecar`/],
    [{}, "ENOEXEC", /not a program for this system/],
    [{}, "ELOOP", /refused by the system \(spawn x ELOOP\)/],
  ] as const)("because it is %o (%s)", (file, errno, message) => {
    expect(whyNot(failed("option", file), errno)).toMatch(message);
  });

  test.each([
    ["darwin", "EPERM", /macOS.*quarantined/],
    ["win32", "UNKNOWN", /Windows.*antivirus/],
  ] as const)("because %s has it in quarantine", (platform, errno, message) => {
    expect(whyNot(failed("packaged", {}, { platform }), errno)).toMatch(message);
  });
});

describe("a program that ends at once", () => {
  const EXIT = { code: 1, signal: null };
  const silent = { code: 1, stdout: "", stderr: "" };

  test("is a sidecar that has crashed if it has the bridge's version", () => {
    const answer = { code: 0, stdout: `sidecar ${BRIDGE_VERSION}\n`, stderr: "" };
    expect(endedAtOnce(failed("project"), EXIT, answer)).toBeUndefined();
  });

  test.each([
    ["no answer", undefined],
    ["an answer that says nothing", silent],
  ])("may start later after %s", (_, answer) => {
    expect(endedAtOnce(failed("project"), EXIT, answer)).toBeUndefined();
  });

  test("is refused if it has another version", () => {
    const answer = { code: 0, stdout: "sidecar 0.0.1\n", stderr: "" };
    expect(endedAtOnce(failed("packaged"), EXIT, answer)).toMatchObject({ code: "version_mismatch" });
  });

  test("is refused if it is a Python without the package", () => {
    const answer = { ...silent, stderr: "/app/.venv/bin/python: No module named sidecar\n" };
    expect(endedAtOnce(failed("project"), EXIT, answer)).toEqual({
      code: "sidecar_not_found",
      message: `The program /app/.venv/bin/python has no package electron-sidecar; run \`/app/.venv/bin/python -m pip install ${PACKAGE}\`.`,
    });
  });

  test("is refused if it is a Python that is too old to have the package", () => {
    const answer = { ...silent, stderr: "No module named sidecar\n" };
    const venv = { ...VENV, pythonVersion: "3.10.4" };
    expect(endedAtOnce(failed("project", { venv }), EXIT, answer)).toEqual({
      code: "python_too_old",
      message: `The program /app/.venv/bin/python is Python 3.10.4, and electron-sidecar needs Python 3.11 or newer; ${REMAKE}, both with a newer Python.`,
    });
  });

  test("is refused if its packages are incomplete", () => {
    const answer = {
      ...silent,
      stderr: "ModuleNotFoundError: No module named 'pydantic_core._pydantic_core'\n",
    };
    expect(endedAtOnce(failed("project"), EXIT, answer)?.message).toMatch(
      /cannot import pydantic_core\._pydantic_core, .* for another Python; run `\/app/,
    );
  });

  test.each(["No Python at 'C:\\Python39\\python.exe'", "ModuleNotFoundError: No module named 'encodings'"])(
    "is refused if its environment has lost its Python: %s",
    (stderr) => {
      expect(endedAtOnce(failed("project"), EXIT, { ...silent, stderr })).toEqual({
        code: "spawn_failed",
        message: `The program /app/.venv/bin/python has lost the Python that it was made from; ${REMAKE}.`,
      });
    },
  );

  test("is refused if it is another program", () => {
    const answer = { code: 0, stdout: "ls (GNU coreutils) 9.1\nCopyright\n", stderr: "" };
    expect(endedAtOnce(failed("environment"), EXIT, answer)).toEqual({
      code: "sidecar_not_found",
      message: `The program /x/sidecar, named by SIDECAR_COMMAND, is no sidecar: asked for its --version, it says 'ls (GNU coreutils) 9.1' and not 'sidecar ${BRIDGE_VERSION}'; correct SIDECAR_COMMAND, or unset it.`,
    });
  });

  test("is refused if the shell has stumbled over it, since it is for another machine", () => {
    expect(
      endedAtOnce(failed("packaged", { isForeign: true }), { code: 2, signal: null }, undefined),
    ).toMatchObject({
      message: expect.stringMatching(/^The program \/x\/sidecar is not a program for this system/) as string,
    });
  });

  test("is refused if macOS has killed it", () => {
    const failure = failed("packaged", {}, { platform: "darwin" });
    expect(endedAtOnce(failure, { code: null, signal: "SIGKILL" }, undefined)).toMatchObject({
      code: "spawn_failed",
      message: expect.stringMatching(/^The program \/x\/sidecar is blocked by macOS/) as string,
    });
  });
});

describe("a sidecar of another version", () => {
  test("is accepted if it is the bridge's own", () => {
    expect(
      otherVersion(failed("project"), { version: BRIDGE_VERSION, apiVersion: API_VERSION }),
    ).toBeUndefined();
  });

  test("that is older is to be installed again", () => {
    expect(otherVersion(failed("project"), { version: "0.0.1", apiVersion: API_VERSION })).toEqual({
      code: "version_mismatch",
      message: `The program /app/.venv/bin/python is version 0.0.1, older than the npm package electron-sidecar ${BRIDGE_VERSION}, and both must be of one version; run \`/app/.venv/bin/python -m pip install ${PACKAGE}\`.`,
    });
  });

  test("that is newer may stay, if the bridge is updated", () => {
    const { message } = otherVersion(failed("project"), { version: "99.0.0", apiVersion: API_VERSION }) ?? {};
    expect(message).toMatch(
      /newer than .*, or install the newer npm package with `npm install electron-sidecar@99\.0\.0`\.$/,
    );
  });

  test("that is frozen is to be frozen again", () => {
    const { message } = otherVersion(failed("packaged"), { version: "0.0.1", apiVersion: API_VERSION }) ?? {};
    expect(message).toMatch(/; freeze it again with `npx electron-sidecar freeze`\.$/);
  });

  test("whose API is another one is refused by that", () => {
    const said = { version: BRIDGE_VERSION, apiVersion: API_VERSION + 1 };
    expect(otherVersion(failed("project"), said)).toMatchObject({
      code: "api_version_mismatch",
      message: expect.stringContaining(`(API ${API_VERSION + 1} and ${API_VERSION})`) as string,
    });
  });
});

describe("when no place is left", () => {
  const refusal = { code: "version_mismatch", message: "One is too old." };
  const { candidate } = failed("project");

  test("the only candidate's refusal is the failure", () => {
    expect(noneLeft([{ candidate, refusal }], "linux", false)).toBe(refusal);
  });

  test("every place is listed with its reason; the code is that of the only candidate", () => {
    expect(noneLeft([{ nothing: "Nothing here." }, { candidate, refusal }], "linux", false)).toEqual({
      code: "version_mismatch",
      message: "No sidecar can be started. What was tried:\n- Nothing here.\n- One is too old.",
    });
    const two = [
      { candidate, refusal },
      { candidate, refusal },
    ];
    expect(noneLeft(two, "linux", false).code).toBe("sidecar_not_found");
  });

  test.each([
    ["linux", false, `python3 -m venv .venv\`, then \`.venv/bin/python -m pip install ${PACKAGE}`],
    ["win32", false, `py -m venv .venv\`, then \`.venv\\Scripts\\python.exe -m pip install ${PACKAGE}`],
    ["linux", true, "PACKAGING.md"],
  ] as const)(
    "and there was no candidate on %s (packaged: %s), it says what to do",
    (platform, isPackaged, advice) => {
      const { code, message } = noneLeft([{ nothing: "Nothing here." }], platform, isPackaged);
      expect(code).toBe("sidecar_not_found");
      expect(message).toContain(advice);
    },
  );
});
