import { defineConfig } from "electron-vite";

/** For the pages of the dev server, which reloads them over a socket and adds styles by itself. */
const DEVELOPMENT_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' ws:; base-uri 'none'; form-action 'none'";

// What is among the devDependencies is bundled into main and preload: a sandboxed preload script can be one file only,
// and the packaged app needs no node_modules.
export default defineConfig({
  main: {},
  preload: {},
  renderer: { server: { headers: { "content-security-policy": DEVELOPMENT_POLICY } } },
});
