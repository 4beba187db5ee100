import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nearest } from '#js/numbers/neighbors.js';
import { ranksAmong } from '#js/numbers/ranks.js';

function cloud(n, d, seed = 7) {
  let s = seed;
  const random = () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 32 - 0.5;
  };
  return { data: Float32Array.from({ length: n * d }, random), n, d, scales: null, scale: 1 };
}

for (const metric of /** @type {const} */ (['cosine', 'euclidean'])) {
  test(`ranks are places in the list of all neighbors, ${metric}`, () => {
    const vectors = cloud(60, 5);
    const { indices } = nearest(vectors, 8, 59, metric);
    const others = Int32Array.of(3, 41, 0, 59, 9);
    assert.deepEqual(
      [...ranksAmong(vectors, 8, others, metric)],
      [...others].map((other) => indices.indexOf(other) + 1),
    );
  });
}

test('equally near ones are ranked by their row', () => {
  const vectors = { data: Float32Array.of(0, 0, 1, 0, 0, 1, 1, 0), n: 4, d: 2, scales: null, scale: 1 };
  assert.deepEqual([...ranksAmong(vectors, 0, [1, 2, 3], 'euclidean')], [1, 2, 3]);
});

test('a row that stands for no point has the last ranks', () => {
  const vectors = { ...cloud(5, 2), present: Uint8Array.of(1, 1, 0, 1, 1) };
  assert.equal(ranksAmong(vectors, 0, [2], 'euclidean')[0], 4);
});

test('without a direction there is no rank', () => {
  const vectors = { data: Float32Array.of(0, 0, 1, 0), n: 2, d: 2, scales: null, scale: 1 };
  assert.throws(() => ranksAmong(vectors, 0, [1], 'cosine'), RangeError);
});
