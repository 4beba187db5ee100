import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInside, nearestTo, rowNear, rowsInBox, rowsInLasso } from '#js/drawing/hit.js';

let seed = 5;
const random = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};

/** The textbook's even-odd rule, without bands. */
function inside(polygon, x, y) {
  let odd = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [[xi, yi], [xj, yj]] = [polygon[i], polygon[j]];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

test('a lasso of any shape catches what the even-odd rule says', () => {
  const xy = Float32Array.from({ length: 8000 }, () => random() * 500 - 20);
  for (const corners of [3, 4, 7, 60]) {
    const polygon = Array.from({ length: corners }, () => [random() * 480, random() * 480]);
    const expected = Array.from({ length: 4000 }, (_, i) => i).filter((i) => inside(polygon, xy[2 * i], xy[2 * i + 1]));
    assert.deepEqual([...rowsInLasso(xy, null, polygon)], expected);
    assert.ok(expected.length > 0);
  }
});

test('a box can be drawn from any corner', () => {
  const xy = Float32Array.of(1, 1, 5, 5, 9, 9);
  for (const [a, b] of [
    [
      [2, 2],
      [8, 8],
    ],
    [
      [8, 2],
      [2, 8],
    ],
    [
      [8, 8],
      [2, 2],
    ],
  ])
    assert.deepEqual([...rowsInBox(xy, null, a, b)], [1]);
});

test('points that are hidden or behind the camera are not caught', () => {
  const xy = Float32Array.of(5, 5, NaN, NaN, 5, 5);
  assert.deepEqual([...rowsInBox(xy, Uint8Array.of(0, 1, 1), [0, 0], [9, 9])], [2]);
  assert.deepEqual(
    [
      ...rowsInLasso(xy, Uint8Array.of(0, 1, 1), [
        [0, 0],
        [9, 0],
        [9, 9],
        [0, 9],
      ]),
    ],
    [2],
  );
});

test('a lasso of two corners catches nothing', () => {
  assert.equal(
    rowsInLasso(Float32Array.of(1, 1), null, [
      [0, 0],
      [2, 2],
    ]).length,
    0,
  );
});

test('isInside() knows a concave shape', () => {
  const shape = [
    [0, 0],
    [10, 0],
    [10, 10],
    [5, 2],
    [0, 10],
  ];
  assert.equal(isInside(shape, 5, 1), true);
  assert.equal(isInside(shape, 5, 6), false);
});

test('the pointer finds the row below it, else the nearest within reach', () => {
  const rows = new Int32Array(100).fill(-1);
  rows[5 * 10 + 5] = 7;
  rows[5 * 10 + 8] = 9;
  assert.equal(rowNear(rows, 10, 10, 5.5, 5.5, 3), 7);
  assert.equal(rowNear(rows, 10, 10, 7.2, 5.5, 3), 9);
  assert.equal(rowNear(rows, 10, 10, 5, 1, 3), -1);
  assert.equal(rowNear(rows, 10, 10, -1, 50, 3), -1);
});

test('a lasso around 100,000 points takes under 200 ms', () => {
  const xy = Float32Array.from({ length: 200000 }, () => random() * 900);
  const polygon = Array.from({ length: 400 }, (_, i) => [
    450 + 430 * Math.cos(i / 63.7),
    450 + 430 * Math.sin(i / 63.7),
  ]);
  const start = process.cpuUsage();
  const caught = rowsInLasso(xy, null, polygon).length;
  assert.ok(process.cpuUsage(start).user < 200e3);
  assert.ok(caught > 60000);
});

test('the nearest visible row to a place, none where all are hidden or not seen', () => {
  const xy = Float32Array.from([0, 0, 10, 0, NaN, NaN, 4, 3]);
  assert.equal(nearestTo(xy, 4, null, [5, 5]), 3);
  assert.equal(nearestTo(xy, 4, Uint8Array.from([1, 1, 1, 0]), [6, 0]), 1);
  assert.equal(nearestTo(xy, 4, Uint8Array.from([0, 0, 1, 0]), [6, 0]), -1);
});
