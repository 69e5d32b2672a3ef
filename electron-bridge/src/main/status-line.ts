// The status lines that a sidecar writes to its standard output, as typed values. Pure text handling.

import type { Ready, Stage } from "../shared/status.js";

export type StatusLine =
  | { readonly event: "bound" }
  | ({ readonly event: "stage" } & Stage)
  | { readonly event: "ready"; readonly ready: Ready }
  | { readonly event: "failed"; readonly code: string; readonly message: string }
  | { readonly event: "stopping"; readonly reason: string };

/** The status line that the text is; undefined if it is none. Fields that are not known are ignored. */
export function parseStatusLine(text: string): StatusLine | undefined {
  const line = parseObject(text);
  if (!line) return undefined;
  const { event, stage, detail, code, message, reason } = line;
  if (event === "bound") return { event };
  if (event === "ready") return parseReady(line);
  if (event === "stage" && typeof stage === "string") {
    return { event, stage, detail: typeof detail === "string" ? detail : null };
  }
  if (event === "failed" && typeof code === "string" && typeof message === "string")
    return { event, code, message };
  if (event === "stopping" && typeof reason === "string") return { event, reason };
  return undefined;
}

function parseReady(line: Record<string, unknown>): StatusLine | undefined {
  const { port, pid, instance, version, api_version: apiVersion, schema_version: schemaVersion } = line;
  if (!isPort(port) || typeof pid !== "number") return undefined;
  if (typeof instance !== "string" || typeof version !== "string") return undefined;
  if (typeof apiVersion !== "number" || typeof schemaVersion !== "number") return undefined;
  return {
    event: "ready",
    ready: Object.freeze({ port, pid, instance, version, apiVersion, schemaVersion }),
  };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) < 65_536;
}
