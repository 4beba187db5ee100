import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as camera from '#js/drawing/camera.js';
import { clippedLine } from '#js/drawing/lines.js';

const AREA = { left: 0, top: 0, width: 800, height: 600 };
const BOX3 = { min: [-1, -2, 3], max: [3, 2, 5] };
const near = (a, b, tolerance = 1e-6) => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

function project2(points, transform) {
  const xy = new Float32Array(points.length);
  camera.project2(Float32Array.from(points), points.length / 2, transform, xy);
  return [...xy];
}

test('boxOf() leaves out what is not finite', () => {
  assert.deepEqual(camera.boxOf(Float32Array.of(1, 2, NaN, 5, -3, Infinity), 3, 2), { min: [-3, 2], max: [1, 5] });
  assert.deepEqual(camera.boxOf(new Float32Array(0), 0, 2), { min: [0, 0], max: [0, 0] });
});

test('widened() gives a single point, and a line, a box that can be divided by', () => {
  assert.deepEqual(camera.widened({ min: [0, 0], max: [0, 0] }), { min: [-0.5, -0.5], max: [0.5, 0.5] });
  const line = camera.widened({ min: [0, 7], max: [4, 7] });
  assert.deepEqual(line, { min: [0, 5], max: [4, 9] });
});

test('the home view shows every point of the box with a margin of about 5 %', () => {
  const area = camera.plotArea(800, 600, { dims: 2, axes: null });
  const box = { min: [10, -3], max: [14, 1] };
  const xy = project2([10, -3, 14, 1], camera.transform2(camera.homeView2(box, area, true), area));
  assert.ok(xy[0] >= 39 && xy[2] <= 761 && xy[3] >= 29 && xy[1] <= 571, String(xy));
});

test('one scale on both axes makes a square a square', () => {
  const t = camera.transform2(camera.homeView2({ min: [0, 0], max: [1, 3] }, AREA, true), AREA);
  near(t.kx, -t.ky);
});

test('axes without meaning always have one scale; components of very different variance do not', () => {
  const thin = { min: [0, 0], max: [100, 10] };
  assert.equal(camera.hasEqualScale(thin, AREA, false), true);
  assert.equal(camera.hasEqualScale(thin, AREA, true), false);
  assert.equal(camera.hasEqualScale({ min: [0, 0], max: [100, 60] }, AREA, true), true);
});

test('zooming keeps the position under the pointer where it is', () => {
  const view = { dims: 2, x: [0, 8], y: [0, 6] };
  const before = project2([2, 1], camera.transform2(view, AREA));
  const after = project2([2, 1], camera.transform2(camera.zoomed2(view, AREA, 3, before), AREA));
  near(after[0], before[0], 1e-3);
  near(after[1], before[1], 1e-3);
  near(camera.magnification(camera.zoomed2(view, AREA, 3), view), 3);
});

test('panning moves points by as many pixels', () => {
  const view = { dims: 2, x: [0, 8], y: [0, 6] };
  const [x0, y0] = project2([2, 1], camera.transform2(view, AREA));
  const [x1, y1] = project2([2, 1], camera.transform2(camera.panned2(view, AREA, 30, -20), AREA));
  near(x1 - x0, 30, 1e-3);
  near(y1 - y0, -20, 1e-3);
});

test('resizing there and back is the same view', () => {
  const view = { dims: 2, x: [0, 8], y: [0, 6] };
  const other = { ...AREA, width: 500, height: 700 };
  const back = camera.resized2(camera.resized2(view, AREA, other, true), other, AREA, true);
  assert.ok(camera.isSameView(back, view));
  near(
    camera.transform2(camera.resized2(view, AREA, other, true), other).kx,
    -camera.transform2(camera.resized2(view, AREA, other, true), other).ky,
  );
});

test('a view whose axes have their own scales shows the same in another area', () => {
  const view = { dims: 2, x: [0, 80], y: [0, 6] };
  assert.deepEqual(camera.resized2(view, AREA, { ...AREA, width: 500, height: 700 }, false), view);
});

function project3(points, view, area = AREA, aspect = [1, 1, 0.5]) {
  const n = points.length / 3;
  const xy = new Float32Array(2 * n);
  const depth = new Float32Array(n);
  camera.project3(Float32Array.from(points), n, camera.clipMatrix(view, BOX3, aspect, area), area, xy, depth);
  return { xy, depth };
}
const VIEW3 = { dims: 3, eye: { x: 0, y: -2, z: 0 }, center: { x: 0, y: 0, z: 0 }, up: { x: 0, y: 0, z: 1 } };

test('a 3D view from the front has x to the right, z up, the middle in the middle', () => {
  const { xy, depth } = project3([1, 0, 4, 3, 0, 4, 1, 0, 5, 1, 2, 4], VIEW3);
  near(xy[0], 400, 1e-3);
  near(xy[1], 300, 1e-3);
  // Half a scene unit aside at distance 2: 0.5 / (2 tan 22.5°) of half the height.
  near(xy[2], 400 + (300 * 0.5) / (2 * Math.tan(Math.PI / 8)), 1e-2);
  near(xy[3], 300, 1e-3);
  near(xy[5], 300 - (300 * 0.25) / (2 * Math.tan(Math.PI / 8)), 1e-2);
  assert.ok(depth[3] > depth[0]);
});

test('points behind the camera have no position', () => {
  const { xy, depth } = project3([1, -12, 4, 1, 0, 4], VIEW3);
  assert.ok(Number.isNaN(xy[0]) && Number.isNaN(xy[1]) && Number.isNaN(depth[0]));
  assert.ok(!Number.isNaN(xy[2]));
});

test('an orthographic view has no perspective', () => {
  const { xy } = project3([3, -2, 4, 3, 2, 4], { ...VIEW3, projection: { type: 'orthographic' } });
  near(xy[0], xy[2], 1e-3);
});

for (const [side, from] of [
  ['a corner', undefined],
  ['where the reader looks', { ...VIEW3, eye: { x: -4, y: 0.5, z: -0.2 }, center: { x: 0.3, y: 0, z: 0 } }],
])
  test(`the view in 3D from ${side} has every point in sight and some near the edge`, () => {
    const coordinates = Float32Array.from(
      { length: 900 },
      (_, i) => BOX3.min[i % 3] + (BOX3.max[i % 3] - BOX3.min[i % 3]) * (((i * 7919) % 1000) / 999),
    );
    const view = camera.homeView3({ coordinates, n: 300, axes: null }, BOX3, [1, 1, 0.5], AREA, from);
    const towards = from ? [-4.3, 0.5, -0.2] : [1.25, 1.25, 0.9];
    const eye = Object.values(view.eye);
    towards.forEach((x, j) => near(eye[j] / Math.hypot(...eye), x / Math.hypot(...towards), 1e-9));
    const { xy } = project3(coordinates, view);
    const xs = xy.filter((_, i) => i % 2 === 0);
    const ys = xy.filter((_, i) => i % 2 === 1);
    assert.ok(Math.min(...xs) >= 39 && Math.max(...xs) <= 761 && Math.min(...ys) >= 29 && Math.max(...ys) <= 571);
    // One of them touches the margin: the camera is as near as it can be.
    near(Math.min(Math.min(...xs) - 40, 760 - Math.max(...xs), Math.min(...ys) - 52, 548 - Math.max(...ys)), 0, 1);
  });

test('orbiting keeps the distance, and a whole turn comes back', () => {
  let view = { ...VIEW3, eye: { x: 1.2, y: 1, z: 0.7 } };
  const first = view;
  for (let i = 0; i < 12; i++) view = camera.orbited(view, Math.PI / 6, 0);
  assert.ok(camera.isSameView(view, first));
  const tilted = camera.orbited(first, 0.3, 0.8);
  near(Math.hypot(...Object.values(tilted.eye)), Math.hypot(...Object.values(first.eye)));
});

test('zooming in 3D comes nearer, but never through the center', () => {
  near(camera.zoomed3(VIEW3, 2).eye.y, -1);
  let view = VIEW3;
  for (let i = 0; i < 100; i++) view = camera.zoomed3(view, 2);
  assert.ok(view.eye.y < 0);
});

test('boxAspect() keeps proportions, but makes a cube of axes that differ more than fourfold', () => {
  assert.deepEqual(camera.boxAspect(BOX3, true), [1, 1, 0.5]);
  assert.deepEqual(camera.boxAspect({ min: [0, 0, 0], max: [100, 10, 10] }, true), [1, 1, 1]);
  assert.deepEqual(camera.boxAspect({ min: [0, 0, 0], max: [100, 10, 10] }, false), [1, 0.1, 0.1]);
});

test('isView() refuses what a link or a file should not hold', () => {
  assert.equal(camera.isView({ dims: 2, x: [0, 1], y: [0, 1] }, 2), true);
  assert.equal(camera.isView({ dims: 2, x: [0, 1], y: [0, 1] }, 3), false);
  for (const bad of [
    null,
    {},
    { dims: 2, x: [1, 0], y: [0, 1] },
    { dims: 2, x: [0, NaN], y: [0, 1] },
    { dims: 2, x: ['0', 1], y: [0, 1] },
    { dims: 2, x: [0], y: [0, 1] },
  ])
    assert.equal(camera.isView(bad, 2), false);
  assert.equal(camera.isView(VIEW3, 3), true);
  assert.equal(camera.isView({ ...VIEW3, eye: VIEW3.center }, 3), false);
  assert.equal(camera.isView({ ...VIEW3, up: { x: 0, y: 0 } }, 3), false);
});

test('of a line through the plane of the camera only what lies before it is drawn', () => {
  const matrix = camera.clipMatrix(VIEW3, BOX3, [1, 1, 0.5], AREA);
  const [before, behind, farther] = [
    [1, 0, 4],
    [2, -30, 4.2],
    [1.5, -15, 4.1],
  ];
  assert.equal(clippedLine(behind, [2, -40, 4], matrix, AREA), null);
  const whole = clippedLine(before, [2, 1, 4.5], matrix, AREA);
  assert.deepEqual(whole, [camera.projectPoint(before, matrix, AREA), camera.projectPoint([2, 1, 4.5], matrix, AREA)]);
  for (const [a, b] of [
    [before, behind],
    [behind, before],
  ]) {
    const ends = clippedLine(a, b, matrix, AREA);
    const [near, cut] = a === before ? ends : [ends[1], ends[0]];
    assert.deepEqual(near, camera.projectPoint(before, matrix, AREA));
    // The cut end is that of the last point of the line that has a place on the screen.
    let [low, high] = [0, 1];
    const at = (t) => before.map((x, j) => x + t * (behind[j] - x));
    const depth = ([x, y, z]) => matrix[3] * x + matrix[7] * y + matrix[11] * z + matrix[15];
    for (let step = 0; step < 60; step++) {
      const middle = (low + high) / 2;
      if (depth(at(middle)) > 1e-3) low = middle;
      else high = middle;
    }
    const [x, y] = camera.projectPoint(at(low), matrix, AREA);
    assert.ok(Math.abs(cut[0] - x) < 1e-3 * Math.abs(x) && Math.abs(cut[1] - y) < 1e-3 * Math.abs(y) + 1);
  }
  assert.ok(Number.isNaN(camera.projectPoint(farther, matrix, AREA)[0]));
});
