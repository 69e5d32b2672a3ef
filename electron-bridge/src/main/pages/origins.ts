// The origins of the app's own pages: scheme and host. `URL.origin` cannot be used: it is 'null' for custom schemes.

import { SidecarError } from "../../shared/errors.js";

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
