import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bounds, frameAt, pick } from '#js/numbers/coordinates.js';

test('pick takes components in the order asked for', () => {
  assert.deepEqual([...pick(Float32Array.of(1, 2, 3, 4, 5, 6), 3, [2, 0])], [3, 1, 6, 4]);
});

test('frameAt mixes the two recorded frames around a moment', () => {
  const frames = Float32Array.of(0, 0, 10, 20);
  assert.deepEqual([...frameAt(frames, 2, 0.5)], [5, 10]);
  assert.deepEqual([...frameAt(frames, 2, 9)], [10, 20]);
});

test('bounds covers all points or some', () => {
  const points = Float32Array.of(0, 5, -1, 7, 3, 6);
  assert.deepEqual(bounds(points, 2), { min: [-1, 5], max: [3, 7] });
  assert.deepEqual(bounds(points, 2, [0, 2]), { min: [0, 5], max: [3, 6] });
});
