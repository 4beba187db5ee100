import { rowsThere } from '#js/data/steps.js';
import { centroid, rowScale } from '#js/numbers/linalg.js';
import { onceEach } from '#js/data/kept.js';
import { inSafeUnit } from '#js/numbers/unit.js';

/** @import { SafeVectors, Stored, Vectors } from '#js/data/types.js' */

/**
 * Some of the page's vectors as a method reads them, in `unit`: raw, or "spherized" as `--normalize sphere` does it:
 * less the mean of all rows of the page, at length 1, a zero row staying zero.
 *
 * @typedef {{n: number, d: number, unit: number, read: (i: number, out: Float64Array, at?: number) => void}} Space
 * @param {Vectors} vectors
 * @param {Int32Array | null} rows which of them, in this order; null is all
 * @param {boolean} spherize
 * @returns {Space}
 */
export function createSpace(vectors, rows, spherize) {
  const safe = inSafeUnit(vectors);
  const { data, d } = safe;
  const factor = rowScale(safe);
  const mean = spherize ? (safe.mean ?? meanOf(safe)) : null;
  function read(i, out, at = 0) {
    const row = rows ? rows[i] : i;
    const f = factor(row);
    for (let j = 0, from = row * d; j < d; j++) out[at + j] = data[from + j] * f;
    if (!mean) return;
    for (let j = 0; j < d; j++) out[at + j] -= mean[j];
    toLengthOne(out, at, d);
  }
  return { n: rows ? rows.length : safe.n, d, unit: spherize ? 1 : safe.unit, read };
}

/**
 * Spaces of one width as one, the rows of each behind those of the one before, in the largest of their units.
 *
 * @param {Space[]} spaces @returns {Space}
 */
export function joinSpaces(spaces) {
  if (spaces.length === 1) return spaces[0];
  const unit = Math.max(...spaces.map((space) => space.unit));
  const starts = [0];
  for (const { n } of spaces) starts.push(starts.at(-1) + n);
  let which = 0;
  function read(row, out, at = 0) {
    // Rows are mostly read in their order.
    if (row < starts[which]) which = 0;
    while (row >= starts[which + 1]) which++;
    const space = spaces[which];
    space.read(row - starts[which], out, at);
    if (space.unit !== unit) for (let j = at; j < at + space.d; j++) out[j] *= space.unit / unit;
  }
  return { n: starts.at(-1), d: spaces[0].d, unit, read };
}

/**
 * Vectors that are spherized by the mean of them all.
 *
 * @param {Vectors[]} list of one width @returns {Vectors[]} the same each time
 */
export const withCommonMean = onceEach((/** @type {Vectors[]} */ list) => {
  const safe = list.map(inSafeUnit);
  const largest = Math.max(...safe.map(({ unit }) => unit));
  const counts = safe.map((each) => rowsThere(each)?.length ?? each.n);
  const all = counts.reduce((sum, n) => sum + n, 0);
  const mean = new Float64Array(safe[0].d);
  safe.forEach((each, i) => {
    const share = (each.unit / largest) * (counts[i] / all);
    meanOf(each).forEach((x, j) => {
      mean[j] += x * share;
    });
  });
  return safe.map((each) => ({ ...each, mean: mean.map((x) => x * (largest / each.unit)) }));
});

/** Divide d values by their length, in place; zeros stay. */
export function toLengthOne(values, at, d) {
  let sum = 0;
  for (let j = at; j < at + d; j++) sum += values[j] * values[j];
  if (sum > 0) for (let j = at, length = Math.sqrt(sum); j < at + d; j++) values[j] /= length;
}

/**
 * Rows whose Euclidean distances stand for a metric: under cosine at length 1, a zero row staying zero. They lie around
 * 0, so that products of rows that are near each other and far from 0 keep the digits of what parts them.
 *
 * @param {Space} space @param {'cosine' | 'euclidean'} metric @returns {Float64Array} (n, d) row by row, in the space's
 *   unit
 */
export function metricRows({ n, d, read }, metric) {
  const x = new Float64Array(n * d);
  const mean = new Float64Array(d);
  for (let i = 0; i < n; i++) {
    read(i, x, i * d);
    if (metric === 'cosine') toLengthOne(x, i * d, d);
    for (let j = 0; j < d; j++) mean[j] += x[i * d + j] / n;
  }
  for (let at = 0; at < x.length; at += d) for (let j = 0; j < d; j++) x[at + j] -= mean[j];
  return x;
}

const meanOf = onceEach((/** @type {SafeVectors} */ safe) =>
  centroid(safe, rowsThere(safe) ?? Array.from({ length: safe.n }, (_, i) => i)),
);

/**
 * Only some rows of the vectors, in the type they travel in and in a safe unit, to hand to a worker. What spherizing
 * needs of the whole table goes with them.
 */
export function takeVectors(vectors, rows, spherize) {
  const safe = inSafeUnit(vectors);
  const { data, d, scales, scale, unit } = safe;
  const Kind = /** @type {new (length: number) => Stored} */ (data.constructor);
  const part = new Kind(rows.length * d);
  rows.forEach((row, i) => part.set(data.subarray(row * d, (row + 1) * d), i * d));
  return {
    data: part,
    n: rows.length,
    d,
    scales: scales ? Float32Array.from(rows, (row) => scales[row]) : null,
    scale,
    unit,
    mean: spherize ? (safe.mean ?? meanOf(safe)) : null,
  };
}
