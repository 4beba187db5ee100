import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clipMatrix, homeView3, orbited, project3 } from '#js/drawing/camera.js';
import { middleOf, nearestRows } from '#js/numbers/middle.js';
import { whereIs } from '#js/state/where.js';

const scene = (points, dims = 2, side = 9) => ({
  coordinates: Float32Array.from(points.flat()),
  dims,
  ranges: { min: new Array(dims).fill(0), max: new Array(dims).fill(side) },
});
const where = (...points) => whereIs(scene(points), null, Int32Array.from(points.keys()));

test('where a point lies is said by the thirds of the picture, up being up', () => {
  assert.equal(where([1, 8]), 'at the upper left');
  assert.equal(where([8, 1]), 'at the lower right');
  assert.equal(where([4, 8]), 'at the top');
  assert.equal(where([4, 1]), 'at the bottom');
  assert.equal(where([1, 4]), 'at the left');
  assert.equal(where([4, 5]), 'in the middle');
});

test('several points lie where their median does, and are spread where their middle half is wide', () => {
  assert.equal(where([8, 8], [8, 7], [8.5, 8], [7.5, 8], [0, 0]), 'at the upper right');
  const corners = [0, 9].flatMap((x) => [0, 9].map((y) => [x, y]));
  assert.equal(where(...corners, [4, 4]), 'spread out, mostly in the middle');
  assert.equal(where([NaN, NaN]), '', 'what has no place is nowhere');
  assert.equal(whereIs(scene([[3, 3]], 2, 0), null, [0]), 'in the middle', 'of a picture that is one point');
});

test('in three dimensions it is said as the scene is turned', () => {
  const corners = Array.from({ length: 8 }, (_, bits) => [0, 1, 2].map((j) => ((bits >> j) & 1) * 9));
  const { coordinates, ranges } = scene(corners, 3);
  const area = { left: 0, top: 0, width: 600, height: 600 };
  let camera = homeView3({ coordinates, n: 8, axes: null }, ranges, [1, 1, 1], area);
  for (let turn = 0; turn < 20; turn++) {
    camera = { ...orbited(camera, 0.7, 0.3 * Math.sin(turn)), projection: { type: 'orthographic' } };
    const [xy, depth] = [new Float32Array(16), new Float32Array(8)];
    project3(coordinates, 8, clipMatrix(camera, ranges, [1, 1, 1], area), area, xy, depth);
    const mean = depth.reduce((a, b) => a + b) / 8;
    corners.forEach((_, i) => {
      const said = whereIs({ coordinates, dims: 3, ranges }, camera, [i]);
      if (/left/.test(said)) assert.ok(xy[2 * i] < 300);
      if (/right/.test(said)) assert.ok(xy[2 * i] > 300);
      if (/upper|top/.test(said)) assert.ok(xy[2 * i + 1] < 300);
      if (/lower|bottom/.test(said)) assert.ok(xy[2 * i + 1] > 300);
      if (/front/.test(said)) assert.ok(depth[i] < mean);
      if (/back/.test(said)) assert.ok(depth[i] > mean);
      assert.notEqual(said, 'in the middle', 'a corner is at an edge from every side');
    });
  }
});

test('the middle is the median along each axis, and the nearest to it come first', () => {
  const points = Array.from({ length: 101 }, (_, i) => [((i * 37) % 101) + 0.25, i]);
  const { coordinates } = scene(points);
  const rows = Int32Array.from(points.keys());
  const found = middleOf(coordinates, 2, rows);
  assert.deepEqual(found, {
    low: [25.25, 25],
    middle: [50.25, 50],
    high: [75.25, 75],
    min: [5.25, 5],
    max: [95.25, 95],
  });
  const wanted = [...rows].sort((a, b) => {
    const square = (row) => (points[row][0] - 50.25) ** 2 + (points[row][1] - 50) ** 2;
    return square(a) - square(b) || a - b;
  });
  assert.deepEqual(nearestRows(coordinates, 2, rows, found.middle, 7), wanted.slice(0, 7));
  assert.deepEqual(nearestRows(coordinates, 2, [3], found.middle, 7), [3]);
});
