import { createColumn, withColumns } from '#js/data/table.js';

/** @import { Table, Tag } from '#js/data/types.js' */

/**
 * Tags: values that the reader gives to points, in a column of the file or a new one. They are a list of edits,
 * {column, value, rows}, in the order made, and give a table with other columns.
 */

const LONGEST = 200;
/** Columns that are edited or new: each is a text a point. */
const MOST_COLUMNS = 32;

/** @returns {number} how many rows all tags together may name: each is given its value whenever one is added */
export const mostTagged = (n_points) => Math.max(1e6, 50 * n_points);

/** @returns {true | string} whether something is a list of tags, or what is wrong */
export function isTags(value, n_points) {
  if (!Array.isArray(value)) return 'is not a list of {column, value, rows}';
  const columns = new Set();
  let count = 0;
  for (const tag of value) {
    if (!isField(tag?.column) || tag.column.trim() === '')
      return `names no column: 1 to ${LONGEST} characters without tabs and line breaks`;
    if (!isField(tag.value))
      return `has a value that is no text of at most ${LONGEST} characters without tabs and line breaks`;
    const isList = Array.isArray(tag.rows) || ArrayBuffer.isView(tag.rows);
    if (!isList || !Array.from(tag.rows).every((row) => Number.isInteger(row) && row >= 0 && row < n_points))
      return 'has rows that are not in this page';
    columns.add(tag.column);
    if (columns.size > MOST_COLUMNS) return `are of more than ${MOST_COLUMNS} columns`;
    count += tag.rows.length;
    if (count > mostTagged(n_points)) return `name more than ${mostTagged(n_points)} points in all`;
  }
  return true;
}

const isField = (text) => typeof text === 'string' && text.length <= LONGEST && !/[\t\n\r]/.test(text);

/** The tagged table of each list of tags. @type {WeakMap<Tag[], {given: Table, tagged: Table}>} */
const known = new WeakMap();

/** @param {Table} given @param {Tag[]} tags @returns {Table} the table as it is tagged, the same for the same list */
export function tagged(given, tags) {
  if (!tags.length) return given;
  const last = known.get(tags);
  if (last?.given === given) return last.tagged;
  const made = withColumns(given, taggedColumns(given, tags));
  known.set(tags, { given, tagged: made });
  return made;
}

function taggedColumns(given, tags) {
  const edited = new Map();
  for (const { column, value, rows } of tags) {
    if (!edited.has(column))
      edited.set(column, given.columns.get(column)?.values.slice() ?? new Array(given.n_points).fill(''));
    for (const row of rows) edited.get(column)[row] = value;
  }
  const columns = new Map(given.columns);
  for (const [name, values] of edited) columns.set(name, Object.assign(createColumn(name, kindOf(values)), { values }));
  return columns;
}

/** @returns {'number' | 'text'} a number where every value that is there is one */
function kindOf(values) {
  const there = values.filter((value) => value !== '');
  return there.length > 0 &&
    there.every(
      (value) => (value.trim() !== '' && Number.isFinite(Number(value))) || /^[+-]?(nan|inf|infinity)$/i.test(value),
    )
    ? 'number'
    : 'text';
}

/**
 * The metadata as TSV, as the Embedding Projector reads it: a header where there are two columns or more, a line a
 * point, the last one ended too.
 *
 * @param {Table} table @returns {string}
 */
export function metadataText(table) {
  const columns = [...table.columns.values()];
  const field = (text) => text.replace(/[\t\r\n]+/g, ' ');
  const lines = columns.length > 1 ? [columns.map((column) => field(column.name)).join('\t')] : [];
  for (let i = 0; i < table.n_points; i++)
    lines.push(columns.map((column) => field(column.values[i] ?? '')).join('\t'));
  return lines.map((line) => `${line}\n`).join('');
}
