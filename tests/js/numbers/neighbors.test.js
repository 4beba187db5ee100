import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest, smallest } from '#js/numbers/neighbors.js';

const table = (rows, extra = {}) => ({
  data: Float32Array.from(rows.flat()),
  n: rows.length,
  d: rows[0].length,
  scales: null,
  scale: 1,
  ...extra,
});

/** A small seeded generator (mulberry32), so that every run tests the same numbers. */
export function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

test('nearest lists every other point in order of its distance', () => {
  const next = random(1);
  const rows = Array.from({ length: 200 }, () => Array.from({ length: 7 }, () => Math.fround(next() - 0.5)));
  const length = (a) => Math.sqrt(a.reduce((s, x) => s + x * x, 0));
  const distances = {
    cosine: (a, b) => 1 - a.reduce((s, x, j) => s + x * b[j], 0) / length(a) / length(b),
    euclidean: (a, b) => Math.sqrt(a.reduce((s, x, j) => s + (x - b[j]) ** 2, 0)),
  };
  for (const [metric, distance] of Object.entries(distances)) {
    const want = rows
      .map((row, i) => [distance(row, rows[3]), i])
      .filter(([, i]) => i !== 3)
      .sort((a, b) => a[0] - b[0]);
    const found = nearest(table(rows), 3, 25, metric);
    assert.deepEqual(
      [...found.indices],
      want.slice(0, 25).map(([, i]) => i),
    );
    found.distances.forEach((d, i) => assert.ok(Math.abs(d - want[i][0]) < 1e-6));
  }
});

test('a duplicate lies at distance 0, the row itself is not listed, ties go by row number', () => {
  const rows = [
    [0.1, 0.7],
    [0.1, 0.7],
    [5, 5],
    [0.1, 0.7],
  ];
  for (const metric of ['cosine', 'euclidean']) {
    const found = nearest(table(rows), 1, 3, metric);
    assert.deepEqual([...found.indices], [0, 3, 2]);
    assert.deepEqual([...found.distances.slice(0, 2)], [0, 0]);
  }
});

test('k beyond the other points gives them all', () => {
  assert.equal(
    nearest(
      table([
        [1, 0],
        [0, 1],
      ]),
      0,
      10,
      'euclidean',
    ).indices.length,
    1,
  );
});

test('a zero vector has no cosine neighbors, and is at distance 1 from the others', () => {
  const vectors = table([
    [0, 0],
    [1, 0],
    [-1, 0],
  ]);
  assert.throws(() => nearest(vectors, 0, 1, 'cosine'), RangeError);
  assert.deepEqual([...nearest(vectors, 1, 2, 'cosine').distances], [1, 2]);
});

test('int8 rows count with their own scale', () => {
  const vectors = {
    data: new Int8Array([127, 0, 127, 0, 0, 127]),
    n: 3,
    d: 2,
    scales: new Float32Array([1, 3, 1]),
    scale: 1,
  };
  assert.deepEqual([...nearest(vectors, 0, 2, 'euclidean').indices], [2, 1]);
  assert.equal(nearest(vectors, 0, 1, 'cosine').indices[0], 1);
});

test('smallest(values, k, left) keeps the k smallest in order', () => {
  assert.deepEqual([...smallest(Float64Array.of(3, 1, 2, 1, 0), 3, 4)], [1, 3, 2]);
});
