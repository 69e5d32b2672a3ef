// Where the pages come from: files under app://local, or the dev server of electron-vite.
import { protocol } from "electron";
import { readFile } from "node:fs/promises";
import { extname, join, sep } from "node:path";

const SCHEME = "app";
const HOST = "local";
const DEV_SERVER = process.env["ELECTRON_RENDERER_URL"];

/** The origin of the pages: the only one that may call the sidecar. */
export const ORIGIN = DEV_SERVER ? new URL(DEV_SERVER).origin : `${SCHEME}://${HOST}`;

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  data: Buffer;
}

const NOT_FOUND: Answer = { statusCode: 404, headers: {}, data: Buffer.alloc(0) };

/** Makes the scheme an origin of its own with the rights of https. Called before the app is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true } }]);
}

/** Serves the files of the folder. Called when the app is ready. */
export function servePages(folder: string): void {
  if (protocol.handle) {
    protocol.handle(SCHEME, async ({ url }) => {
      const { statusCode, headers, data } = await answerTo(url, folder);
      return new Response(new Uint8Array(data), { status: statusCode, headers });
    });
  } else {
    // Electron before 25.
    protocol.registerBufferProtocol(SCHEME, ({ url }, done) => void answerTo(url, folder).then(done));
  }
}

async function answerTo(url: string, folder: string): Promise<Answer> {
  const { host, pathname } = new URL(url);
  const file = join(folder, decodeURIComponent(pathname));
  const type = TYPES[extname(file)];
  // Nothing outside of the folder is served, and nothing of a type that a page does not need.
  if (host !== HOST || !file.startsWith(folder + sep) || type === undefined) return NOT_FOUND;
  const data = await readFile(file).catch(() => undefined);
  if (data === undefined) return NOT_FOUND;
  const headers = {
    "content-type": type,
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
  };
  return { statusCode: 200, headers, data };
}
