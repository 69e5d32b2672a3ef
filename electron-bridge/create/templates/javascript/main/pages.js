// Where the pages come from: files of page/ under app://local, and the client of the sidecar beside them.
"use strict";

const { protocol } = require("electron");
const { readFile } = require("node:fs/promises");
const path = require("node:path");

const SCHEME = "app";
const HOST = "local";

/** The origin of the pages: the only one that may call the sidecar. */
const ORIGIN = `${SCHEME}://${HOST}`;

/** What a page imports as "/electron-sidecar.js". */
const CLIENT = require.resolve("electron-sidecar/renderer.mjs");

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

const NOT_FOUND = { statusCode: 404, headers: {}, data: Buffer.alloc(0) };

/** Makes the scheme an origin of its own with the rights of https. Called before the app is ready. */
function registerScheme() {
  protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true } }]);
}

/** Serves the files of the folder. Called when the app is ready. */
function servePages(folder) {
  if (protocol.handle) {
    protocol.handle(SCHEME, async ({ url }) => {
      const { statusCode, headers, data } = await answerTo(url, folder);
      return new Response(data, { status: statusCode, headers });
    });
  } else {
    // Electron before 25.
    protocol.registerBufferProtocol(SCHEME, ({ url }, done) => void answerTo(url, folder).then(done));
  }
}

async function answerTo(url, folder) {
  const { host, pathname } = new URL(url);
  const file = path.join(folder, decodeURIComponent(pathname));
  const type = TYPES[path.extname(file)];
  // Nothing outside of the folder is served, and nothing of a type that a page does not need.
  if (host !== HOST || !file.startsWith(folder + path.sep) || type === undefined) return NOT_FOUND;
  const data = await readFile(pathname === "/electron-sidecar.js" ? CLIENT : file).catch(() => undefined);
  if (data === undefined) return NOT_FOUND;
  const headers = {
    "content-type": type,
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
  };
  return { statusCode: 200, headers, data };
}

module.exports = { ORIGIN, registerScheme, servePages };
