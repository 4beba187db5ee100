import assert from 'node:assert/strict';
import { test } from 'node:test';

import { laidOn } from '#js/numbers/laid.js';

const A = Float32Array.of(0, 0, 2, 1, 4, -1);
const ALL = [0, 1, 2];
const near = (found, want) =>
  want.forEach((x, i) => assert.ok(Math.abs(found[i] - x) < 1e-5, `${found[i]} is not ${x}`));

test('places of about the same size stay the very same', () => {
  const b = A.map((x) => 1.9 * x + 3);
  assert.deepEqual(laidOn(A, b, 2, ALL, false), { coordinates: b, factor: 1 });
  assert.equal(laidOn(A, b, 2, ALL, true).coordinates, b);
});

test('a scaled and shifted copy lies on the original', () => {
  const { coordinates, factor } = laidOn(
    A,
    A.map((x) => 10 * x - 7),
    2,
    ALL,
    false,
  );
  near(coordinates, [...A]);
  assert.ok(Math.abs(factor - 0.1) < 1e-6);
});

test('a direction without a sign is turned to point the same way, another is not', () => {
  const b = A.map((x, i) => (i % 2 ? x : 1 - x));
  const { coordinates, factor } = laidOn(A, b, 2, ALL, true);
  assert.equal(factor, 1);
  near(coordinates, [-1, 0, 1, 1, 3, -1]);
  assert.equal(laidOn(A, b, 2, ALL, false).coordinates, b);
});

test('only points that go by it and have a place on both sides count', () => {
  const b = Float32Array.of(0, 0, 2, 1, 4000, NaN);
  assert.equal(laidOn(A, b, 2, ALL, false).factor, 1);
  const far = Float32Array.of(0, 0, 2, 1, 4000, -1);
  assert.equal(laidOn(A, far, 2, [0, 1], false).factor, 1);
  assert.notEqual(laidOn(A, far, 2, ALL, false).factor, 1);
});

test('where all lie on one spot nothing is scaled', () => {
  const b = new Float32Array(6).fill(3);
  assert.equal(laidOn(A, b, 2, ALL, true).coordinates, b);
});
