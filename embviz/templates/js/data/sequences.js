/** @import { Column, Table } from '#js/data/types.js' */

/**
 * Sequences: a metadata column `__seq_next__` or `__next__` holds the row number of the point that comes next, as in
 * the Embedding Projector. Lines are drawn from point to point.
 */

export const COLUMNS = ['__seq_next__', '__next__'];

/** @param {Table} table @returns {Column | null} the column that says what comes next */
export function sequenceColumn(table) {
  const name = COLUMNS.find((known) => table.columns.has(known));
  return name === undefined ? null : table.columns.get(name);
}

/**
 * @param {string[]} values row numbers of the source; empty, not a row of this page, or a point's own row end a
 *   sequence
 * @param {(i: number) => number} rowNumber the source's row number of a point of the page
 * @returns {Int32Array} the point that follows each, -1 where none does
 */
export function nextPoints(values, rowNumber = (i) => i) {
  const places = new Map();
  values.forEach((_, i) => places.set(rowNumber(i), i));
  return Int32Array.from(values, (value, i) => {
    if (!/^\s*\d+(\.0*)?\s*$/.test(value)) return -1;
    const next = places.get(Number(value)) ?? -1;
    return next === i ? -1 : next;
  });
}

/**
 * Follow each sequence from the points that nothing leads to, then what is left: rings.
 *
 * @param {Int32Array} next see nextPoints
 * @returns {Int32Array[]} rows in their order; a ring ends where it began, and where one runs into another it ends
 *   there
 */
export function followSequences(next) {
  const n = next.length;
  const led = new Uint8Array(n);
  for (const to of next) if (to >= 0) led[to] = 1;
  const seen = new Uint8Array(n);
  const paths = [];
  const follow = (start) => {
    const path = [start];
    seen[start] = 1;
    for (let at = next[start]; at >= 0; at = next[at]) {
      path.push(at);
      if (seen[at]) break;
      seen[at] = 1;
    }
    if (path.length > 1) paths.push(Int32Array.from(path));
  };
  for (let i = 0; i < n; i++) if (!led[i] && next[i] >= 0) follow(i);
  for (let i = 0; i < n; i++) if (!seen[i] && next[i] >= 0) follow(i);
  return paths;
}

/**
 * @returns {string} the color of one of `count` sequences: hues from yellow round to red, as the Embedding Projector
 *   has them
 */
export function sequenceColor(i, count, dark) {
  const hue = count > 1 ? 60 + (300 * i) / (count - 1) : 240;
  return `hsl(${Math.round(hue)}, 70%, ${dark ? 62 : 42}%)`;
}
