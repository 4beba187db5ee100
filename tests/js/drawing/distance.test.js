import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradientColor } from '#js/drawing/color.js';
import { colorByDistance, colorNearest } from '#js/drawing/distance.js';

const at = ({ colors }, i) => [...colors.subarray(4 * i, 4 * i + 3)];
const ends = (dark) => [gradientColor(dark ? 1 : 0, dark), gradientColor(dark ? 0 : 1, dark)];

for (const dark of [false, true])
  test(`near is the end of the gradient that stands out, in ${dark ? 'dark' : 'light'}`, () => {
    const distances = Float64Array.of(0, 1, 2, 3, 5);
    const found = colorByDistance(distances, { row: 0, rows: null, by: 'distance', dark });
    const [near, far] = ends(dark);
    assert.deepEqual([at(found, 0), at(found, 1), at(found, 4)], [near, near, far]);
    const middle = gradientColor(dark ? 0.5 : 0.5, dark);
    assert.ok(at(found, 3).every((x, c) => Math.abs(x - middle[c]) <= 2));
    const { low, high, isCut, count, by, row } = found.legend;
    assert.deepEqual(
      { low, high, isCut, count, by, row },
      { low: 1, high: 5, isCut: false, count: 4, by: 'distance', row: 0 },
    );
  });

test('a scale of distances ends where 99 % are nearer, so that a stray point does not take it all', () => {
  const distances = Float64Array.from({ length: 1000 }, (_, i) => Math.fround(i / 1000));
  distances[999] = 1.5;
  const { legend } = colorByDistance(distances, { row: 0, rows: null, by: 'distance', dark: false });
  assert.ok(Math.abs(legend.high - 0.99) < 0.002 && legend.isCut, `${legend.high}`);
});

test('a scale is of the points shown, and the others are colored by it', () => {
  const distances = Float64Array.of(0, 1, 2, 9, 0.5);
  const found = colorByDistance(distances, { row: 0, rows: Int32Array.of(0, 1, 2), by: 'distance', dark: false });
  assert.deepEqual([found.legend.low, found.legend.high, found.legend.count], [1, 2, 2]);
  assert.deepEqual([at(found, 3), at(found, 4)], [ends(false)[1], ends(false)[0]]);
});

test('ranks are by the logarithm, and points that are as near share one', () => {
  const n = 1001;
  const distances = Float64Array.from({ length: n }, (_, i) => Math.fround(((i * 367) % n) ** 2 / 7));
  const found = colorByDistance(distances, { row: 0, rows: null, by: 'rank', dark: false });
  assert.deepEqual([found.legend.low, found.legend.high], [1, n - 1]);
  for (let i = 1; i < n; i++) {
    const rank = 1 + distances.reduce((sum, x, j) => sum + (j !== 0 && x < distances[i] ? 1 : 0), 0);
    const step = Math.floor((255 * Math.log(rank)) / Math.log(n - 1) + 1e-6);
    assert.deepEqual(at(found, i), gradientColor(step / 255, false), `rank ${rank}`);
  }
  const tied = colorByDistance(Float64Array.of(0, 4, 4, 4, 5), { row: 0, rows: null, by: 'rank', dark: false });
  assert.deepEqual(at(tied, 1), at(tied, 3));
  assert.deepEqual(at(tied, 4), ends(false)[1]);
});

test('points that are alike, alone, or without a distance have colors too', () => {
  for (const by of ['distance', 'rank']) {
    const look = (distances, rows = null) =>
      colorByDistance(Float64Array.from(distances), { row: 0, rows, by, dark: false });
    assert.equal(look([0]).legend.count, 0);
    assert.deepEqual(at(look([0, 0, 0]), 2), ends(false)[0]);
    const gone = look([0, 1, Infinity, 3]);
    assert.equal(gone.legend.count, 2);
    assert.deepEqual(at(gone, 2), ends(false)[1]);
    assert.equal(look([0, 1, 2], Int32Array.of(0)).legend.count, 0);
  }
});

test('where only the nearest are known they alone are colored', () => {
  const found = colorNearest(
    { indices: Int32Array.of(3, 1), distances: Float64Array.of(0.1, 0.25) },
    { n: 5, row: 2, dark: false },
  );
  assert.deepEqual(at(found, 2), ends(false)[0]);
  assert.deepEqual(at(found, 0), at(found, 4));
  assert.notDeepEqual(at(found, 3), at(found, 1));
  assert.deepEqual(
    [found.legend.by, found.legend.low, found.legend.high, found.legend.count],
    ['listed', 0.1, 0.25, 2],
  );
});
