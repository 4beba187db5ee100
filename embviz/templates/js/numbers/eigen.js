import { createNormal, createRandom } from '#js/numbers/random.js';

/** Eigenpairs of real symmetric matrices, all arrays Float64Array, matrices row by row. */

const DIRECT_SIZE = 40;
/** Vectors beside those wanted, so that a cluster of eigenvalues at the edge does not slow them down. */
const SPARE = 8;
const BLOCKS = 6;
const LOOKS = 60;
const TOLERANCE = 1e-12;

/**
 * The largest eigenvalues and their vectors, to the accuracy of float64.
 *
 * @param {Float64Array} matrix (m, m), symmetric
 * @param {number} wanted at most m
 * @returns {{values: Float64Array, vectors: Float64Array[]}} descending; vectors of length 1
 */
export function largestEigenpairs(matrix, m, wanted) {
  const k = Math.min(wanted, m);
  if (m > DIRECT_SIZE && k + SPARE < m / 2) {
    const { settled, values, vectors } = krylov((columns) => product(matrix, m, columns), m, { wanted: k });
    if (settled) return { values, vectors };
  }
  const { values, vectors } = m > DIRECT_SIZE ? decompose(matrix, m) : jacobi(matrix.slice(), m);
  return { values: values.slice(0, k), vectors: vectors.slice(0, k) };
}

/**
 * All eigenpairs by cyclic Jacobi rotations (Golub and Van Loan, Matrix Computations, section 8.5).
 *
 * @param {Float64Array} a (m, m), symmetric; overwritten
 */
export function jacobi(a, m) {
  const turned = Array.from({ length: m }, (_, i) => Float64Array.from({ length: m }, (__, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 60; sweep++) {
    let rotated = false;
    for (let p = 0; p < m - 1; p++) {
      for (let q = p + 1; q < m; q++) if (rotate(a, m, p, q, turned)) rotated = true;
    }
    if (!rotated) break;
  }
  const order = Array.from({ length: m }, (_, i) => i).sort((i, j) => a[j * m + j] - a[i * m + i] || i - j);
  return { values: Float64Array.from(order, (i) => a[i * m + i]), vectors: order.map((i) => turned[i]) };
}

/**
 * All eigenpairs by Householder's tridiagonal form and implicit QL steps, the procedures tred2 and tql2 of EISPACK
 * (Wilkinson and Reinsch, Handbook for Automatic Computation II, 1971).
 *
 * @param {Float64Array} matrix (m, m), symmetric; not changed
 */
export function decompose(matrix, m) {
  const rows = Array.from({ length: m }, (_, i) => matrix.slice(i * m, (i + 1) * m));
  const { diagonal, beside } = tridiagonal(rows, m);
  // The rows of the transposed matrix are turned, so that a rotation goes along two arrays.
  const turned = Array.from({ length: m }, (_, i) => Float64Array.from(rows, (row) => row[i]));
  chase(diagonal, beside, turned, m);
  const order = Array.from({ length: m }, (_, i) => i).sort((i, j) => diagonal[j] - diagonal[i] || i - j);
  return { values: Float64Array.from(order, (i) => diagonal[i]), vectors: order.map((i) => turned[i]) };
}

/** Householder reflections from the last row up; `z` becomes their product. */
function tridiagonal(z, m) {
  const diagonal = new Float64Array(m);
  const beside = new Float64Array(m);
  for (let i = m - 1; i > 0; i--) {
    let scale = 0;
    for (let k = 0; k < i; k++) scale += Math.abs(z[i][k]);
    let h = 0;
    if (i === 1 || scale === 0) beside[i] = z[i][i - 1];
    else {
      for (let k = 0; k < i; k++) h += (z[i][k] /= scale) ** 2;
      const f = z[i][i - 1];
      const g = f >= 0 ? -Math.sqrt(h) : Math.sqrt(h);
      beside[i] = scale * g;
      h -= f * g;
      z[i][i - 1] = f - g;
      reflect(z, i, h, beside);
    }
    diagonal[i] = h;
  }
  for (let i = 0; i < m; i++) {
    if (diagonal[i] !== 0) {
      const g = new Float64Array(i);
      for (let k = 0; k < i; k++) for (let j = 0; j < i; j++) g[j] += z[i][k] * z[k][j];
      for (let k = 0; k < i; k++) subtract(z[k].subarray(0, i), g, z[k][i]);
    }
    diagonal[i] = z[i][i];
    z[i][i] = 1;
    for (let j = 0; j < i; j++) z[j][i] = z[i][j] = 0;
  }
  return { diagonal, beside };
}

/** One reflection of the rows before i; z[i] holds its vector and the column i that over h. */
function reflect(z, i, h, beside) {
  const u = z[i];
  let f = 0;
  for (let j = 0; j < i; j++) {
    z[j][i] = u[j] / h;
    let g = 0;
    for (let k = 0; k <= j; k++) g += z[j][k] * u[k];
    for (let k = j + 1; k < i; k++) g += z[k][j] * u[k];
    beside[j] = g / h;
    f += beside[j] * u[j];
  }
  const half = f / (h + h);
  for (let j = 0; j < i; j++) {
    const g = (beside[j] -= half * u[j]);
    for (let k = 0; k <= j; k++) z[j][k] -= u[j] * beside[k] + g * u[k];
  }
}

/** Implicit QL steps until nothing is left beside the diagonal; `turned` holds the vectors row by row. */
function chase(diagonal, beside, turned, m) {
  beside.copyWithin(0, 1);
  beside[m - 1] = 0;
  const isSmall = (l) =>
    l === m - 1 || Math.abs(beside[l]) <= 2 ** -53 * (Math.abs(diagonal[l]) + Math.abs(diagonal[l + 1]));
  for (let l = 0; l < m; l++) {
    for (let step = 0; step < 60; step++) {
      let end = l;
      while (!isSmall(end)) end++;
      if (end === l) break;
      sweep(diagonal, beside, turned, l, end);
    }
  }
}

/** One QL step with Wilkinson's shift between two places. */
function sweep(diagonal, beside, turned, l, end) {
  let g = (diagonal[l + 1] - diagonal[l]) / (2 * beside[l]);
  let r = Math.hypot(g, 1);
  g = diagonal[end] - diagonal[l] + beside[l] / (g + (g < 0 ? -r : r));
  let [s, c, p] = [1, 1, 0];
  for (let i = end - 1; i >= l; i--) {
    const f = s * beside[i];
    const b = c * beside[i];
    r = Math.hypot(f, g);
    beside[i + 1] = r;
    if (r === 0) {
      diagonal[i + 1] -= p;
      beside[end] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = diagonal[i + 1] - p;
    r = (diagonal[i] - g) * s + 2 * c * b;
    p = s * r;
    diagonal[i + 1] = g + p;
    g = c * r - b;
    const [u, v] = [turned[i], turned[i + 1]];
    for (let k = 0; k < u.length; k++) {
      const x = v[k];
      v[k] = s * u[k] + c * x;
      u[k] = c * u[k] - s * x;
    }
  }
  diagonal[l] -= p;
  beside[l] = g;
  beside[end] = 0;
}

/** Make a[p, q] zero by one rotation. @returns {boolean} false where it was zero within rounding */
function rotate(a, m, p, q, turned) {
  const pq = a[p * m + q];
  const pp = a[p * m + p];
  const qq = a[q * m + q];
  if (Math.abs(pq) <= 1e-17 * Math.sqrt(Math.abs(pp * qq)) || Math.abs(pq) < 1e-290) return false;
  const theta = (qq - pp) / (2 * pq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let i = 0, ip = p, iq = q; i < m; i++, ip += m, iq += m) {
    const x = a[ip];
    const y = a[iq];
    a[ip] = c * x - s * y;
    a[iq] = s * x + c * y;
  }
  for (let i = 0, pi = p * m, qi = q * m; i < m; i++, pi++, qi++) {
    const x = a[pi];
    const y = a[qi];
    a[pi] = c * x - s * y;
    a[qi] = s * x + c * y;
  }
  a[p * m + q] = a[q * m + p] = 0;
  const [u, v] = [turned[p], turned[q]];
  for (let i = 0; i < m; i++) {
    const x = u[i];
    u[i] = c * x - s * v[i];
    v[i] = s * x + c * v[i];
  }
  return true;
}

/**
 * The largest eigenpairs of an operator by block Krylov iteration with Rayleigh-Ritz restarts (Golub and Van Loan,
 * chapter 10).
 *
 * @param {(columns: Float64Array[]) => Float64Array[]} apply the operator's images of some vectors
 * @param {number} m their length
 * @param {{wanted: number, spare?: number, most?: number, products?: number, isClose?: Function}} options `most`
 *   vectors are kept before a restart, `products` is how many images are taken at most, isClose tells of {values,
 *   vectors, images} whether they will do
 * @returns {{values: Float64Array, vectors: Float64Array[], settled: boolean}} settled is false where they would not
 */
export function krylov(apply, m, { wanted, spare = SPARE, most = 0, products = Infinity, isClose = hasSettled }) {
  const normal = createNormal(createRandom(1));
  const width = Math.min(m, wanted + spare);
  /** @type {Float64Array[]} */
  let block = Array.from({ length: width }, () => Float64Array.from({ length: m }, normal));
  let [basis, images, taken] = [[], [], 0];
  let found = { values: new Float64Array(0), vectors: [], images: [] };
  for (let look = 0; look < LOOKS && taken < products; look++) {
    let isWhole = false;
    for (let step = 0; step < BLOCKS && !isWhole; step++) {
      const fresh = extend(basis, block);
      block = fresh.length ? apply(fresh) : [];
      images.push(...block);
      taken += block.length;
      isWhole = !fresh.length;
    }
    if (!basis.length) break;
    found = ritz(basis, images, width);
    if (isClose(found, wanted)) return answer(found, wanted, true);
    if (isWhole || basis.length + BLOCKS * width > most) [basis, images, block] = [[], [], found.vectors];
  }
  return answer(found, wanted, false);
}

const answer = ({ values, vectors }, wanted, settled) => ({
  values: values.slice(0, wanted),
  vectors: vectors.slice(0, wanted),
  settled,
});

const hasSettled = (found, wanted) => worstResidual(found, wanted) <= TOLERANCE * Math.max(found.values[0], 0);

/** Put what some vectors add to an orthonormal basis at its end. @returns {Float64Array[]} what was added */
function extend(basis, block) {
  const before = basis.length;
  for (const vector of block) {
    const left = Float64Array.from(vector);
    const length = Math.sqrt(dot(left, left));
    for (let pass = 0; pass < 2; pass++) for (const b of basis) subtract(left, b, dot(left, b));
    const rest = Math.sqrt(dot(left, left));
    if (!(rest > 1e-13 * length)) continue;
    for (let i = 0; i < left.length; i++) left[i] /= rest;
    // What is left of a vector that lay in the basis is mostly rounding: put it at right angles again.
    for (const b of basis) subtract(left, b, dot(left, b));
    const again = Math.sqrt(dot(left, left));
    for (let i = 0; i < left.length; i++) left[i] /= again;
    basis.push(left);
  }
  return basis.slice(before);
}

/** Eigenpairs of the matrix within the basis, with residuals A v - value v. */
function ritz(basis, images, count) {
  const size = basis.length;
  const small = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = i; j < size; j++) small[i * size + j] = small[j * size + i] = dot(basis[i], images[j]);
  const { values, vectors: turns } = jacobi(small, size);
  const kept = turns.slice(0, count);
  const combine = (columns, turn) => {
    const out = new Float64Array(columns[0].length);
    columns.forEach((column, j) => subtract(out, column, -turn[j]));
    return out;
  };
  return {
    values,
    vectors: kept.map((turn) => combine(basis, turn)),
    images: kept.map((turn) => combine(images, turn)),
  };
}

/** @returns {number} the largest length of A v - value v */
export function worstResidual({ values, vectors, images }, wanted) {
  let worst = 0;
  for (let k = 0; k < Math.min(wanted, vectors.length); k++) {
    let sum = 0;
    for (let i = 0; i < vectors[k].length; i++) sum += (images[k][i] - values[k] * vectors[k][i]) ** 2;
    worst = Math.max(worst, Math.sqrt(sum));
  }
  return worst;
}

function product(matrix, m, columns) {
  return columns.map((column) => {
    const out = new Float64Array(m);
    for (let i = 0, at = 0; i < m; i++) {
      let [a, b, c, d] = [0, 0, 0, 0];
      let j = 0;
      for (; j + 3 < m; j += 4, at += 4) {
        a += matrix[at] * column[j];
        b += matrix[at + 1] * column[j + 1];
        c += matrix[at + 2] * column[j + 2];
        d += matrix[at + 3] * column[j + 3];
      }
      for (; j < m; j++, at++) a += matrix[at] * column[j];
      out[i] = a + b + (c + d);
    }
    return out;
  });
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** a -= factor * b */
function subtract(a, b, factor) {
  for (let i = 0; i < a.length; i++) a[i] -= factor * b[i];
}
