import { expect, test } from "vitest";
import { mismatchOf } from "../../../src/main/child/versions.js";

const BRIDGE = { version: "1.2.0", apiVersion: 3 };

test.each([
  ["1.2.0", 3, undefined],
  ["1.2.0", undefined, undefined],
  ["1.1.9", 3, { code: "version_mismatch", isOlder: true }],
  ["1.10.0", 3, { code: "version_mismatch", isOlder: false }],
  ["1.2.0rc1", 3, { code: "version_mismatch", isOlder: true }],
  ["1.2.0", 2, { code: "api_version_mismatch", isOlder: true }],
  ["1.1.0", 4, { code: "api_version_mismatch", isOlder: false }],
])("a sidecar %s of API %s for the bridge 1.2.0 of API 3: %o", (version, apiVersion, mismatch) => {
  expect(mismatchOf({ version, ...(apiVersion && { apiVersion }) }, BRIDGE)).toEqual(mismatch);
});

test.each([
  ["1.0.0-rc.1", "1.0.0rc1"],
  ["1.0.0-beta.2", "1.0.0b2"],
])("a pre-release is one version, as npm and as PyPI write it: %s, %s", (version, sidecars) => {
  expect(mismatchOf({ version: sidecars }, { version, apiVersion: 1 })).toBeUndefined();
});
