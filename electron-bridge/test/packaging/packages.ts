// The npm package as it is published: the tarball that ./scripts/build wrote, unpacked as npm installs it.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import manifest from "../../package.json";

export const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
export const BRIDGE = path.join(REPOSITORY, "electron-bridge");
export const TOOLS = fileURLToPath(new URL("node_modules", import.meta.url));
export const TARBALL = path.join(REPOSITORY, "dist", `${manifest.name}-${manifest.version}.tgz`);

/** Unpacks the package into the node_modules of a project; throws if it was built from other sources than dist/. */
export function installPackage(project: string): void {
  const target = path.join(project, "node_modules", manifest.name);
  mkdirSync(target, { recursive: true });
  execFileSync("tar", ["-xzf", TARBALL, "-C", target, "--strip-components=1"]);
  for (const file of ["dist/main.js", "dist/preload.js", "dist/renderer.mjs"]) {
    if (!readFileSync(path.join(target, file)).equals(readFileSync(path.join(BRIDGE, file)))) {
      throw new Error(`${path.basename(TARBALL)} has another ${file} than the bridge: run ./scripts/build.`);
    }
  }
}
