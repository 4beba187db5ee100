/** What the reader has in a file of their own, so that leaving the page does not lose it. @type {WeakSet<object>} */
const written = new WeakSet();

/** @param {Iterable<object>} values tags, or views that were kept */
export function markWritten(values) {
  for (const value of values) written.add(value);
}

/** @param {object} value */
export const isWritten = (value) => written.has(value);
