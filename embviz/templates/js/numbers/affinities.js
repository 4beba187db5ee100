import { smallest } from '#js/numbers/neighbors.js';

/** Who is near whom, and t-SNE's affinities: how much so (van der Maaten and Hinton 2008, section 2). */

const BLOCK = 32;

/**
 * @param {Float64Array} x (n, d) row by row
 * @param {(part: number) => void} [tell] hears how much is done, 0 .. 1
 * @returns {Float32Array} (n, n) squared Euclidean distances
 */
export function squaredDistances(x, n, d, tell = () => {}) {
  const out = new Float32Array(n * n);
  const lengths = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let j = 0, at = i * d; j < d; j++) lengths[i] += x[at + j] * x[at + j];
  const put = (a, b, product) => {
    out[a * n + b] = out[b * n + a] = Math.max(0, lengths[a] + lengths[b] - 2 * product);
  };
  // A few rows stay in the processor's cache while all others pass by.
  for (let first = 0; first < n; first += BLOCK) {
    const end = Math.min(n, first + BLOCK);
    for (let a = first; a < n; a++) {
      let b = first;
      for (; b + 3 < Math.min(end, a); b += 4) {
        let s0 = 0,
          s1 = 0,
          s2 = 0,
          s3 = 0;
        for (let j = 0, i = a * d, k = b * d; j < d; j++, i++, k++) {
          const value = x[i];
          s0 += value * x[k];
          s1 += value * x[k + d];
          s2 += value * x[k + 2 * d];
          s3 += value * x[k + 3 * d];
        }
        put(a, b, s0);
        put(a, b + 1, s1);
        put(a, b + 2, s2);
        put(a, b + 3, s3);
      }
      for (; b < Math.min(end, a); b++) {
        let sum = 0;
        for (let j = 0, i = a * d, k = b * d; j < d; j++, i++, k++) sum += x[i] * x[k];
        put(a, b, sum);
      }
    }
    tell(end / n);
  }
  return out;
}

/**
 * Symmetric affinities that sum to 1, of the 3 * perplexity nearest neighbors of each point.
 *
 * @param {Float32Array} squared (n, n) @param {number} perplexity 1 .. (n - 1) / 3
 * @typedef {{starts: Int32Array, others: Int32Array, weights: Float64Array}} Affinities
 * @returns {Affinities} row i has the places starts[i] .. starts[i + 1]
 */
export function affinities(squared, n, perplexity) {
  const k = Math.min(n - 1, Math.ceil(3 * perplexity));
  const near = nearestRows(squared, n, k);
  const p = new Float64Array(n * k);
  for (let i = 0; i < n; i++)
    p.set(rowAffinities(Float64Array.from(near.squared.subarray(i * k, (i + 1) * k)), perplexity), i * k);
  return symmetric(near.indices, p, n, k);
}

/**
 * @param {Float32Array} squared (n, n) @param {number} k at most n - 1
 * @returns {{indices: Int32Array, squared: Float32Array}} (n, k) the nearest other points, nearest first, ties by
 *   number
 */
export function nearestRows(squared, n, k) {
  const out = { indices: new Int32Array(n * k), squared: new Float32Array(n * k) };
  for (let i = 0; i < n; i++) {
    const row = squared.subarray(i * n, (i + 1) * n);
    const indices = smallest(row, k, i);
    out.indices.set(indices, i * k);
    indices.forEach((j, c) => {
      out.squared[i * k + c] = row[j];
    });
  }
  return out;
}

/**
 * The weights of one point's neighbors, summing to 1, whose entropy is that of `perplexity` equal ones.
 *
 * @param {Float64Array} squared distances, ascending @returns {Float64Array}
 */
export function rowAffinities(squared, perplexity) {
  const k = squared.length;
  const wanted = Math.log(Math.min(perplexity, k));
  const out = new Float64Array(k);
  const nearest = squared[0];
  const mean = squared.reduce((a, b) => a + b - nearest, 0) / k;
  if (!(mean > 0)) return out.fill(1 / k);
  let [low, high, beta] = [0, Infinity, 1 / mean];
  for (let step = 0; step < 200; step++) {
    let sum = 0;
    let moment = 0;
    for (let j = 0; j < k; j++) {
      const weight = Math.exp(-beta * (squared[j] - nearest));
      out[j] = weight;
      sum += weight;
      moment += weight * (squared[j] - nearest);
    }
    const difference = Math.log(sum) + (beta * moment) / sum - wanted;
    for (let j = 0; j < k; j++) out[j] /= sum;
    if (Math.abs(difference) < 1e-8) break;
    if (difference > 0) low = beta;
    else high = beta;
    beta = high === Infinity ? beta * 2 : (low + high) / 2;
    if (!(beta < 1e300) || (high < Infinity && high - low <= 1e-15 * high)) break;
  }
  return out;
}

/** (p_j|i + p_i|j) / 2n as rows of what is not zero. */
function symmetric(near, p, n, k) {
  const rows = Array.from({ length: n }, () => new Map());
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < k; c++) {
      const j = near[i * k + c];
      const half = p[i * k + c] / (2 * n);
      rows[i].set(j, (rows[i].get(j) ?? 0) + half);
      rows[j].set(i, (rows[j].get(i) ?? 0) + half);
    }
  }
  const starts = new Int32Array(n + 1);
  rows.forEach((row, i) => {
    starts[i + 1] = starts[i] + row.size;
  });
  const others = new Int32Array(starts[n]);
  const weights = new Float64Array(starts[n]);
  rows.forEach((row, i) => {
    let at = starts[i];
    for (const [j, weight] of row) {
      others[at] = j;
      weights[at++] = weight;
    }
  });
  return { starts, others, weights };
}
