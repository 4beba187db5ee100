/**
 * Arithmetic on the vectors that travel in the page. `vectors` is {data, n, d, scales, scale}: row i's value j is
 * data[i * d + j] * scale * (scales ? scales[i] : 1). Squares are taken here, so they come in a safe unit (unit.js).
 */

/** @returns {number} the largest magnitude, 0 of none */
export function peakOf(values) {
  let peak = 0;
  for (const x of values) peak = Math.max(peak, Math.abs(x));
  return peak;
}

/** @returns {(row: number) => number} what a row's stored values are multiplied by */
export function rowScale(vectors) {
  const { scales, scale } = vectors;
  return scales ? (row) => scales[row] * scale : () => scale;
}

/** @returns {Float64Array} the d values of a row */
export function rowVector(vectors, row) {
  const { data, d } = vectors;
  const factor = rowScale(vectors)(row);
  const out = new Float64Array(d);
  for (let j = 0; j < d; j++) out[j] = data[row * d + j] * factor;
  return out;
}

/** @returns {Float64Array} the mean of some rows, d values */
export function centroid(vectors, rows) {
  const { data, d } = vectors;
  const factor = rowScale(vectors);
  const out = new Float64Array(d);
  for (const row of rows) {
    const f = factor(row);
    for (let j = 0, at = row * d; j < d; j++) out[j] += data[at + j] * f;
  }
  for (let j = 0; j < d; j++) out[j] /= rows.length;
  return out;
}

/** @param {Float64Array | Float32Array} direction d values @returns {Float64Array} every row times the direction */
export function times(vectors, direction) {
  const { data, n, d } = vectors;
  const factor = rowScale(vectors);
  const out = new Float64Array(n);
  const even = d - (d % 4);
  for (let i = 0, at = 0; i < n; i++, at += d) {
    // Four sums, so that an addition need not wait for the one before.
    let [a, b, c, e] = [0, 0, 0, 0];
    for (let j = 0; j < even; j += 4) {
      a += data[at + j] * direction[j];
      b += data[at + j + 1] * direction[j + 1];
      c += data[at + j + 2] * direction[j + 2];
      e += data[at + j + 3] * direction[j + 3];
    }
    for (let j = even; j < d; j++) a += data[at + j] * direction[j];
    out[i] = (a + b + (c + e)) * factor(i);
  }
  return out;
}

/** @returns {Float64Array} the Euclidean length of each row */
export function norms(vectors) {
  const { data, n, d } = vectors;
  const factor = rowScale(vectors);
  const out = new Float64Array(n);
  for (let i = 0, at = 0; i < n; i++, at += d) {
    let sum = 0;
    for (let j = 0; j < d; j++) sum += data[at + j] * data[at + j];
    out[i] = Math.sqrt(sum) * Math.abs(factor(i));
  }
  return out;
}

export function dot(a, b) {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
}

/** @returns {Float64Array | null} the vector at length 1; null where it has none */
export function unit(a) {
  const length = Math.sqrt(dot(a, a));
  return length > 0 && Number.isFinite(length) ? Float64Array.from(a, (x) => x / length) : null;
}

/** Centroids that are nearer than this share of their largest value differ by rounding only. */
const SAME = 64 * 2 ** -52;

/**
 * The unit direction from one set of rows to another: c(to) - c(from), by the raw vectors.
 *
 * @returns {Float64Array | null} null where the two centroids are the same
 */
export function axisDirection(vectors, from, to) {
  const a = centroid(vectors, from);
  const b = centroid(vectors, to);
  const peak = Math.max(peakOf(a), peakOf(b));
  const difference = b.map((x, j) => x - a[j]);
  return dot(difference, difference) > (SAME * peak) ** 2 ? unit(difference) : null;
}

/** @returns {Float64Array[]} an orthonormal basis of what some directions span */
export function orthonormal(directions) {
  const basis = [];
  for (const direction of directions) {
    const left = rest(direction, basis);
    if (left) basis.push(left);
  }
  return basis;
}

/** @returns {Float64Array | null} what a vector has at right angles to a basis, at length 1; null for rounding only */
function rest(a, basis) {
  const left = without(a, basis);
  return dot(left, left) > 1e-16 * dot(a, a) ? unit(left) : null;
}

/** @returns {Float64Array} a vector less what it has along an orthonormal basis */
export function without(a, basis) {
  const out = Float64Array.from(a);
  for (const b of basis) {
    const along = dot(out, b);
    for (let j = 0; j < out.length; j++) out[j] -= along * b[j];
  }
  return out;
}
