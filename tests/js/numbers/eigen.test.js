import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jacobi, largestEigenpairs } from '#js/numbers/eigen.js';
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
