// Serves the pages of the examples under app://. Only the files that are named exist; no path reaches the disk.
"use strict";

const fs = require("node:fs/promises");

const SCHEME = "app";
const CLIENT = { file: require.resolve("electron-sidecar/renderer.mjs"), type: "text/javascript" };

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

async function answer(files, origin, url) {
  const { host, pathname } = new URL(url);
  const known =
    `${SCHEME}://${host}` === origin && Object.hasOwn(files, pathname) ? files[pathname] : undefined;
  if (known === undefined) return { statusCode: 404, headers: {}, data: Buffer.alloc(0) };
  const headers = {
    "content-type": `${known.type}; charset=utf-8`,
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
  };
  return { statusCode: 200, headers, data: await fs.readFile(known.file) };
}

/**
 * Makes app://`host` the origin of these files and of the client of the sidecar; called before the app is ready. Returns
 * the origin, and a function that serves it once the app is ready.
 */
function servePages(protocol, host, ownFiles) {
  const origin = `${SCHEME}://${host}`;
  const files = { ...ownFiles, "/electron-sidecar.js": CLIENT };
  protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true } }]);
  return { origin, serve: () => serve(protocol, (url) => answer(files, origin, url)) };
}

/** Electron 25 brought `handle`; before it, a protocol answered with a buffer. */
function serve(protocol, answerTo) {
  if (protocol.handle) {
    protocol.handle(SCHEME, async ({ url }) => {
      const { statusCode, headers, data } = await answerTo(url);
      return new Response(data, { status: statusCode, headers });
    });
  } else {
    protocol.registerBufferProtocol(SCHEME, ({ url }, done) => void answerTo(url).then(done));
  }
}

module.exports = { servePages };
