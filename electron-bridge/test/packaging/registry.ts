// A registry of npm packages that has the built ones, as if they were published, and sends every other request on.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { execFileSync } from "node:child_process";

export interface Registry {
  readonly url: string;
  readonly close: () => void;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
}

interface Package {
  readonly manifest: Manifest;
  readonly tarball: Buffer;
}

/** Serves the packages of the tarballs. What it does not have, npm fetches where it is configured to. */
export async function serveRegistry(tarballs: readonly string[]): Promise<Registry> {
  const packages = new Map(tarballs.map(packed).map((one) => [one.manifest.name, one]));
  const upstream = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim();
  const server = createServer(({ url = "/" }, response) => {
    const found = packages.get(decodeURIComponent(url.slice(1).split("/-/")[0] ?? ""));
    if (found === undefined) {
      response.writeHead(307, { location: new URL(url.slice(1), upstream).href }).end();
    } else if (url.includes("/-/")) {
      response.writeHead(200, { "content-type": "application/octet-stream" }).end(found.tarball);
    } else {
      describe(found, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => server.close(),
  };
}

function packed(path: string): Package {
  const manifest = execFileSync("tar", ["-xzOf", path, "package/package.json"], { encoding: "utf8" });
  return { manifest: JSON.parse(manifest) as Manifest, tarball: readFileSync(path) };
}

/** What a registry says about a package that has one version. */
function describe({ manifest, tarball }: Package, origin: string, response: ServerResponse): void {
  const { name, version } = manifest;
  const dist = {
    tarball: `${origin}/${name}/-/${name}-${version}.tgz`,
    integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
  };
  const document = { name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } } };
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(document));
}
