// The subscriptions of pages to live events: each belongs to what its window shows now, and ends with that.

import { channels, type EventMessage } from "../shared/channels.js";
import { SidecarError } from "../shared/errors.js";
import type { Notice } from "../shared/events.js";
import type { WebContentsLike } from "./ipc.js";
import type { Sidecar } from "./sidecar.js";

/**
 * Notices that may be on their way to a page at one time, unless they come at once; one that does not take them is told
 * to read again.
 */
const MAX_UNTAKEN = 5_000;

interface Subscription {
  readonly stop: () => void;
  /** Notices that were sent and that the page has not confirmed. */
  untaken: number;
  isBehind: boolean;
}

export class PageSubscriptions {
  readonly #pages = new Map<WebContentsLike, Map<string, Subscription>>();
  readonly #watched = new WeakSet<WebContentsLike>();

  /** Made once: a page that goes on asking must cost little. */
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
    this.#pages.set(page, ofPage.set(id, { stop, untaken: 0, isBehind: false }));
  }

  remove(page: WebContentsLike, id: string): void {
    const ofPage = this.#pages.get(page);
    ofPage?.get(id)?.stop();
    ofPage?.delete(id);
    if (ofPage?.size === 0) this.#pages.delete(page);
  }

  /** The page has taken so many notices. */
  taken(page: WebContentsLike, id: string, count: number): void {
    const subscription = this.#pages.get(page)?.get(id);
    if (!subscription || !(count > 0)) return;
    subscription.untaken = Math.max(0, subscription.untaken - count);
    if (!subscription.isBehind || subscription.untaken > 0) return;
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
    const untaken = subscription.untaken + notices.length;
    // A page that has taken everything is never behind: it has nothing more to confirm.
    subscription.isBehind = subscription.untaken > 0 && untaken > MAX_UNTAKEN;
    if (subscription.isBehind) return;
    subscription.untaken = untaken;
    const event: EventMessage = { kind: "notices", id, notices };
    page.send(channels.event, event);
  }
}

function tooMany(limit: number): SidecarError {
  const message = `This page has ${limit} live subscriptions already; end those that it needs no more.`;
  return new SidecarError("too_many_subscriptions", message);
}
