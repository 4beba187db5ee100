/**
 * One frozen state object, replaced as a whole.
 *
 * @template {object} S
 * @param {S} initial
 * @returns {{get: () => S, set: (patch: Partial<S>) => void, subscribe: (fn: (state: S, before: S) => void) => () =>
 *   void}}
 */
export function createStore(initial) {
  let state = Object.freeze({ ...initial });
  const listeners = new Set();
  return {
    get: () => state,
    set(patch) {
      const changed = Object.keys(patch).filter((key) => !Object.is(patch[key], state[key]));
      if (!changed.length) return;
      const before = state;
      state = Object.freeze({ ...state, ...patch });
      for (const listener of [...listeners]) listener(state, before);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
