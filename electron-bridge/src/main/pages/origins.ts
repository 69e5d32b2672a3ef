// The origins of the app's own pages: scheme and host. `URL.origin` cannot be used: it is 'null' for custom schemes.

import { SidecarError } from "../../shared/errors.js";
import type { IpcEventLike } from "../electron-types.js";

/** Characters of a foreign origin that an error shows. */
const MAX_SHOWN = 100;

/** Scheme and host of a URL, such as `app://console` or `http://localhost:5173`; undefined if it is none. */
export function originOf(url: string): string | undefined {
  try {
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}`.toLowerCase();
  } catch {
    return undefined;
  }
}

/**
 * The origin that an app configured, in the form in which `originOf` gives it.
 *
 * @throws SidecarError `invalid_configuration` if it is not one origin, exactly
 */
export function checkedOrigin(configured: string): string {
  const origin = originOf(configured);
  const isExact = origin !== undefined && [origin, `${origin}/`].includes(configured.toLowerCase());
  // Without a host, pages cannot be distinguished. All files are one origin, if an app wants that.
  if (isExact && (origin === "file://" || !origin.endsWith("//"))) return origin;
  const example = "a scheme and a host, such as 'app://console'";
  throw new SidecarError("invalid_configuration", `'${configured}' is not an origin: it must be ${example}.`);
}

/** The refusal of a frame. It names the origin that was seen and those that are allowed; none of them is a secret. */
export function foreignFrame(frame: IpcEventLike["senderFrame"], allowed: Iterable<string>): SidecarError {
  return new SidecarError("foreign_frame", foreignFrameSentence(frame, [...allowed].join(", ") || "none"));
}

function foreignFrameSentence(frame: IpcEventLike["senderFrame"], allowed: string): string {
  if (!frame)
    return "The frame that called the sidecar is gone: it was closed, or shows another page by now.";
  const seen = (originOf(frame.url) ?? frame.url).slice(0, MAX_SHOWN);
  if (frame.parent) {
    return (
      `A frame inside a page called the sidecar, of the origin '${seen}'; only the page itself may, in the main frame of ` +
      `its window and of these origins: ${allowed}.`
    );
  }
  return (
    `A page of the origin '${seen}' called the sidecar, and exposeToPages allows these: ${allowed}; if the page is the ` +
    "app's own, add its origin to the option origins."
  );
}
