// Listening to an app's AbortSignals. Node warns of a leak when a signal has eleven listeners, although one signal for many
// calls is what signals are for: here, each signal has one listener, whatever depends on it.

const actionsOf = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls the action when the signal ends, once; at once if it has ended. Returns a function that calls this off. */
export function onAbort(signal: AbortSignal, action: () => void): () => void {
  if (signal.aborted) {
    action();
    return () => undefined;
  }
  const own = (): void => action();
  const actions = actionsOf.get(signal) ?? listen(signal);
  actions.add(own);
  return () => void actions.delete(own);
}

function listen(signal: AbortSignal): Set<() => void> {
  const actions = new Set<() => void>();
  actionsOf.set(signal, actions);
  const abort = (): void => {
    for (const action of actions) action();
    actions.clear();
  };
  signal.addEventListener("abort", abort, { once: true });
  return actions;
}
