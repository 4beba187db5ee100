import { krylov, largestEigenpairs, worstResidual } from '#js/numbers/eigen.js';
import { peakOf, without } from '#js/numbers/linalg.js';
import { shownUnit } from '#js/numbers/unit.js';

/**
 * Principal components of some vectors, exact and centered as embviz/projections/pca.py computes them: the eigenvectors
 * of the covariance, or of the products of rows where there are fewer rows than dimensions, in float64.
 */

const TILE = 256;

/** @returns {number} multiplications that the components of n vectors of d dimensions cost, roughly */
export function pcaCost(n, d) {
  const small = Math.min(n, d);
  return (n * d * small) / 2 + 300 * small * small;
}

/**
 * @param {import('#js/numbers/space.js').Space} space
 * @param {number} wanted components; there are never more than rows or dimensions
 * @returns {{directions: Float64Array[], variances: number[], shares: number[], total: number, mean: Float64Array}}
 *   in the space's unit; variances with the divisor n - 1, descending; a direction is zero where there is no variance,
 *   else its loading of largest magnitude is positive
 */
export function principalComponents(space, wanted) {
  const { n, d } = space;
  const k = Math.min(wanted, n, d);
  const mean = meanRow(space);
  const found = n < d ? fromProducts(space, mean, k) : fromCovariance(space, mean, k);
  const total = found.total > 0 ? found.total : 0;
  return {
    ...found,
    total,
    mean,
    directions: found.directions.map(withSign),
    shares: found.variances.map((v) => (total > 0 ? v / total : 0)),
  };
}

/**
 * @param {import('#js/numbers/space.js').Space} space @param {{directions: Float64Array[], mean: Float64Array}} found
 * @returns {{coordinates: Float32Array, unit: number}} (n, directions.length) row by row, in `unit`: 1, or the space's
 *   where they would not fit 32-bit floats
 */
export function projectRows(space, { directions, mean }) {
  const { n, d } = space;
  const k = directions.length;
  const out = new Float64Array(n * k);
  const row = new Float64Array(d);
  for (let i = 0; i < n; i++) {
    space.read(i, row);
    for (let j = 0; j < d; j++) row[j] -= mean[j];
    for (let c = 0; c < k; c++) {
      const direction = directions[c];
      let sum = 0;
      for (let j = 0; j < d; j++) sum += row[j] * direction[j];
      out[i * k + c] = sum;
    }
  }
  return inShownUnit(out, space.unit);
}

/**
 * @param {Float64Array} coordinates in `unit` @param {number} unit
 * @returns {{coordinates: Float32Array, unit: number}} in the vectors' own unit where they fit it
 */
export function inShownUnit(coordinates, unit) {
  const shown = shownUnit(unit, peakOf(coordinates));
  return { coordinates: Float32Array.from(coordinates, shown === unit ? undefined : (x) => x * unit), unit: shown };
}

function meanRow({ n, d, read }) {
  const out = new Float64Array(d);
  const row = new Float64Array(d);
  for (let i = 0; i < n; i++) {
    read(i, row);
    for (let j = 0; j < d; j++) out[j] += row[j];
  }
  return out.map((x) => x / n);
}

/**
 * The covariance of some vectors, a slice of the rows at a time.
 *
 * @param {import('#js/numbers/space.js').Space} space
 * @typedef {{advance: () => boolean, finish: () => Float64Array}} Covariance
 * @returns {Covariance} advance adds some rows and tells whether all are in;
 *   finish gives the matrix (d, d)
 */
export function startCovariance(space, mean = meanRow(space)) {
  const { n, d } = space;
  const matrix = new Float64Array(d * d);
  const tile = new Float64Array(d * TILE);
  const row = new Float64Array(d);
  let start = 0;
  let isWhole = false;
  function advance() {
    const count = Math.min(TILE, n - start);
    for (let i = 0; i < count; i++) {
      space.read(start + i, row);
      for (let j = 0; j < d; j++) tile[j * TILE + i] = row[j] - mean[j];
    }
    if (count > 0) addProducts(matrix, tile, d, count);
    start += Math.max(0, count);
    return start >= n;
  }
  return {
    advance,
    finish() {
      while (start < n) advance();
      if (!isWhole) mirror(matrix, d, 1 / Math.max(1, n - 1));
      isWhole = true;
      return matrix;
    },
  };
}

/**
 * The direction of most variance at right angles to some others, by the covariance.
 *
 * @param {Float64Array} covariance (d, d) @param {Float64Array[]} basis orthonormal
 * @returns {Float64Array | null} null where nothing but rounding is left
 */
export function leadingLeft(covariance, d, basis) {
  const left = covariance.slice();
  for (const b of basis) {
    const image = Float64Array.from(b, (_, i) => {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += left[i * d + j] * b[j];
      return sum;
    });
    let along = 0;
    for (let j = 0; j < d; j++) along += b[j] * image[j];
    for (let i = 0; i < d; i++)
      for (let j = 0; j < d; j++) left[i * d + j] += along * b[i] * b[j] - b[i] * image[j] - image[i] * b[j];
  }
  const { values, vectors } = largestEigenpairs(left, d, 1);
  return values[0] > 1e-14 * trace(covariance, d) ? withSign(vectors[0]) : null;
}

/** How far the direction may be turned, in radians. */
const TURN = 1e-6;
const KEPT = 96;

/**
 * The same without the covariance, for very many vectors or values.
 *
 * @param {import('#js/numbers/space.js').Space} space @param {Float64Array[]} basis orthonormal
 * @param {number} products passes over the vectors at most, each for one direction
 * @returns {{direction: Float64Array | null, settled: boolean}} settled is false where directions of nearly the same
 *   variance were not told apart in as many
 */
export function leadingDirection(space, basis, products) {
  const mean = meanRow(space);
  const apply = (columns) =>
    columns.map((column) => without(covarianceTimes(space, mean, without(column, basis)), basis));
  // An eigenvector is turned by its residual over the distance to the next eigenvalue (Golub and Van Loan, 8.1.12).
  const isClose = (found) =>
    worstResidual(found, 1) <= Math.max(TURN * (found.values[0] - (found.values[1] ?? 0)), 1e-15 * found.values[0]);
  const { values, vectors, settled } = krylov(apply, space.d, { wanted: 1, spare: 0, most: KEPT, products, isClose });
  if (!(values[0] > 1e-14 * totalVariance(space, mean))) return { direction: null, settled: true };
  return { direction: withSign(vectors[0]), settled };
}

/** @returns {Float64Array} the covariance times a vector, in one pass over the rows */
function covarianceTimes({ n, d, read }, mean, column) {
  const image = new Float64Array(d);
  const row = new Float64Array(d);
  const even = d - (d % 4);
  for (let i = 0; i < n; i++) {
    read(i, row);
    let [s, t, u, v] = [0, 0, 0, 0];
    for (let j = 0; j < even; j += 4) {
      s += (row[j] -= mean[j]) * column[j];
      t += (row[j + 1] -= mean[j + 1]) * column[j + 1];
      u += (row[j + 2] -= mean[j + 2]) * column[j + 2];
      v += (row[j + 3] -= mean[j + 3]) * column[j + 3];
    }
    for (let j = even; j < d; j++) s += (row[j] -= mean[j]) * column[j];
    const along = s + t + (u + v);
    for (let j = 0; j < d; j++) image[j] += along * row[j];
  }
  return image.map((x) => x / Math.max(1, n - 1));
}

function totalVariance(space, mean) {
  const { n, d } = space;
  const row = new Float64Array(d);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    space.read(i, row);
    for (let j = 0; j < d; j++) sum += (row[j] - mean[j]) ** 2;
  }
  return sum / Math.max(1, n - 1);
}

function fromCovariance(space, mean, k) {
  const { d } = space;
  const matrix = startCovariance(space, mean).finish();
  const { values, vectors } = largestEigenpairs(matrix, d, k);
  const least = noise(values, d);
  return {
    directions: vectors.map((vector, i) => (values[i] > least ? vector : new Float64Array(d))),
    variances: Array.from(values, (value) => (value > least ? value : 0)),
    total: trace(matrix, d),
  };
}

function fromProducts(space, mean, k) {
  const { n, d } = space;
  const rows = new Float64Array(n * d);
  for (let i = 0; i < n; i++) {
    space.read(i, rows, i * d);
    for (let j = 0; j < d; j++) rows[i * d + j] -= mean[j];
  }
  const matrix = new Float64Array(n * n);
  const tile = new Float64Array(n * TILE);
  for (let start = 0; start < d; start += TILE) {
    const count = Math.min(TILE, d - start);
    for (let i = 0; i < n; i++) tile.set(rows.subarray(i * d + start, i * d + start + count), i * TILE);
    addProducts(matrix, tile, n, count);
  }
  mirror(matrix, n, 1 / Math.max(1, n - 1));
  const { values, vectors } = largestEigenpairs(matrix, n, k);
  const least = noise(values, n);
  const directions = vectors.map((vector, c) => {
    const out = new Float64Array(d);
    if (!(values[c] > least)) return out;
    for (let i = 0; i < n; i++) for (let j = 0, w = vector[i], at = i * d; j < d; j++) out[j] += w * rows[at + j];
    const length = Math.sqrt(out.reduce((sum, x) => sum + x * x, 0));
    return out.map((x) => x / length);
  });
  return { directions, variances: Array.from(values, (value) => (value > least ? value : 0)), total: trace(matrix, n) };
}

/** The eigenvalue below which there is only rounding. */
const noise = (values, size) => Math.max(values[0], 0) * 2 ** -52 * Math.max(16, size);

/**
 * matrix[a, b] += the product of rows a and b of a tile, for b >= a up to a few beside the diagonal. Two by four rows
 * at a time: each value that is read is used more than once.
 *
 * @param {Float64Array} tile (m, TILE), of which `count` columns are filled
 */
function addProducts(matrix, tile, m, count) {
  let a = 0;
  for (; a + 1 < m; a += 2) {
    const a0 = a * TILE;
    const a1 = a0 + TILE;
    let b = a;
    for (; b + 3 < m; b += 4) addSix(matrix, tile, m, count, a0, a1, a, b);
    for (; b < m; b++) {
      matrix[a * m + b] += rowProduct(tile, a0, b * TILE, count);
      matrix[(a + 1) * m + b] += rowProduct(tile, a1, b * TILE, count);
    }
  }
  for (; a < m; a++) for (let b = a; b < m; b++) matrix[a * m + b] += rowProduct(tile, a * TILE, b * TILE, count);
}

function addSix(matrix, tile, m, count, a0, a1, a, b) {
  const b0 = b * TILE;
  let s0 = 0,
    s1 = 0,
    s2 = 0,
    s3 = 0,
    t0 = 0,
    t1 = 0,
    t2 = 0,
    t3 = 0;
  for (let i = 0; i < count; i++) {
    const x = tile[a0 + i];
    const y = tile[a1 + i];
    const p = tile[b0 + i];
    const q = tile[b0 + TILE + i];
    const r = tile[b0 + 2 * TILE + i];
    const s = tile[b0 + 3 * TILE + i];
    s0 += x * p;
    s1 += x * q;
    s2 += x * r;
    s3 += x * s;
    t0 += y * p;
    t1 += y * q;
    t2 += y * r;
    t3 += y * s;
  }
  const at = a * m + b;
  matrix[at] += s0;
  matrix[at + 1] += s1;
  matrix[at + 2] += s2;
  matrix[at + 3] += s3;
  matrix[at + m] += t0;
  matrix[at + m + 1] += t1;
  matrix[at + m + 2] += t2;
  matrix[at + m + 3] += t3;
}

function rowProduct(tile, a, b, count) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += tile[a + i] * tile[b + i];
  return sum;
}

/** Copy the upper triangle to the lower one, all of it times a factor. */
function mirror(matrix, m, factor) {
  for (let a = 0; a < m; a++) {
    for (let b = a; b < m; b++) matrix[a * m + b] = matrix[b * m + a] = matrix[a * m + b] * factor;
  }
}

function trace(matrix, m) {
  let sum = 0;
  for (let a = 0; a < m; a++) sum += matrix[a * m + a];
  return sum;
}

function withSign(direction) {
  let largest = 0;
  for (let j = 1; j < direction.length; j++) if (Math.abs(direction[j]) > Math.abs(direction[largest])) largest = j;
  return direction[largest] < 0 ? direction.map((x) => -x) : direction;
}
