// electron-sidecar/main: for Electron's main process.

export type { PowerMonitorLike } from "./electron-types.js";
export { exposeToPages, type ExposeOptions } from "./pages/expose.js";
export { watchPower } from "./supervision/power.js";
export type { DevelopmentOptions } from "./development/options.js";
export { defaultPolicy, type Policy } from "./supervision/policy.js";
export type { SidecarOptions } from "./options.js";
export { Sidecar, type SidecarEvents } from "./sidecar.js";
export { installUpdate, type UpdateOptions } from "./update.js";
export type { CallOptions } from "./calls/calls.js";
export type { StopReport } from "./supervision/stopping.js";
export type { ExitReason, SupportBundle, Transition } from "./supervision/support-bundle.js";
export { type BridgeErrorCode, type FieldError, SidecarError } from "../shared/errors.js";
export type { Client } from "../shared/client.js";
export type { LiveOptions } from "../shared/live.js";
export type { EventData, EventNotice, Notice, ResetNotice, Topic } from "../shared/events.js";
export type {
  CallInput,
  CallResult,
  FlatCallInput,
  Job,
  LiveOperationId,
  LongOperationId,
  OperationId,
  OperationTable,
} from "../shared/operations.js";
export type { Failure, Ready, Snapshot, Stage, State, Status, Warning } from "../shared/status.js";
