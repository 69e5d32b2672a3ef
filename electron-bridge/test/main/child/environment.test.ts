import { expect, test } from "vitest";
import { isPackaged } from "../../../src/main/child/environment.js";

test.each([
  ["plain Node", {}, false],
  ["an app in development", { resourcesPath: "/electron/resources", defaultApp: true }, false],
  ["a packaged app", { resourcesPath: "/app/resources" }, true],
])("only a packaged app takes Python from nobody but itself: %s", (_, process_, packaged) => {
  expect(isPackaged(process_)).toBe(packaged);
});
