// electron-builder puts the frozen sidecar beside the app's archive: resources/sidecar/sidecar, where the bridge looks for it.
"use strict";

const electronMajor = Number(require("electron/package.json").version.split(".")[0]);
/** Playwright needs Node's inspector. Set it for a copy that tests run, never for a release. */
const isForTests = process.env.PACKAGE_FOR_TESTS === "1";

/** @type {import("electron-builder").Configuration} */
module.exports = {
  appId: "org.example.sidecar-console",
  directories: { output: "release", buildResources: "packaging" },
  files: ["main.js", "scheme.js", "page/**", "cards/**"],
  asar: true,
  // Made by `npm run freeze`. A program cannot be started from inside app.asar.
  extraResources: [{ from: "frozen/sidecar", to: "sidecar" }],
  electronFuses: {
    // The sidecar has a Python of its own: nothing needs the app's executable as a Node.
    runAsNode: false,
    enableCookieEncryption: true,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: isForTests,
    // macOS and Windows (Electron 30 and newer); Linux ignores it.
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
    loadBrowserProcessSpecificV8Snapshot: false,
    ...(electronMajor >= 29 && { grantFileProtocolExtraPrivileges: false }),
  },
  mac: {
    category: "public.app-category.developer-tools",
    hardenedRuntime: true,
    // For the app, and for everything inside it: Electron's helpers and each file of the frozen sidecar.
    entitlements: "packaging/entitlements.mac.plist",
    entitlementsInherit: "packaging/entitlements.mac.plist",
    // Asks Apple, with APPLE_API_KEY, APPLE_API_KEY_ID and APPLE_API_ISSUER from the environment.
    notarize: true,
    target: ["dmg", "zip"],
  },
  win: {
    // With the executables, which are always signed: the libraries of the frozen sidecar.
    signExts: [".dll", ".pyd"],
    target: "nsis",
  },
  linux: { category: "Development", target: ["AppImage", "deb"] },
};
