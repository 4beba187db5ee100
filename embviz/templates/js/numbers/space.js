import { centroid, rowScale } from '#js/numbers/linalg.js';

/**
 * Some of the page's vectors as a method reads them: raw, or "spherized" as `--normalize sphere` does it: less the
 * mean of all rows of the page, at length 1, a zero row staying zero.
 *
 * @typedef {{n: number, d: number, read: (i: number, out: Float64Array, at?: number) => void}} Space
 * @param {object} vectors see linalg.js
 * @param {Int32Array | null} rows which of them, in this order; null is all
 * @param {boolean} spherize
 * @returns {Space}
 */
export function createSpace(vectors, rows, spherize) {
  const { data, d } = vectors;
  const factor = rowScale(vectors);
  const mean = spherize ? meanOf(vectors) : null;
  function read(i, out, at = 0) {
    const row = rows ? rows[i] : i;
    const f = factor(row);
    for (let j = 0, from = row * d; j < d; j++) out[at + j] = data[from + j] * f;
    if (!mean) return;
    let sum = 0;
    for (let j = 0; j < d; j++) {
      out[at + j] -= mean[j];
      sum += out[at + j] * out[at + j];
    }
    if (sum > 0) for (let j = 0, length = Math.sqrt(sum); j < d; j++) out[at + j] /= length;
  }
  return { n: rows ? rows.length : vectors.n, d, read };
}

function meanOf(vectors) {
  vectors.mean ??= centroid(
    vectors,
    Array.from({ length: vectors.n }, (_, i) => i),
  );
  return vectors.mean;
}

/**
 * Only some rows of the vectors, in the type they travel in, to hand to a worker. What spherizing needs of the
 * whole table goes with them.
 */
export function takeVectors(vectors, rows, spherize) {
  const { data, d, scales, scale } = vectors;
  const part = new data.constructor(rows.length * d);
  rows.forEach((row, i) => part.set(data.subarray(row * d, (row + 1) * d), i * d));
  return {
    data: part,
    n: rows.length,
    d,
    scales: scales ? Float32Array.from(rows, (row) => scales[row]) : null,
    scale,
    mean: spherize ? meanOf(vectors) : null,
  };
}
