// The notices that subscribers get. Plain data: the same in the main process and in a page.

import { type TopicEvents, topics } from "./operations.generated.js";

/** A topic of the sidecar's live events, such as `todos` or `messages.delta`. */
export type Topic = keyof TopicEvents;

/** The data of an event of the topic, besides its id. */
export type EventData<Name extends Topic> = Readonly<Omit<TopicEvents[Name], "topic" | "id">>;

/** The id in an event of the topic: mostly that of a row; null where the event is about none. */
export type EventId<Name extends Topic> = TopicEvents[Name] extends { id: infer Id }
  ? // Where the data has fields of any name, the compiler believes the id to be one of them.
    [Id] extends [never]
    ? string
    : Id
  : null;

/** Something happened: a row changed, a message grew. */
export type EventNotice<Name extends Topic = Topic> = {
  [Each in Name]: {
    readonly kind: "event";
    readonly topic: Each;
    readonly id: EventId<Each>;
    readonly data: EventData<Each>;
  };
}[Name];

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

export type Notice<Name extends Topic = Topic> = EventNotice<Name> | ResetNotice;

const MAX_TOPICS = 50;

/** The problem with the value as the topics of a subscription; undefined if there is none. */
export function problemOfTopics(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_TOPICS) {
    return `must be a list of 1 to ${MAX_TOPICS} names, such as 'todos' or 'messages.delta'`;
  }
  const known: readonly unknown[] = topics;
  const unknown = value.find((topic) => !known.includes(topic)) as unknown;
  if (unknown === undefined && !value.includes(undefined)) return undefined;
  return `has no '${String(unknown).slice(0, 100)}'; the topics are ${topics.join(", ")}`;
}
