// electron-sidecar/testing: for the tests of an app, with any runner, without Electron.

export { type Fake, type FakeAnswers, type FakeCall, fakeSidecar } from "./fake.js";
export { sidecarFixture, startSidecar, TestSidecar, type TestSidecarOptions } from "./sidecar.js";
export { SidecarError } from "../main/index.js";
