import { createNormal, createRandom } from '#js/numbers/random.js';

/** Eigenpairs of real symmetric matrices, all arrays Float64Array, matrices row by row. */

const DIRECT_SIZE = 40;
const BLOCKS = 6;
const RESTARTS = 60;
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
  if (m > DIRECT_SIZE && k + 8 < m / 2) return krylov(matrix, m, k);
  const { values, vectors } = jacobi(matrix.slice(), m);
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

/** Block Krylov iteration with Rayleigh-Ritz restarts (Golub and Van Loan, chapter 10). */
function krylov(matrix, m, wanted) {
  const normal = createNormal(createRandom(1));
  let block = Array.from({ length: wanted + 8 }, () => Float64Array.from({ length: m }, normal));
  let found = null;
  for (let restart = 0; restart < RESTARTS; restart++) {
    const basis = [];
    const images = [];
    for (let step = 0; step < BLOCKS; step++) {
      const fresh = extend(basis, block);
      if (!fresh.length) break;
      block = product(matrix, m, fresh);
      images.push(...block);
    }
    found = ritz(basis, images, wanted + 8);
    block = found.vectors;
    globalThis.RS = restart;
    if (worstResidual(found, wanted) <= TOLERANCE * Math.max(found.values[0], 0)) break;
  }
  return { values: found.values.slice(0, wanted), vectors: found.vectors.slice(0, wanted) };
}

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

function worstResidual({ values, vectors, images }, wanted) {
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
