// The subscriptions of pages to live events. Each belongs to the page that its window shows, and ends with that page.

import { channels, type EventMessage } from "../../shared/channels.js";
import { SidecarError } from "../../shared/errors.js";
import type { Notice } from "../../shared/events.js";
import type { WebContentsLike } from "../electron-types.js";
import type { Sidecar } from "../sidecar.js";

/**
 * Unacknowledged notices that a page may have at one time, unless they come at once; a page that exceeds this gets no
 * more until it has acknowledged all, and then a reset.
 */
const MAX_UNACKNOWLEDGED = 5_000;

interface Subscription {
  readonly stop: () => void;
  /** Notices that were sent and that the page has not confirmed. */
  unacknowledged: number;
  isBehind: boolean;
}

export class PageSubscriptions {
  readonly #pages = new Map<WebContentsLike, Map<string, Subscription>>();
  readonly #watched = new WeakSet<WebContentsLike>();

  /** Made once: a page that keeps asking must cost little. */
  readonly #tooMany: SidecarError;

  constructor(
    private readonly sidecar: Sidecar,
    private readonly isOwn: (url: string) => boolean,
  ) {
    this.#tooMany = tooMany(sidecar.policy.maxPageSubscriptions);
  }

  /** @throws SidecarError `invalid_call`, `too_many_subscriptions` */
  add(page: WebContentsLike, id: string, topics: unknown): void {
    this.remove(page, id);
    const { maxPageSubscriptions } = this.sidecar.policy;
    if ((this.#pages.get(page)?.size ?? 0) >= maxPageSubscriptions) throw this.#tooMany;
    const stop = this.sidecar.subscribeBatches(topics, (notices) => this.#send(page, id, notices));
    this.#watch(page);
    const ofPage = this.#pages.get(page) ?? new Map<string, Subscription>();
    this.#pages.set(page, ofPage.set(id, { stop, unacknowledged: 0, isBehind: false }));
  }

  remove(page: WebContentsLike, id: string): void {
    const ofPage = this.#pages.get(page);
    ofPage?.get(id)?.stop();
    ofPage?.delete(id);
    if (ofPage?.size === 0) this.#pages.delete(page);
  }

  /** Notes that the page has acknowledged `count` notices. */
  taken(page: WebContentsLike, id: string, count: number): void {
    const subscription = this.#pages.get(page)?.get(id);
    if (!subscription || !(count > 0)) return;
    subscription.unacknowledged = Math.max(0, subscription.unacknowledged - count);
    if (!subscription.isBehind || subscription.unacknowledged > 0) return;
    subscription.isBehind = false;
    this.#send(page, id, [{ kind: "reset", reason: "moved_on" }]);
  }

  removeAll(): void {
    for (const page of [...this.#pages.keys()]) this.#removePage(page);
  }

  #removePage(page: WebContentsLike): void {
    for (const { stop } of this.#pages.get(page)?.values() ?? []) stop();
    this.#pages.delete(page);
  }

  #watch(page: WebContentsLike): void {
    if (this.#watched.has(page)) return;
    this.#watched.add(page);
    const removePage = (): void => this.#removePage(page);
    page.once("destroyed", removePage);
    page.on("did-navigate", removePage);
    page.on("render-process-gone", removePage);
  }

  #send(page: WebContentsLike, id: string, notices: readonly Notice[]): void {
    const subscription = this.#pages.get(page)?.get(id);
    if (!subscription || subscription.isBehind || !this.isOwn(page.getURL())) return;
    const unacknowledged = subscription.unacknowledged + notices.length;
    // A page that has taken everything is never behind: it has nothing more to confirm.
    subscription.isBehind = subscription.unacknowledged > 0 && unacknowledged > MAX_UNACKNOWLEDGED;
    if (subscription.isBehind) return;
    subscription.unacknowledged = unacknowledged;
    const event: EventMessage = { kind: "notices", id, notices };
    page.send(channels.event, event);
  }
}

function tooMany(limit: number): SidecarError {
  const message = `This page has ${limit} live subscriptions already; end those that it needs no more.`;
  return new SidecarError("too_many_subscriptions", message);
}
