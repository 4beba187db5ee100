import { createColumn } from '#js/data/table.js';

/** @import { Column, Table, Tag } from '#js/data/types.js' */

/**
 * Tags: values that the reader gives to points, in a column of the file or a new one. They are a list of edits,
 * {column, value, rows}, in the order made; the metadata of the file is kept beside them.
 */

/** @typedef {{given: Map<string, Column>, tags: Tag[]}} Tagged */

const LONGEST = 200;
/** @type {Tag[]} */
const NONE = [];

/** @returns {true | string} whether something is a list of tags, or what is wrong */
export function isTags(value, n_points) {
  if (!Array.isArray(value)) return 'is not a list of {column, value, rows}';
  for (const tag of value) {
    if (!isField(tag?.column) || tag.column.trim() === '')
      return `names no column: 1 to ${LONGEST} characters without tabs and line breaks`;
    if (!isField(tag.value))
      return `has a value that is no text of at most ${LONGEST} characters without tabs and line breaks`;
    const isList = Array.isArray(tag.rows) || ArrayBuffer.isView(tag.rows);
    if (!isList || !Array.from(tag.rows).every((row) => Number.isInteger(row) && row >= 0 && row < n_points))
      return 'has rows that are not in this page';
  }
  return true;
}

const isField = (text) => typeof text === 'string' && text.length <= LONGEST && !/[\t\n\r]/.test(text);

/** Of a table, the columns that it came with and the tags that are over them. @type {WeakMap<Table, Tagged>} */
const known = new WeakMap();

/** @param {Table} table @returns {Tag[]} the tags that its columns have now */
export const tagsOf = (table) => known.get(table)?.tags ?? NONE;

/**
 * Put a list of tags over the table's own metadata, in place of the ones before.
 *
 * @param {Table} table @param {Tag[]} tags
 */
export function retag(table, tags) {
  const given = known.get(table)?.given ?? new Map(table.columns);
  known.set(table, { given, tags });
  const edited = new Map();
  for (const { column, value, rows } of tags) {
    if (!edited.has(column))
      edited.set(column, given.get(column)?.values.slice() ?? new Array(table.n_points).fill(''));
    for (const row of rows) edited.get(column)[row] = value;
  }
  table.columns.clear();
  for (const [name, column] of given) table.columns.set(name, column);
  for (const [name, values] of edited)
    table.columns.set(name, Object.assign(createColumn(name, kindOf(values)), { values }));
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
