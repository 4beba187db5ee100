import assert from 'node:assert/strict';
import { test } from 'node:test';
import { homeView2, homeView3, zoomed2, zoomed3, magnification } from '#js/drawing/camera.js';
import { backWithin, limitedFactor, showsPoints, withinReach } from '#js/drawing/limits.js';

const area = { left: 0, top: 0, width: 800, height: 600 };
const box = { min: [-1, -1], max: [1, 1] };
const home = homeView2(box, area, true);
const near = (a, b, tolerance = 1e-6) => assert.ok(Math.abs(a - b) <= tolerance * Math.abs(b), `${a} is not ${b}`);

/** Zoom by one factor again and again. @returns {number} how large the picture is then */
function zoomedFor(times, factor, from = home, given = box, start = home) {
  let camera = start;
  for (let i = 0; i < times; i++)
    camera = zoomed2(camera, area, limitedFactor(factor, { camera, home: from, area }, given));
  return magnification(camera, from);
}

test('a flat picture becomes no smaller than a quarter', () => {
  near(zoomedFor(3, 0.8), 0.8 ** 3);
  near(zoomedFor(80, 0.8), 0.25);
});

test('a flat picture is enlarged until the steps of 32-bit floats are a pixel', () => {
  const k = zoomedFor(300, 1.25) * (area.width / (home.x[1] - home.x[0]));
  const step = Math.abs(Math.fround(1 - 2 ** -24) - 1);
  assert.ok(k * step >= 0.4 && k * step <= 1.01, String(k * step));
});

test('a flat picture of rounded coordinates is enlarged until their steps are a pixel', () => {
  const pixels = area.width / (home.x[1] - home.x[0]);
  for (const [grain, largest] of [
    [2 / 65535, 65535 / (2 * pixels)],
    [2 / 255, 20],
  ]) {
    const camera = zoomed2(home, area, limitedFactor(1e9, { camera: home, home, area }, box, grain));
    near(magnification(camera, home), largest);
  }
});

test('numbers far from zero, whose steps are coarse, can be enlarged twenty times all the same', () => {
  const far = { min: [1e6, 1e6], max: [1e6 + 1, 1e6 + 1] };
  const there = homeView2(far, area, true);
  near(zoomedFor(200, 1.25, there, far, there), 20, 1e-3);
});

test('from beyond the limits the way back is free, and no other', () => {
  const tiny = zoomed2(home, area, 0.01);
  assert.equal(limitedFactor(0.8, { camera: tiny, home, area }, box), 1);
  assert.equal(limitedFactor(1.25, { camera: tiny, home, area }, box), 1.25);
});

test('in three dimensions the camera goes no farther than four times as far', () => {
  const points = { coordinates: Float32Array.of(-1, -1, -1, 1, 1, 1), n: 2, axes: null };
  const deep = { min: [-1, -1, -1], max: [1, 1, 1] };
  const from = homeView3(points, deep, [1, 1, 1], area);
  assert.equal(limitedFactor(0.1, { camera: from, home: from, area }, deep), 0.25);
  assert.equal(limitedFactor(50, { camera: from, home: from, area }, deep), 50);
  const lost = zoomed3(from, 0.125);
  near(backWithin(from, { camera: lost, home: from }), 2);
  assert.equal(backWithin(lost, { camera: lost, home: from }), 1);
});

test('a view shows points where one that is shown lies in it', () => {
  const places = Float32Array.of(0.1, 0.2, 3, 3, NaN, NaN);
  const view = (x, y) => ({ dims: /** @type {const} */ (2), x, y });
  assert.equal(showsPoints(places, null, view([0, 1], [0, 1])), true);
  assert.equal(showsPoints(places, null, view([0, 1], [0.3, 1])), false);
  assert.equal(showsPoints(places, Uint8Array.of(0, 1, 1), view([0, 1], [0, 1])), false);
  assert.equal(showsPoints(places, Uint8Array.of(0, 1, 1), view([2, 4], [3, 4])), true);
});

test('a view of a link is brought within reach, and left as it is where it is', () => {
  const seen = { home, area };
  const own = zoomed2(home, area, 30);
  assert.equal(withinReach(own, seen, box), own);
  for (const [x, y] of [
    [
      [0, 1e-15],
      [0, 1e-15],
    ],
    [
      [1, 1.0000000000000002],
      [0, 1],
    ],
    [
      [1e-300, 2e-300],
      [0, 1e-300],
    ],
    [
      [-1e308, 1e308],
      [-1.7e308, 1.7e308],
    ],
    [
      [1e300, 2e300],
      [-2e300, -1e300],
    ],
    [
      [0, 1e300],
      [0, 1e-300],
    ],
  ]) {
    const camera = withinReach({ dims: 2, x, y }, seen, box);
    const wide = [camera.x, camera.y].map(([a, b]) => b - a);
    assert.ok(
      wide.every((span) => span > 1e-8 && span < 100),
      JSON.stringify(camera),
    );
    assert.ok(
      [...camera.x, ...camera.y].every((end) => Math.abs(end) < 200),
      JSON.stringify(camera),
    );
  }
});

test('a view of space of a link is brought within reach', () => {
  const points = { coordinates: Float32Array.of(-1, -1, -1, 1, 1, 1), n: 2, axes: null };
  const deep = { min: [-1, -1, -1], max: [1, 1, 1] };
  const from = homeView3(points, deep, [1, 1, 1], area);
  const seen = { home: from, area };
  assert.equal(withinReach(zoomed3(from, 3), seen, deep).eye.x, from.eye.x / 3);
  const at = (x, y, z) => ({ x, y, z });
  for (const [eye, center, up] of [
    [at(1e300, 0, 0), at(0, 0, 0), at(0, 0, 1)],
    [at(1.7e308, 1.7e308, 1.7e308), at(-1.7e308, -1.7e308, -1.7e308), at(0, 0, 1)],
    [at(0, 0, 2e-6), at(0, 0, 0), at(0, 0, 0)],
    [at(1, 1, 1), at(0, 0, 0), at(1e308, 1e308, 1e308)],
    [at(1e9, 1e9, 1e9 + 1), at(1e9, 1e9, 1e9), at(1e-300, 0, 0)],
  ]) {
    const camera = withinReach({ ...from, eye, center, up }, seen, deep);
    const distance = Math.hypot(
      camera.eye.x - camera.center.x,
      camera.eye.y - camera.center.y,
      camera.eye.z - camera.center.z,
    );
    assert.ok(distance > 0.019 && distance < 100, JSON.stringify(camera));
    assert.ok(Object.values(camera.center).every((x) => Math.abs(x) <= 10));
    assert.ok(Math.hypot(...Object.values(camera.up)) > 1e-6 && Math.hypot(...Object.values(camera.up)) < 1e6);
  }
});
