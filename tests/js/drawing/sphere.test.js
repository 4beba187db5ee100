import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boxAspect, clipMatrix, projectPoint } from '#js/drawing/camera.js';
import { rowsInSphere, sphereOutline } from '#js/drawing/sphere.js';

const coordinates = Float32Array.of(0, 0, 0, 10, 0, 0, 0, 5, 0, 2, 0, 0, 2.1, 0, 0);
const scene = { coordinates, ranges: { min: [0, 0, 0], max: [10, 5, 5] }, axes: null };

test('a radius is a part of the longest side of the plot', () => {
  assert.deepEqual([...rowsInSphere(scene, 0, 0.205, null)], [0, 3]);
  assert.deepEqual([...rowsInSphere(scene, 0, 0.5, null)], [0, 2, 3, 4]);
});

test('hidden points are not in it', () => {
  assert.deepEqual([...rowsInSphere(scene, 0, 0.5, Uint8Array.of(1, 1, 0, 1, 1))], [0, 3, 4]);
});

test('where axes of very different length are drawn as a cube, distance is that of the cube', () => {
  const flat = {
    coordinates: Float32Array.of(0, 0, 0, 100, 0, 0, 0, 0.5, 0),
    ranges: { min: [0, 0, 0], max: [100, 1, 100] },
    axes: [{}, {}, {}],
  };
  assert.deepEqual([...rowsInSphere(flat, 0, 0.4, null)], [0]);
  assert.deepEqual([...rowsInSphere(flat, 0, 0.5, null)], [0, 2]);
});

for (const type of ['perspective', 'orthographic']) {
  test(`the outline is at the radius, and no point of the sphere is drawn outside it: ${type}`, () => {
    const box = { min: [0, 0, 0], max: [10, 5, 5] };
    const aspect = boxAspect(box, false);
    const view = {
      dims: 3,
      eye: { x: 1.2, y: 0.9, z: 0.7 },
      center: { x: 0, y: 0, z: 0 },
      up: { x: 0, y: 0, z: 1 },
      projection: { type },
    };
    const middle = [6, 2, 3];
    const ring = sphereOutline(view, { box, aspect }, middle, 0.1);
    for (const p of ring) assert.ok(Math.abs(Math.hypot(...p.map((x, j) => x - middle[j])) - 1) < 1e-6);
    const area = { left: 0, top: 0, width: 600, height: 600 };
    const m = clipMatrix(view, box, aspect, area);
    const [cx, cy] = projectPoint(middle, m, area);
    const shape = ring.map((p) => projectPoint(p, m, area));
    for (let k = 0; k < 200; k++) {
      const [a, b] = [k * 2.39996, Math.acos(1 - (2 * (k + 0.5)) / 200)];
      const [x, y] = projectPoint(
        middle.map((c, j) => c + [Math.cos(a) * Math.sin(b), Math.sin(a) * Math.sin(b), Math.cos(b)][j]),
        m,
        area,
      );
      const angle = Math.atan2(y - cy, x - cx);
      const near = shape.reduce((best, [u, v]) =>
        Math.abs(Math.atan2(v - cy, u - cx) - angle) < Math.abs(Math.atan2(best[1] - cy, best[0] - cx) - angle)
          ? [u, v]
          : best,
      );
      assert.ok(Math.hypot(x - cx, y - cy) <= Math.hypot(near[0] - cx, near[1] - cy) * 1.01 + 0.5);
    }
  });
}

test('within the sphere there is no outline', () => {
  const view = { dims: 3, eye: { x: 0.1, y: 0, z: 0 }, center: { x: 0, y: 0, z: 0 }, up: { x: 0, y: 0, z: 1 } };
  assert.deepEqual(
    sphereOutline(view, { box: { min: [0, 0, 0], max: [1, 1, 1] }, aspect: [1, 1, 1] }, [0.5, 0.5, 0.5], 0.5),
    [],
  );
});
