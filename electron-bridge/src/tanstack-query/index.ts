// electron-sidecar/tanstack-query: query options for operations, and the connection of a QueryClient to the live events.
// Nothing of TanStack is imported at run time: what is used of a QueryClient is written down here.

import type { DataTag } from "@tanstack/query-core";
import { Coalesced } from "../shared/coalesced.js";
import type { Client } from "../shared/client.js";
import type { SidecarError } from "../shared/errors.js";
import type {
  AnyFormOfInput,
  CallArguments,
  CallInput,
  CallResult,
  LiveOperationId,
  OperationId,
} from "../shared/operations.js";

/** The first part of every key. `["electron-sidecar", "todos.list"]` are all queries of an operation. */
const SCOPE = "electron-sidecar";
const MOST_RETRIES = 3;

interface SignalOption {
  readonly signal?: AbortSignal;
}

/** The sidecar of a page or of the main process. */
export type AnySidecar = Pick<Client<SignalOption>, "call" | "watch">;

/** A query's key: the operation, and the input that it was given. */
export type SidecarQueryKey<Id extends OperationId> = readonly [typeof SCOPE, Id, AnyFormOfInput<Id> | null];

interface Retrying {
  /** As a sidecar needs no network, a query runs without one, too. */
  readonly networkMode: "always";
  /** A failure that may pass is tried again. A call has waited for a restarting sidecar already. */
  readonly retry: (failures: number, error: SidecarError) => boolean;
}

export interface SidecarQueryOptions<Id extends OperationId> extends Retrying {
  readonly queryKey: DataTag<SidecarQueryKey<Id>, CallResult<Id>, SidecarError>;
  readonly queryFn: (context: { readonly signal: AbortSignal }) => Promise<CallResult<Id>>;
}

export interface SidecarMutationOptions<Id extends OperationId> {
  readonly mutationKey: readonly [typeof SCOPE, Id];
  readonly mutationFn: (input: AnyFormOfInput<Id>) => Promise<CallResult<Id>>;
  readonly networkMode: "always";
}

/** The input may be left out where nothing in it is required. */
type InputArguments<Id extends OperationId> =
  object extends CallInput<Id> ? [input?: AnyFormOfInput<Id>] : [input: AnyFormOfInput<Id>];

const retrying: Retrying = {
  networkMode: "always",
  retry: (failures, error) => error.retryable && failures < MOST_RETRIES,
};

/** The options of a query that calls an operation: for `useQuery`, `prefetchQuery` and all that takes such options. */
export function queryOptions<Id extends OperationId>(
  sidecar: AnySidecar,
  operation: Id,
  ...[input]: InputArguments<Id>
): SidecarQueryOptions<Id> {
  const key: SidecarQueryKey<Id> = [SCOPE, operation, input ?? null];
  return {
    ...retrying,
    queryKey: key as SidecarQueryOptions<Id>["queryKey"],
    queryFn: ({ signal }) => call(sidecar, operation, input, { signal }),
  };
}

/** The options of a mutation that calls an operation with the variables as its input. */
export function mutationOptions<Id extends OperationId>(
  sidecar: AnySidecar,
  operation: Id,
): SidecarMutationOptions<Id> {
  return {
    networkMode: "always",
    mutationKey: [SCOPE, operation],
    mutationFn: (input) => call(sidecar, operation, input, {}),
  };
}

function call<Id extends OperationId>(
  sidecar: AnySidecar,
  operation: Id,
  input: AnyFormOfInput<Id> | undefined,
  options: SignalOption,
): Promise<CallResult<Id>> {
  const rest = [input, options] as unknown as CallArguments<Id, SignalOption>;
  return sidecar.call(operation, ...rest);
}

interface CachedQuery {
  readonly queryHash: string;
  readonly queryKey: readonly unknown[];
}

/** What is used of a QueryClient of TanStack Query 5, whichever copy of it the app has. */
export interface QueryClientLike {
  getQueryCache(): {
    getAll(): readonly CachedQuery[];
    subscribe(listener: (event: { readonly type: string; readonly query: CachedQuery }) => void): () => void;
  };
  invalidateQueries(filters: { queryKey: readonly unknown[] }): Promise<void>;
}

export interface ConnectOptions {
  /**
   * Called for an operation that cannot be watched: its queries are as they are without a connection. Without it, any
   * error but `invalid_call`, which an operation without topics gets, is an unhandled rejection.
   */
  readonly onError?: (error: SidecarError, operation: string) => void;
}

/**
 * Invalidates the queries of an operation whenever a commit, a restart or a restored backup may have changed its answer.
 * Many commits are one invalidation, and the next one waits until the queries were read. Returns a function that ends
 * this.
 */
export function connectQueryClient(
  sidecar: AnySidecar,
  queryClient: QueryClientLike,
  { onError }: ConnectOptions = {},
): () => void {
  const watched = new Map<string, WatchedOperation>();
  const add = (query: CachedQuery): void => {
    const operation = operationOf(query);
    if (operation === undefined) return;
    const known = watched.get(operation) ?? watchOperation(sidecar, queryClient, operation, onError);
    watched.set(operation, known);
    known.queries.add(query.queryHash);
  };
  const remove = (query: CachedQuery): void => {
    const operation = operationOf(query) ?? "";
    const known = watched.get(operation);
    if (known?.queries.delete(query.queryHash) !== true || known.queries.size > 0) return;
    known.end();
    watched.delete(operation);
  };
  const cache = queryClient.getQueryCache();
  cache.getAll().forEach(add);
  const unsubscribe = cache.subscribe(({ type, query }) => {
    if (type === "added") add(query);
    if (type === "removed") remove(query);
  });
  return () => {
    unsubscribe();
    for (const { end } of watched.values()) end();
    watched.clear();
  };
}

interface WatchedOperation {
  /** The hashes of its queries in the cache. */
  readonly queries: Set<string>;
  readonly end: () => void;
}

function watchOperation(
  sidecar: AnySidecar,
  queryClient: QueryClientLike,
  operation: string,
  onError: ConnectOptions["onError"],
): WatchedOperation {
  const invalidating = new Coalesced(() => queryClient.invalidateQueries({ queryKey: [SCOPE, operation] }));
  const unwatch = sidecar.watch(operation as LiveOperationId, () => invalidating.request(), {
    onError: (error) => {
      if (onError) onError(error, operation);
      // An operation that cannot be live is an ordinary query.
      else if (error.code !== "invalid_call") void Promise.reject(error);
    },
  });
  const end = (): void => {
    unwatch();
    invalidating.end();
  };
  return { queries: new Set(), end };
}

/** The operation of one of this project's queries; undefined for any other query of the app. */
function operationOf({ queryKey: [scope, operation] }: CachedQuery): string | undefined {
  return scope === SCOPE && typeof operation === "string" ? operation : undefined;
}
