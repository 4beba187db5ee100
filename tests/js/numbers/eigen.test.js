import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decompose, jacobi, krylov, largestEigenpairs } from '#js/numbers/eigen.js';
import { createNormal, createRandom } from '#js/numbers/random.js';

const normal = createNormal(createRandom(3));

/** A symmetric matrix of known eigenvalues: reflections of a diagonal. */
function known(values) {
  const m = values.length;
  let a = Float64Array.from({ length: m * m }, (_, at) => (at % (m + 1) === 0 ? values[at / (m + 1)] : 0));
  for (let turn = 0; turn < 3; turn++) {
    const v = Float64Array.from({ length: m }, normal);
    const length = v.reduce((s, x) => s + x * x, 0);
    const reflect = (get) => {
      const out = new Float64Array(m * m);
      for (let j = 0; j < m; j++) {
        let along = 0;
        for (let i = 0; i < m; i++) along += v[i] * get(i, j);
        for (let i = 0; i < m; i++) out[i * m + j] = get(i, j) - (2 * v[i] * along) / length;
      }
      return out;
    };
    const left = reflect((i, j) => a[i * m + j]);
    a = reflect((i, j) => left[j * m + i]);
  }
  for (let i = 0; i < m; i++)
    for (let j = 0; j < i; j++) a[i * m + j] = a[j * m + i] = (a[i * m + j] + a[j * m + i]) / 2;
  return a;
}

const residual = (a, m, value, vector) =>
  Math.sqrt(
    Float64Array.from(vector, (_, i) => {
      let sum = -value * vector[i];
      for (let j = 0; j < m; j++) sum += a[i * m + j] * vector[j];
      return sum * sum;
    }).reduce((x, y) => x + y, 0),
  );

for (const [m, name] of [
  [12, 'small'],
  [300, 'large'],
]) {
  test(`the largest eigenpairs of a ${name} matrix are its own`, () => {
    const values = Array.from({ length: m }, (_, i) => 5 * 0.9 ** i);
    const a = known(values);
    const found = largestEigenpairs(a, m, 6);
    assert.equal(found.values.length, 6);
    found.values.forEach((value, i) => {
      assert.ok(Math.abs(value - values[i]) < 1e-10, `${value} for ${values[i]}`);
      assert.ok(residual(a, m, value, found.vectors[i]) < 1e-9);
    });
  });
}

test('equal eigenvalues have vectors at right angles', () => {
  const m = 240;
  const { values, vectors } = largestEigenpairs(known([3, 3, 3, ...new Array(m - 3).fill(1)]), m, 3);
  assert.ok(values.every((value) => Math.abs(value - 3) < 1e-10));
  assert.ok(Math.abs(vectors[0].reduce((s, x, i) => s + x * vectors[1][i], 0)) < 1e-10);
});

test('a matrix of zeros has eigenvalues of zero', () => {
  assert.deepEqual([...largestEigenpairs(new Float64Array(250 * 250), 250, 2).values], [0, 0]);
  assert.deepEqual([...jacobi(new Float64Array(4), 2).values], [0, 0]);
});

test('many eigenvalues that differ by a millionth have vectors of their own', () => {
  const m = 200;
  const values = Array.from({ length: m }, (_, i) => (i < 90 ? 1 - i * 1e-6 : 0.1 - i * 1e-4));
  const a = known(values);
  const found = largestEigenpairs(a, m, 3);
  found.values.forEach((value, i) => {
    assert.ok(Math.abs(value - values[i]) < 1e-12, `${value} for ${values[i]}`);
    assert.ok(residual(a, m, value, found.vectors[i]) < 1e-12);
  });
});

test('all eigenpairs of a matrix are found, equal ones and zeros too', () => {
  const values = [4, 2, 2, 2, 1e-9, 0, 0, -3, ...Array.from({ length: 40 }, (_, i) => -4 - i)];
  const a = known(values);
  const found = decompose(a, values.length);
  values.forEach((value, i) => {
    assert.ok(Math.abs(found.values[i] - value) < 1e-12);
    assert.ok(residual(a, values.length, found.values[i], found.vectors[i]) < 1e-12);
    for (let j = 0; j < i; j++) {
      const product = found.vectors[i].reduce((sum, x, at) => sum + x * found.vectors[j][at], 0);
      assert.ok(Math.abs(product) < 1e-13);
    }
  });
  assert.deepEqual(decompose(Float64Array.of(7), 1), { values: Float64Array.of(7), vectors: [Float64Array.of(1)] });
});

test('an iteration that did not settle says so', () => {
  const m = 120;
  const a = known(Array.from({ length: m }, (_, i) => 1 - i * 1e-4));
  const apply = (columns) => columns.map((v) => v.map((_, i) => v.reduce((sum, x, j) => sum + a[i * m + j] * x, 0)));
  assert.equal(krylov(apply, m, { wanted: 1, spare: 0, products: 12 }).settled, false);
  assert.equal(krylov(apply, m, { wanted: 1, spare: 0, most: m }).settled, true);
});
