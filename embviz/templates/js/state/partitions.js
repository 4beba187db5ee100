import { onceEach } from '#js/data/kept.js';
import { countDistinct } from '#js/data/table.js';

/**
 * The ways in which points are parted: clusters and classes that came with the page, with what was measured of them,
 * and columns of few values.
 *
 * @import { Column, Page, Partition, State, Table } from '#js/data/types.js'
 */

const MOST_CLASSES = 50;

/**
 * @param {Page} page @param {Table} table as it is tagged
 * @returns {Partition[]} those that came first, in their order
 */
export function partitionsOf({ manifest }, table) {
  const known = (manifest.partitions ?? []).filter(({ column }) => table.columns.has(column));
  const there = new Set(known.map(({ column }) => column));
  const limit = Math.min(MOST_CLASSES, table.n_points / 2);
  const others = [...table.columns.values()].filter((column) => {
    if (there.has(column.name)) return false;
    const distinct = countDistinct(column, limit);
    return distinct >= 2 && distinct <= limit;
  });
  return [...known, ...others.map(({ name }) => ({ column: name, kind: /** @type {const} */ ('classes') }))];
}

/** @param {Partition[]} found @param {Pick<State, 'color_by'>} state @returns {Partition | null} what is seen first */
export const firstOf = (found, { color_by }) =>
  found.find(({ drawn }) => drawn) ?? found.find(({ column }) => column === color_by) ?? found[0] ?? null;

/**
 * The points of each value of a column, most first, and those that have none under ''.
 *
 * @type {((column: Column) => Map<string, Int32Array>) & {has: (column: Column) => boolean}}
 */
export const rowsByValue = onceEach((column) => {
  const counts = new Map();
  for (const value of column.values) counts.set(value, (counts.get(value) ?? 0) + 1);
  /** @type {Map<string, Int32Array>} */
  const out = new Map([...counts].map(([value, count]) => [value, new Int32Array(count)]));
  const filled = new Map();
  column.values.forEach((value, row) => {
    const at = filled.get(value) ?? 0;
    out.get(value)[at] = row;
    filled.set(value, at + 1);
  });
  return out;
});
