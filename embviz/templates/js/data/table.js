import { onceEach } from '#js/data/kept.js';

/** @import { Column, Manifest, Table } from '#js/data/types.js' */

/** To put more names in order takes too long. */
const MOST_COLLATED = 5000;

/**
 * The points of the page: their columns, names and row numbers.
 *
 * @param {Manifest} manifest @param {number} [n_dims] of their vectors
 * @returns {Table}
 */
export function createTable(manifest, n_dims) {
  const columns = new Map();
  const clusters = (manifest.partitions ?? []).filter((each) => each.kind === 'clusters').map(({ column }) => column);
  for (const { name, kind } of manifest.columns) {
    const none = clusters.includes(name) ? 'in no cluster' : undefined;
    columns.set(name, Object.assign(createColumn(name, kind), { none }));
  }
  const table = {
    n_points: manifest.n_points,
    n_dims,
    /** What was measured of the points, as columns to color by that are no metadata. */
    measured: new Map(),
    rows: null,
    labelColumn: manifest.label_by,
    rowNumber: (i) => (table.rows ? table.rows[i] : i),
  };
  return Object.assign(table, lookups(table, columns));
}

/** @param {Table} table @param {Map<string, Column>} columns @returns {Table} of the same points with other columns */
export const withColumns = (table, columns) => Object.assign(Object.create(table), lookups(table, columns));

/** What asks a table for its columns. */
const lookups = (table, columns) => ({
  columns,
  column: (name) => columns.get(name) ?? table.measured.get(name),
  label(i, name = table.labelColumn) {
    const value = columns.get(name)?.values[i];
    return value === undefined || value === '' ? `row ${table.rowNumber(i)}` : value;
  },
});

/** @returns {Column} without values yet */
export function createColumn(name, kind) {
  let numbers = null;
  /** @type {Column} */
  const column = {
    name,
    kind,
    values: [],
    numbers() {
      numbers ??= Float64Array.from(column.values, (value) => {
        const number = value.trim() === '' ? NaN : Number(value);
        return Number.isFinite(number) ? number : NaN;
      });
      return numbers;
    },
  };
  return column;
}

/** @param {Float32Array} numbers one a point @returns {Column} of them */
export function measuredColumn(name, numbers) {
  const column = createColumn(name, 'number');
  column.values = Array.from(numbers, (x) => (Number.isNaN(x) ? '' : String(Number(x.toFixed(3)))));
  // Shares of ten are eleven values, and yet no classes.
  column.measured = true;
  column.exact = numbers;
  return column;
}

/** @returns {number} how many distinct values a column has that are not missing, counted up to a limit + 1 */
export function countDistinct(column, limit) {
  const found = new Set();
  for (const value of column.values) {
    if (value !== '' && found.add(value).size > limit) break;
  }
  return found.size;
}

/**
 * The distinct values of a column with their counts: most frequent first for text, equally frequent ones as names are
 * put in order (class 2 before class 10) or, where there are very many, as they first appear; in numeric order for
 * numbers; "" (missing) is counted apart.
 *
 * @returns {{names: string[], counts: number[], codes: Int32Array, missing: number}} code -1 is missing
 */
export const categories = onceEach((/** @type {Column} */ column) => {
  const found = new Map();
  let missing = 0;
  for (const value of column.values) {
    if (value === '') missing++;
    else found.set(value, (found.get(value) ?? 0) + 1);
  }
  const values = [...found].map(([name, count]) => ({ name, count, number: Number(name) }));
  const few = values.length <= 60 && values.every(({ number }) => Number.isFinite(number));
  const natural = new Intl.Collator('en', { numeric: true }).compare;
  const byName = (a, b) => natural(a.name, b.name) || (a.name < b.name ? -1 : 1);
  const rank = ({ number }) => (Number.isNaN(number) ? Infinity : number);
  if (column.kind === 'number' || few) values.sort((a, b) => (rank(a) === rank(b) ? byName(a, b) : rank(a) - rank(b)));
  else if (values.length <= MOST_COLLATED) values.sort((a, b) => b.count - a.count || byName(a, b));
  else values.sort((a, b) => b.count - a.count);
  const order = new Map(values.map(({ name }, code) => [name, code]));
  const codes = Int32Array.from(column.values, (value) => (value === '' ? -1 : order.get(value)));
  return {
    names: values.map(({ name }) => name),
    counts: values.map(({ count }) => count),
    codes,
    missing,
  };
});
