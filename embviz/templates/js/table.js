/**
 * The points of the page: their columns, names and row numbers.
 *
 * @param {object} manifest
 * @returns {object} {n_points, n_dims, columns: Map name -> {name, kind, values, numbers()}, labelColumn, rowNumber(i), label(i, column)}
 */
export function createTable(manifest) {
  const columns = new Map();
  for (const { name, kind } of manifest.columns) columns.set(name, createColumn(name, kind));
  const table = {
    n_points: manifest.n_points,
    n_dims: manifest.n_dims,
    columns,
    rows: null,
    labelColumn: manifest.label_by,
    rowNumber: (i) => (table.rows ? table.rows[i] : i),
    label(i, name = table.labelColumn) {
      const value = columns.get(name)?.values[i];
      return value === undefined || value === '' ? `row ${table.rowNumber(i)}` : value;
    },
  };
  return table;
}

/** @returns {object} {name, kind, values, numbers()} without values yet */
export function createColumn(name, kind) {
  let numbers = null;
  const column = { name, kind, values: [] };
  /** @returns {Float64Array} NaN where the value is missing or no finite number */
  column.numbers = () => {
    numbers ??= Float64Array.from(column.values, (value) => {
      const number = value.trim() === '' ? NaN : Number(value);
      return Number.isFinite(number) ? number : NaN;
    });
    return numbers;
  };
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
 * The distinct values of a column with their counts: most frequent first for text, in numeric order
 * for numbers; "" (missing) is counted apart.
 *
 * @returns {{names: string[], counts: number[], codes: Int32Array, missing: number}} code -1 is missing
 */
export function categories(column) {
  if (column.categories) return column.categories;
  const found = new Map();
  let missing = 0;
  for (const value of column.values) {
    if (value === '') missing++;
    else found.set(value, (found.get(value) ?? 0) + 1);
  }
  const names = [...found.keys()];
  const few = names.length <= 60 && names.every((name) => Number.isFinite(Number(name)));
  if (column.kind === 'number' || few) names.sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1));
  else names.sort((a, b) => found.get(b) - found.get(a) || (a < b ? -1 : 1));
  const order = new Map(names.map((name, code) => [name, code]));
  const codes = Int32Array.from(column.values, (value) => (value === '' ? -1 : order.get(value)));
  column.categories = { names, counts: names.map((name) => found.get(name)), codes, missing };
  return column.categories;
}
