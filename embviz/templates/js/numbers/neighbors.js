import { norms, rowScale, rowVector, unit } from '#js/numbers/linalg.js';
import { onceEach } from '#js/data/kept.js';
import { inSafeUnit } from '#js/numbers/unit.js';

/** @import { Vectors } from '#js/data/types.js' */

/**
 * The nearest other points of a row in the original space, exactly for the vectors that travel.
 *
 * @param {Vectors} vectors
 * @param {number} row
 * @param {number} k at most n - 1 are found
 * @param {'cosine' | 'euclidean'} metric cosine is 1 - cos, in 0 .. 2; euclidean in the vectors' unit
 * @returns {{indices: Int32Array, distances: Float64Array}} nearest first, ties by row number; distances have the
 *   digits of a 32-bit float, and one beyond all numbers is Infinity
 * @throws {RangeError} when the row's vector is zero under cosine
 */
export function nearest(vectors, row, k, metric) {
  const safe = inSafeUnit(vectors);
  const distances = distancesFrom(vectors, row, metric);
  const count = safe.present ? safe.present.reduce((sum, there) => sum + there, 0) : safe.n;
  const indices = smallest(distances, Math.min(k, count - 1), row);
  const factor = metric === 'cosine' ? 1 : safe.unit;
  return { indices, distances: Float64Array.from(indices, (i) => distances[i] * factor) };
}

/**
 * @param {Vectors} vectors @param {number} row @param {'cosine' | 'euclidean'} metric
 * @returns {Float64Array} the distance of each point, in a safe unit; Infinity where a row stands for none
 * @throws {RangeError} when the row's vector is zero under cosine
 */
export function distancesFrom(vectors, row, metric) {
  const safe = inSafeUnit(vectors);
  const distances = metric === 'cosine' ? cosineDistances(safe, row) : euclideanDistances(safe, row);
  const { present } = safe;
  for (let i = 0; present && i < safe.n; i++) if (!present[i]) distances[i] = Infinity;
  return distances;
}

const lengthsOf = onceEach(norms);

function cosineDistances(vectors, row) {
  const { data, n, d } = vectors;
  const lengths = lengthsOf(vectors);
  const length = lengths[row];
  if (length === 0) throw new RangeError('A zero vector has no direction, so no cosine distance');
  const factor = rowScale(vectors);
  const query = rowVector(vectors, row);
  const out = new Float64Array(n);
  const direction = unit(query);
  for (let i = 0, at = 0; i < n; i++, at += d) {
    let sum = 0;
    for (let j = 0; j < d; j++) sum += data[at + j] * query[j];
    const cosine = lengths[i] > 0 ? (sum * factor(i)) / (length * lengths[i]) : 0;
    // Close to 1 the difference is rounding; the chord between unit vectors keeps its digits.
    out[i] = rounded(cosine > 1 - 1e-9 ? chord(vectors, i, direction) : 1 - Math.max(-1, cosine));
  }
  return out;
}

function chord(vectors, row, direction) {
  const other = unit(rowVector(vectors, row));
  let sum = 0;
  for (let j = 0; j < direction.length; j++) sum += (direction[j] - other[j]) ** 2;
  return sum / 2;
}

function euclideanDistances(vectors, row) {
  const { data, n, d } = vectors;
  const factor = rowScale(vectors);
  const query = rowVector(vectors, row);
  const out = new Float64Array(n);
  for (let i = 0, at = 0; i < n; i++, at += d) {
    const f = factor(i);
    let sum = 0;
    for (let j = 0; j < d; j++) {
      const difference = data[at + j] * f - query[j];
      sum += difference * difference;
    }
    out[i] = rounded(Math.sqrt(sum));
  }
  return out;
}

/** The digits of a 32-bit float at any magnitude, so that rounding parts no ties (Dekker 1971). */
function rounded(x) {
  const far = x * (2 ** 29 + 1);
  return far - (far - x);
}

/** @returns {Int32Array} the k indices with the smallest values, ascending, ties by index, without one */
export function smallest(values, k, left) {
  const heap = new Int32Array(k);
  let size = 0;
  const after = (a, b) => values[a] > values[b] || (values[a] === values[b] && a > b);
  const sink = (at) => {
    for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && after(heap[child + 1], heap[child])) child++;
      if (!after(heap[child], heap[at])) return;
      [heap[at], heap[child]] = [heap[child], heap[at]];
      at = child;
    }
  };
  for (let i = 0; i < values.length && k > 0; i++) {
    if (i === left) continue;
    if (size < k) {
      let at = size++;
      heap[at] = i;
      for (let up = (at - 1) >> 1; at > 0 && after(heap[at], heap[up]); at = up, up = (at - 1) >> 1) {
        [heap[at], heap[up]] = [heap[up], heap[at]];
      }
    } else if (after(heap[0], i)) {
      heap[0] = i;
      sink(0);
    }
  }
  return heap.slice(0, size).sort((a, b) => values[a] - values[b] || a - b);
}
