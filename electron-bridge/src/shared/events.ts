// The notices that subscribers get. Plain data: the same in the main process and in a page.

import { nearest } from "./nearest.js";
import type { OwnNamespace } from "./operations.js";
import { type TopicEvents, topics } from "./operations.generated.js";

/** A topic of the app's own: of one of its extensions, such as `notes.cards`, or of the app itself, such as `app.theme`. */
// eslint-disable-next-line @typescript-eslint/no-redundant-type-constituents -- an app without extensions has no namespaces
type OwnTopic = `app.${string}` | `${OwnNamespace}.${string}`;

/** A topic of the sidecar's live events, such as `todos` or `messages.delta`. */
export type Topic = keyof TopicEvents | OwnTopic;

/** The event of a topic; that of an own topic has whatever was published. */
type EventOf<Name extends Topic> = Name extends keyof TopicEvents
  ? TopicEvents[Name]
  : { readonly id: number | string | null } & Readonly<Record<string, unknown>>;

/** The data of an event of the topic, besides its id. */
export type EventData<Name extends Topic> = Readonly<Omit<EventOf<Name>, "topic" | "id">>;

/** The id in an event of the topic: mostly that of a row; null where the event is about none. */
export type EventId<Name extends Topic> =
  EventOf<Name> extends { id: infer Id }
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

/** More than a sidecar with several extensions has: one subscription serves all live queries of a page. */
const MAX_TOPICS = 200;

/** What an own topic looks like; `notes.*` stands for all of a namespace. */
const OWN_TOPIC = /^(?<namespace>[a-z][a-z0-9_]*)\.([a-z0-9_.]+|\*)$/;

/** Whether an event of the topic is for who subscribes to `topics`. */
export function covers(topics: ReadonlySet<string> | undefined, topic: string): boolean {
  return topics !== undefined && (topics.has(topic) || topics.has(`${topic.split(".")[0]}.*`));
}

/** Whether the topic may be one of the app's own; `namespaces` are those that it has, where they are known. */
function isOwnTopic(topic: unknown, namespaces: ReadonlySet<string> | undefined): boolean {
  const namespace = typeof topic === "string" ? OWN_TOPIC.exec(topic)?.groups?.["namespace"] : undefined;
  if (namespace === undefined) return false;
  if (namespace === "app") return true;
  return namespaces?.has(namespace) ?? !topics.some((known) => known.split(".")[0] === namespace);
}

/** The topic with each namespace in place of the one that it has. */
function ownNames(topic: string, namespaces: ReadonlySet<string> = new Set()): string[] {
  const dot = topic.indexOf(".");
  return dot < 0 ? [] : ["app", ...namespaces].map((namespace) => namespace + topic.slice(dot));
}

/**
 * The problem with the value as the topics of a subscription; undefined if there is none. `namespaces` are those of the
 * app's extensions; without them, as in a page, any name that is not the sidecar's may be one.
 */
export function problemOfTopics(value: unknown, namespaces?: ReadonlySet<string>): string | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_TOPICS) {
    return `must be a list of 1 to ${MAX_TOPICS} names, such as 'todos' or 'messages.delta'`;
  }
  const known: readonly unknown[] = topics;
  const unknown = value.find((topic) => !known.includes(topic) && !isOwnTopic(topic, namespaces)) as unknown;
  if (unknown === undefined && !value.includes(undefined)) return undefined;
  const wrong = String(unknown);
  const near = nearest(wrong, [...topics, ...ownNames(wrong, namespaces)]);
  const advice = near === undefined ? `the topics are ${topics.join(", ")}` : `did you mean '${near}'?`;
  return `has no '${wrong.slice(0, 100)}'; ${advice}`;
}
