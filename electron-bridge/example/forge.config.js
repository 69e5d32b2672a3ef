// Electron Forge puts the frozen sidecar beside the app's archive: resources/sidecar/sidecar, where the bridge looks for it.
"use strict";

const { FusesPlugin } = require("@electron-forge/plugin-fuses");
const { FuseV1Options, FuseVersion } = require("@electron/fuses");

const electronMajor = Number(require("electron/package.json").version.split(".")[0]);
const { APPLE_API_KEY, APPLE_API_KEY_ID, APPLE_API_ISSUER } = process.env;
/** Playwright needs Node's inspector. Set it for a copy that tests run, never for a release. */
const isForTests = process.env.PACKAGE_FOR_TESTS === "1";

/** A release for macOS. Signs from the inside out: each file of the frozen sidecar, Electron's helpers, the app. */
const signed = {
  osxSign: { optionsForFile: () => ({ entitlements: "packaging/entitlements.mac.plist" }) },
  osxNotarize: {
    appleApiKey: APPLE_API_KEY,
    appleApiKeyId: APPLE_API_KEY_ID,
    appleApiIssuer: APPLE_API_ISSUER,
  },
};

module.exports = {
  packagerConfig: {
    asar: true,
    // Made by `npm run freeze`. A program cannot be started from inside app.asar.
    extraResource: ["frozen/sidecar"],
    ignore: [
      /^\/(backend|frozen|packaging|release)($|\/)/,
      /^\/(demo\.mjs|electron-builder\.js|forge\.config\.js)$/,
    ],
    ...(APPLE_API_KEY && signed),
  },
  plugins: [
    new FusesPlugin({
      version: FuseVersion.V1,
      // The sidecar has a Python of its own: nothing needs the app's executable as a Node.
      [FuseV1Options.RunAsNode]: false,
      [FuseV1Options.EnableCookieEncryption]: true,
      [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
      [FuseV1Options.EnableNodeCliInspectArguments]: isForTests,
      // macOS and Windows (Electron 30 and newer); Linux ignores it.
      [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
      [FuseV1Options.OnlyLoadAppFromAsar]: true,
      [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
      ...(electronMajor >= 29 && { [FuseV1Options.GrantFileProtocolExtraPrivileges]: false }),
    }),
  ],
};
