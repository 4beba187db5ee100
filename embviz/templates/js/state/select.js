/** Selections: what a click, a shape or a list does to the rows selected before. */

export const MODES = ['replace', 'add', 'remove', 'intersect'];

/** @returns {'replace' | 'add' | 'remove' | 'intersect'} what the keys held with a click mean */
export function modeOf({ shiftKey, altKey }) {
  if (shiftKey && altKey) return 'intersect';
  return shiftKey ? 'add' : altKey ? 'remove' : 'replace';
}

/** @returns {Int32Array} a selection with rows put in, taken out or kept alone */
export function combined(selected, rows, mode) {
  const now = new Set(rows);
  if (mode === 'add') return Int32Array.from(new Set([...selected, ...now]));
  if (mode === 'remove') return Int32Array.from(selected).filter((row) => !now.has(row));
  if (mode === 'intersect') return Int32Array.from(selected).filter((row) => now.has(row));
  return Int32Array.from(now);
}
