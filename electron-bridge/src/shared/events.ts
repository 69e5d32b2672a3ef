// What subscribers hear. Plain data: the same in the main process and in a page.

import type { components } from "./api.generated.js";
import { topics } from "./topics.js";

/** Something happened: a row changed, a message grew. */
export interface EventNotice {
  readonly kind: "event";
  readonly topic: string;
  /** Of the row; null where the event is about none. */
  readonly id: number | string | null;
  /** What else the event tells. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** The data of an event of the topic `upkeep`: work in the background that did something or failed. */
export type UpkeepRun = components["schemas"]["UpkeepRun"];

/**
 * The data of an event of the topic `recovery`: the database was damaged and has been mended. The event's id is the
 * report's, or `acknowledged` when somebody has taken note of all reports; the data is empty then.
 */
export interface RecoveryNews {
  readonly outcome?: components["schemas"]["RecoveryReport"]["outcome"];
  /** For a person: what was saved, and what was not. */
  readonly detail?: string;
}

/**
 * What was read before may be out of date: read it again. Every subscription begins with one, as soon as nothing more
 * can be missed, so that a subscriber needs no other place to read from.
 */
export interface ResetNotice {
  readonly kind: "reset";
  /**
   * `subscribed`: the first one; `another_instance`: the sidecar was restarted; `moved_on`: too much was missed;
   * `replaced`: the whole store was, for example by a backup.
   */
  readonly reason: string;
}

export type Notice = EventNotice | ResetNotice;

const MAX_TOPICS = 50;

/** What is wrong with what was given as the topics of a subscription; undefined if nothing is. */
export function problemOfTopics(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_TOPICS) {
    return `must be a list of 1 to ${MAX_TOPICS} names, such as 'todos' or 'messages.delta'`;
  }
  const unknown = value.find((topic) => !topics.includes(topic as string)) as unknown;
  if (unknown === undefined && !value.includes(undefined)) return undefined;
  return `has no '${String(unknown).slice(0, 100)}'; the topics are ${topics.join(", ")}`;
}
