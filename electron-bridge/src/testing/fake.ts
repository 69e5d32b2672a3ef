// A sidecar that does not exist, for the tests of a page: it answers what the test says.

import { createClient, type SidecarClient } from "../shared/client.js";
import type { EventNotice, Notice, Topic } from "../shared/events.js";
import {
  builtInOperations,
  type CallInput,
  type CallResult,
  findOperation,
  type OperationId,
} from "../shared/operations.js";
import type { Status } from "../shared/status.js";

/** Answers by operation: a result, or a function of the input that returns one or throws. */
export type FakeAnswers = {
  readonly [Id in OperationId]?:
    CallResult<Id> | ((input: CallInput<Id>) => CallResult<Id> | Promise<CallResult<Id>>);
};

/** A call that was made, its input with the parts named. */
export interface FakeCall {
  readonly operation: string;
  readonly input: unknown;
}

interface CallOptions {
  readonly signal?: AbortSignal;
  readonly key?: string;
}

export interface Fake {
  /** What a page imports from `electron-sidecar/renderer`. */
  readonly sidecar: SidecarClient<CallOptions>;
  /** All calls so far, in their order. */
  readonly calls: readonly FakeCall[];
  /** Adds answers, or replaces them. */
  readonly answer: (answers: FakeAnswers) => void;
  /** Sends an event to the subscribers of its topic. */
  readonly emit: <Name extends Topic>(topic: Name, event: Omit<EventNotice<Name>, "kind" | "topic">) => void;
  /** Sends all subscribers a reset, as after a restart. */
  readonly reset: (reason?: string) => void;
  /** Changes the status, which is `ready` at first. */
  readonly become: (status: Partial<Status>) => void;
}

interface Subscriber {
  readonly topics: readonly Topic[];
  readonly tell: (notices: readonly Notice[]) => void;
}

/** An operation of the app's own depends on all topics of its namespace, as it does by default. */
function topicsOf(operation: string): readonly string[] {
  const [namespace = ""] = operation.split(".");
  return findOperation(builtInOperations, operation)?.topics ?? [`${namespace}.*`];
}

type AnyAnswer = (input: unknown) => unknown;

/** A fake with these answers. A call without an answer rejects with an Error that says so. */
export function fakeSidecar(answers: FakeAnswers = {}): Fake {
  let known: FakeAnswers = answers;
  let status: Status = { state: "ready", stage: null, failure: null };
  const calls: FakeCall[] = [];
  const subscribers = new Set<Subscriber>();
  const watchers = new Set<(status: Status) => void>();
  const sidecar = createClient<CallOptions>(
    {
      call: (operation, input) => {
        calls.push({ operation, input });
        return Promise.resolve(answerOf(known, operation, input));
      },
      topics: (operation) => Promise.resolve(topicsOf(operation)),
      status: () => Promise.resolve(status),
      onStatus: (listener) => {
        watchers.add(listener);
        return () => void watchers.delete(listener);
      },
      subscribe: (topics, tell) => {
        const subscriber = { topics, tell };
        subscribers.add(subscriber);
        queueMicrotask(() => {
          if (subscribers.has(subscriber)) tell([{ kind: "reset", reason: "subscribed" }]);
        });
        return { stop: () => void subscribers.delete(subscriber), accepted: Promise.resolve() };
      },
    },
    undefined,
    true,
  );
  return {
    sidecar,
    calls,
    answer: (more) => {
      known = { ...known, ...more };
    },
    emit: (topic, event) => {
      const notice = { kind: "event", topic, ...event } as Notice;
      for (const { topics, tell } of subscribers) if (topics.includes(topic)) tell([notice]);
    },
    reset: (reason = "another_instance") => {
      for (const { tell } of subscribers) tell([{ kind: "reset", reason }]);
    },
    become: (change) => {
      status = { ...status, ...change };
      for (const listener of watchers) listener(status);
    },
  };
}

function answerOf(answers: FakeAnswers, operation: string, input: unknown): unknown {
  if (!Object.hasOwn(answers, operation)) {
    throw new Error(
      `The fake sidecar has no answer to '${operation}'; give it one: fakeSidecar({ "${operation}": … }).`,
    );
  }
  const answer = answers[operation as OperationId] as unknown;
  return typeof answer === "function" ? (answer as AnyAnswer)(input) : answer;
}
