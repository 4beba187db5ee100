/**
 * Compute once for each object what depends on nothing else; it is forgotten with the object.
 *
 * @template {object} K, V
 * @param {(key: K) => V} compute
 * @returns {((key: K) => V) & {has: (key: K) => boolean}} has tells whether it has been computed
 */
export function onceEach(compute) {
  const kept = new WeakMap();
  const find = (key) => {
    if (!kept.has(key)) kept.set(key, compute(key));
    return kept.get(key);
  };
  return Object.assign(find, { has: (key) => kept.has(key) });
}
