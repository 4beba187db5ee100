import { OURS } from '#js/bookmarks/tensorboard.js';
import { isTags, mostTagged } from '#js/data/tags.js';
import { readRows, writeRows } from '#js/state/links.js';

/**
 * Tags in a file of bookmarks, under our own key, which TensorBoard leaves alone. Rows are those of the source, so that
 * a page of a part of it takes its part.
 *
 * @import { Table, Tag } from '#js/data/types.js'
 */

const MOST_TAGS = 10000;

/**
 * @param {Tag[]} tags @param {Table} table @param {number} total points of the source
 * @returns {{total: number, given: {column: string, value: string, rows: string}[]} | undefined}
 */
export function tagsField(tags, table, total) {
  if (!tags.length) return undefined;
  const numbered = (rows) => writeRows(Array.from(rows, (row) => table.rowNumber(row)));
  return { total, given: tags.map(({ column, value, rows }) => ({ column, value, rows: numbered(rows) })) };
}

/**
 * The tags of views of a file that this page does not have yet. A file may hold anything: what is no tag is left out,
 * and so are those of other data.
 *
 * @param {any[]} states @param {{total: number, n_points: number, rows: Int32Array | null}} data of the page
 * @param {Tag[]} known
 * @returns {Tag[]}
 */
export function readTags(states, { total, n_points, rows }, known) {
  const places = rows ? new Map(Array.from(rows, (row, i) => [row, i])) : null;
  const keyOf = (tag) => JSON.stringify([tag.column, tag.value, writeRows(tag.rows)]);
  const seen = new Set(known.map(keyOf));
  const found = [];
  const fields = states.map((state) => state[OURS]?.tags);
  const given = fields.flatMap((field) =>
    field?.total === total && Array.isArray(field.given) ? field.given.slice(0, MOST_TAGS) : [],
  );
  // Rows are written shortly: a small file may name all points again and again.
  let room = mostTagged(total);
  for (const each of given.slice(0, MOST_TAGS)) {
    const tag = { column: each?.column, value: each?.value, rows: rowsOf(each?.rows, total, places) };
    room -= tag.rows.length;
    if (room < 0) break;
    if (!tag.rows.length || isTags([tag], n_points) !== true || seen.has(keyOf(tag))) continue;
    seen.add(keyOf(tag));
    found.push(tag);
  }
  // As many as there is room for beside those that are there.
  let most = found.length;
  while (most > 0 && isTags([...known, ...found.slice(0, most)], n_points) !== true) most = Math.floor(most / 2);
  return found.slice(0, most);
}

/** @returns {number[]} rows of this page, none where the text names none */
function rowsOf(text, total, places) {
  if (typeof text !== 'string') return [];
  try {
    const numbers = Array.from(readRows(text, total));
    return places ? numbers.filter((row) => places.has(row)).map((row) => places.get(row)) : numbers;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [];
  }
}
