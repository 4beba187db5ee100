import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fromCameraDef, toCameraDef } from '#js/bookmarks/camera.js';
import { clipMatrix, project2, projectPoint, transform2 } from '#js/drawing/camera.js';

// tests/data/make_fixtures.py says what TensorBoard's cameras see.

const { deep, flat } = JSON.parse(readFileSync(new URL('../../data/cameras.json', import.meta.url), 'utf8'));
const AREA = { left: -1, top: -1, width: 2, height: 2 };
const cube = (dims) => ({ min: new Array(dims).fill(-1), max: new Array(dims).fill(1) });
const isNear = (found, want, tolerance) =>
  found.forEach((x, i) => assert.ok(Math.abs(x - want[i]) <= tolerance, `${found} for ${want}`));

test('a camera of TensorBoard in 3D sees the plane of its target here as there', () => {
  for (const { camera, points, screen } of deep) {
    const view = fromCameraDef(camera, 3, cube(3), false);
    const matrix = clipMatrix(view, cube(3), [1, 1, 1], AREA);
    points.forEach((point, i) => {
      const [x, y] = projectPoint(Float64Array.from(point), matrix, AREA);
      isNear([x, -y], screen[i], 1e-5);
    });
    const back = toCameraDef(view, 3, cube(3), false);
    isNear(back.position, camera.position, 1e-9);
    isNear(back.target, camera.target, 1e-9);
  }
});

test('a camera of TensorBoard in 2D sees the same here as there', () => {
  for (const { camera, points, screen } of flat) {
    const view = fromCameraDef(camera, 2, cube(2), false);
    points.forEach((point, i) => {
      const xy = new Float32Array(2);
      project2(Float32Array.from(point), 1, transform2(view, AREA), xy);
      isNear([xy[0], -xy[1]], screen[i], 1e-5);
    });
    const back = toCameraDef(view, 2, cube(2), false);
    isNear([...back.position, back.zoom], [...camera.position, camera.zoom], 1e-9);
  }
});
