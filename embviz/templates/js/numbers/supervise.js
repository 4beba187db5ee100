import { categories } from '#js/data/table.js';

/** @import { Table } from '#js/data/types.js' @import { Affinities } from '#js/numbers/affinities.js' */

/**
 * t-SNE that a column of labels pulls at, as the Embedding Projector's *Supervise* does: affinities within a class are
 * raised and those between classes lowered.
 */

const LEAST_SHARE = 1e-7;

/**
 * @param {Table} table @param {Int32Array} rows
 * @param {{column: string, factor: number, ignore?: string}} asked factor 0 .. 100, `ignore` a label that counts as
 *   none
 * @returns {Int32Array} a class number for each row, -1 where there is no label
 * @throws {RangeError}
 */
export function readLabels(table, rows, { column, factor, ignore = '' }) {
  if (!table.columns.has(column)) throw new RangeError(`Supervise: there is no column '${column}'`);
  if (!(factor >= 0 && factor <= 100)) throw new RangeError(`Supervise: the factor ${factor} is not in 0 .. 100`);
  const { codes, names } = categories(table.columns.get(column));
  const without = ignore === '' ? -1 : names.indexOf(ignore);
  if (ignore !== '' && without < 0) throw new RangeError(`Supervise: ${column} has no value '${ignore}' to ignore`);
  return Int32Array.from(rows, (row) => (codes[row] === without ? -1 : codes[row]));
}

/**
 * @param {{starts: Int32Array, others: Int32Array, weights: Float64Array}} p see affinities.js
 * @param {Int32Array} labels class numbers, -1 is none @param {number} factor 0 .. 100; 0 changes nothing
 * @returns {Affinities} the same places; for n points, of which `same` share i's class and `other` have another one,
 *   weights times 1 + f n / same within a class and 1 - f n / other, at least about 0, between two (f is factor / 100;
 *   the mean of both points' numbers), and then again summing to 1
 */
export function supervised({ starts, others, weights }, labels, factor) {
  const n = labels.length;
  const share = factor / 100;
  const counts = new Map();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const labelled = n - (counts.get(-1) ?? 0);
  const within = (label) => Math.min(1 + (share * n) / counts.get(label), n * (1 - LEAST_SHARE));
  const between = (label) => Math.max(1 - (share * n) / (labelled - counts.get(label)), n * LEAST_SHARE);
  const times = (a, b) => (a === -1 || b === -1 ? 1 : a === b ? within(a) : (between(a) + between(b)) / 2);
  const out = new Float64Array(weights.length);
  let total = 0;
  for (let i = 0; i < n; i++) {
    for (let at = starts[i]; at < starts[i + 1]; at++)
      total += out[at] = weights[at] * times(labels[i], labels[others[at]]);
  }
  return { starts, others, weights: out.map((w) => w / total) };
}
