// electron-sidecar/main: for Electron's main process.

export { exposeToPages, type ExposeOptions } from "./ipc.js";
export { type PowerMonitorLike, watchPower } from "./power.js";
export { defaultPolicy, type Policy } from "./policy.js";
export { Sidecar, type SidecarEvents, type SidecarOptions } from "./sidecar.js";
export type { CallOptions } from "./calls.js";
export type { StopReport } from "./stopping.js";
export type { ExitReason, SupportBundle, Transition } from "./support-bundle.js";
export { type BridgeErrorCode, type FieldError, SidecarError } from "../shared/errors.js";
export type { EventNotice, Notice, RecoveryNews, ResetNotice, UpkeepRun } from "../shared/events.js";
export type { CallInput, CallResult, OperationId } from "../shared/operations.js";
export type { Failure, Ready, Stage, State, Status } from "../shared/status.js";
