// The example, the console, in a real Electron: what a person sees of it. `./scripts/demo` plays the rest.

import { expect, test } from "vitest";
import { App, freshFolder } from "./app.js";
import { CONSOLE, quit } from "./launch.mjs";

test("a row that a person adds in the console is shown at its next start", async () => {
  const userData = freshFolder();
  const first = await App.start({ app: CONSOLE, userData });
  await first.ready();
  await first.page.getByLabel("A tip worth keeping").fill("Write it down");
  await first.page.locator("#add-tip").getByRole("button").click();
  await first.page.getByText("Write it down", { exact: true }).waitFor();
  await quit(first.electron);

  const second = await App.start({ app: CONSOLE, userData });
  await second.page.getByText("Write it down", { exact: true }).waitFor();
  expect(await second.page.locator("#notice").isHidden()).toBe(true);
});
