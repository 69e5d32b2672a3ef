// Serves the console's page under app://console. Only the files named here exist; no path reaches the disk.
"use strict";

const fs = require("node:fs/promises");
const path = require("node:path");

const SCHEME = "app";
const ORIGIN = `${SCHEME}://console`;
const PACKAGE = path.dirname(require.resolve("electron-sidecar/package.json"));

const FILES = {
  "/": { file: path.join(__dirname, "page", "index.html"), type: "text/html" },
  "/style.css": { file: path.join(__dirname, "page", "style.css"), type: "text/css" },
  "/console.js": { file: path.join(__dirname, "page", "console.js"), type: "text/javascript" },
  "/panels.js": { file: path.join(__dirname, "page", "panels.js"), type: "text/javascript" },
  "/electron-sidecar.js": { file: path.join(PACKAGE, "dist", "renderer.mjs"), type: "text/javascript" },
};

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

async function answer(url) {
  const { host, pathname } = new URL(url);
  const known =
    `${SCHEME}://${host}` === ORIGIN && Object.hasOwn(FILES, pathname) ? FILES[pathname] : undefined;
  if (known === undefined) return { statusCode: 404, headers: {}, data: Buffer.alloc(0) };
  const headers = {
    "content-type": `${known.type}; charset=utf-8`,
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
  };
  return { statusCode: 200, headers, data: await fs.readFile(known.file) };
}

/** Electron 25 brought `handle`; before it, a protocol answered with a buffer. */
function servePage(protocol) {
  if (protocol.handle) {
    protocol.handle(SCHEME, async ({ url }) => {
      const { statusCode, headers, data } = await answer(url);
      return new Response(data, { status: statusCode, headers });
    });
  } else {
    protocol.registerBufferProtocol(SCHEME, ({ url }, done) => void answer(url).then(done));
  }
}

module.exports = { ORIGIN, SCHEME, servePage };
