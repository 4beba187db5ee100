import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  leadingDirection,
  leadingLeft,
  pcaCost,
  principalComponents,
  projectRows,
  startCovariance,
} from '#js/numbers/pca.js';
import { createNormal, createRandom } from '#js/numbers/random.js';
import { createSpace, takeVectors } from '#js/numbers/space.js';

function cloud(n, d, seed = 1) {
  const normal = createNormal(createRandom(seed));
  const data = Float32Array.from({ length: n * d }, (_, at) => normal() * 0.8 ** (at % d) + (at % 3));
  return { data, n, d, scales: null, scale: 1 };
}

test('two components of points on a tilted ellipse are its axes', () => {
  const data = new Float32Array(80);
  for (let i = 0; i < 40; i++) {
    const [u, v] = [5 * Math.cos((2 * Math.PI * i) / 40), 2 * Math.sin((2 * Math.PI * i) / 40)];
    data.set([u * 0.6 - v * 0.8 + 7, u * 0.8 + v * 0.6 - 3], 2 * i);
  }
  const found = principalComponents(createSpace({ data, n: 40, d: 2, scales: null, scale: 1 }, null, false), 10);
  assert.equal(found.directions.length, 2);
  for (const [i, want] of [
    [0, [0.6, 0.8]],
    [1, [0.8, -0.6]],
  ])
    want.forEach((x, j) => assert.ok(Math.abs(found.directions[i][j] - x) < 1e-6));
  assert.ok(Math.abs(found.shares[0] - 25 / 29) < 1e-6);
});

for (const [n, d, name] of [
  [400, 30, 'more rows than dimensions'],
  [40, 200, 'more dimensions than rows'],
  [500, 180, 'many dimensions'],
]) {
  test(`coordinates have the variances that belong to them and no correlation: ${name}`, () => {
    const space = createSpace(cloud(n, d), null, false);
    const found = principalComponents(space, 5);
    const { coordinates: at } = projectRows(space, found);
    for (let a = 0; a < 5; a++) {
      for (let b = a; b < 5; b++) {
        let sum = 0;
        for (let i = 0; i < n; i++) sum += at[5 * i + a] * at[5 * i + b];
        const want = a === b ? found.variances[a] * space.unit ** 2 : 0;
        assert.ok(Math.abs(sum / (n - 1) - want) < 1e-5 * found.variances[0] * space.unit ** 2, `${a} ${b}`);
      }
      let largest = 0;
      for (const x of found.directions[a]) if (Math.abs(x) > Math.abs(largest)) largest = x;
      assert.ok(largest > 0, 'the loading of largest magnitude is positive');
    }
  });
}

test('a subset has the components of its rows alone, in its order', () => {
  const vectors = cloud(120, 9);
  const rows = Int32Array.of(100, 3, 7, 50, 51, 52, 53, 54, 20, 21, 22, 99);
  const alone = {
    ...vectors,
    data: Float32Array.from(rows, (r) => r).length ? takeVectors(vectors, rows, false).data : null,
    n: rows.length,
  };
  const one = principalComponents(createSpace(vectors, rows, false), 4);
  const two = principalComponents(createSpace(alone, null, false), 4);
  assert.deepEqual(one.shares, two.shares);
  assert.deepEqual(one.directions, two.directions);
});

test('components without variance are zero, and so are those of equal points', () => {
  const line = { data: Float32Array.of(0, 0, 1, 2, 2, 4, 3, 6), n: 4, d: 2, scales: null, scale: 1 };
  const found = principalComponents(createSpace(line, null, false), 2);
  assert.deepEqual([...found.directions[1]], [0, 0]);
  assert.ok(Math.abs(found.shares[0] - 1) < 1e-12);
  const same = principalComponents(createSpace({ ...line, data: new Float32Array(8).fill(3) }, null, false), 2);
  assert.deepEqual(same.shares, [0, 0]);
});

test('spherized rows have length 1 around the mean of the whole table, a row in the middle stays zero', () => {
  const vectors = { data: Float32Array.of(1, 0, -1, 0, 0, 3, 0, -3, 0, 0), n: 5, d: 2, scales: null, scale: 2 };
  const out = new Float64Array(2);
  const space = createSpace(vectors, Int32Array.of(2, 4), true);
  space.read(0, out);
  assert.deepEqual([...out], [0, 1]);
  space.read(1, out);
  assert.deepEqual([...out], [0, 0]);
  const handed = createSpace(takeVectors(vectors, Int32Array.of(0, 2), true), null, true);
  handed.read(0, out);
  assert.deepEqual([...out], [1, 0]);
});

test('scales of rows of 8-bit vectors count', () => {
  const vectors = { data: Int8Array.of(1, 2, 3, 4), n: 2, d: 2, scales: Float32Array.of(0.5, 2), scale: 1 };
  const out = new Float64Array(2);
  const space = createSpace(vectors, null, false);
  space.read(1, out);
  assert.deepEqual(
    [...out].map((x) => x * space.unit),
    [6, 8],
  );
  assert.deepEqual([...takeVectors(vectors, Int32Array.of(1), false).scales], [2]);
});

test('the cost grows with the smaller side', () => {
  assert.ok(pcaCost(100000, 10) < pcaCost(100000, 100));
  assert.ok(pcaCost(10, 100000) < pcaCost(1000, 100000));
});

test('the direction of most variance that is left is at right angles to the others', () => {
  const vectors = cloud(300, 60);
  const space = createSpace(vectors, null, false);
  const covariance = startCovariance(space).finish();
  const { directions, variances } = principalComponents(space, 3);
  const close = (a, b) => a.every((x, j) => Math.abs(x - b[j]) < 1e-7);
  assert.ok(close(leadingLeft(covariance, 60, []), directions[0]));
  assert.ok(close(leadingLeft(covariance, 60, [directions[0]]), directions[1]));
  assert.ok(close(leadingLeft(covariance, 60, [directions[1], directions[0]]), directions[2]));
  assert.ok(
    Math.abs(
      covariance.reduce((sum, x, at) => sum + (at % 61 === 0 ? x : 0), 0) -
        variances.reduce((a, b) => a + b) / principalComponents(space, 3).shares.reduce((a, b) => a + b),
    ) < 1e-6,
  );
  assert.equal(leadingLeft(Float64Array.of(1, 0, 0, 0), 2, [Float64Array.of(1, 0)]), null);
  for (const basis of [[], [directions[0]], [directions[1], directions[0]]]) {
    const { direction, settled } = leadingDirection(space, basis, 300);
    assert.ok(settled && close(direction, directions[basis.length]));
  }
});

test('directions that cannot be told apart in so many products are not said to be found', () => {
  const space = createSpace(cloud(300, 60), null, false);
  assert.equal(leadingDirection(space, [], 6).settled, false);
  const line = { data: Float32Array.of(0, 0, 1, 2, 2, 4, 3, 6), n: 4, d: 2, scales: null, scale: 1 };
  const along = Float64Array.of(1 / Math.sqrt(5), 2 / Math.sqrt(5));
  assert.equal(leadingDirection(createSpace(line, null, false), [along], 300).direction, null);
});
