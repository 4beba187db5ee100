import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contoursOf } from '#js/drawing/contours.js';
import { createNormal, createRandom } from '#js/numbers/random.js';

const all = (n) => Int32Array.from({ length: n }, (_, i) => i);

/** Points of classes that are round, long, a ring, and two islands. */
const SHAPES = {
  round: (normal) => [normal(), normal()],
  long: (normal) => [1000 + 50 * normal(), 0.001 * normal()],
  ring: (normal, random) => {
    const [angle, radius] = [2 * Math.PI * random(), 5 + 0.3 * normal()];
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  },
  islands: (normal, random) => [(random() < 0.5 ? -6 : 6) + normal(), normal()],
};

function pointsOf(shape, n, seed = 1) {
  const random = createRandom(seed);
  const normal = createNormal(random);
  return Float32Array.from(Array.from({ length: n }, () => SHAPES[shape](normal, random)).flat());
}

/** Whether a place is within lines, by the even-odd rule. */
function isWithin(lines, x, y) {
  let within = false;
  for (const line of lines)
    for (let i = 0, j = line.length - 2; i < line.length; j = i, i += 2) {
      const [x0, y0, x1, y1] = [line[j], line[j + 1], line[i], line[i + 1]];
      if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) within = !within;
    }
  return within;
}

for (const shape of Object.keys(SHAPES))
  for (const n of [300, 20000]) {
    test(`outlines of a class that is ${shape} hold four of five of its ${n} points`, () => {
      const xy = pointsOf(shape, n);
      const lines = contoursOf(xy, all(n));
      let count = 0;
      for (let i = 0; i < n; i++) count += isWithin(lines, xy[2 * i], xy[2 * i + 1]) ? 1 : 0;
      assert.ok(Math.abs(count / n - 0.8) < 0.03, String(count / n));
    });
  }

test('of a ring there is an outer and an inner line, of two islands one each', () => {
  assert.equal(contoursOf(pointsOf('round', 20000), all(20000)).length, 1);
  assert.equal(contoursOf(pointsOf('ring', 20000), all(20000)).length, 2);
  assert.equal(contoursOf(pointsOf('islands', 20000), all(20000)).length, 2);
});

test('an outline is closed: no two of its places, the last and the first too, are farther apart than a cell', () => {
  const [line] = contoursOf(pointsOf('round', 5000), all(5000));
  for (let i = 0, j = line.length - 2; i < line.length; j = i, i += 2)
    assert.ok(Math.hypot(line[i] - line[j], line[i + 1] - line[j + 1]) < 0.08);
});

test('the outline of a normal class is the circle that holds 80 % of it, but for the kernel', () => {
  const n = 50000;
  const [line] = contoursOf(pointsOf('round', n), all(n));
  const radius = Math.sqrt(-2 * Math.log(0.2));
  for (let i = 0; i < line.length; i += 2) assert.ok(Math.abs(Math.hypot(line[i], line[i + 1]) / radius - 1) < 0.06);
});

test('outlines are the same again, and of the rows asked for only', () => {
  const xy = Float32Array.of(...pointsOf('round', 500), ...pointsOf('islands', 500));
  const first = contoursOf(xy, all(500));
  assert.deepEqual(contoursOf(xy, all(500)), first);
  assert.deepEqual(contoursOf(pointsOf('round', 500), all(500)), first);
});

test('there is no outline of a few points, of one place, or of places that are not known', () => {
  assert.deepEqual(contoursOf(pointsOf('round', 9), all(9)), []);
  assert.deepEqual(contoursOf(new Float32Array(200).fill(3), all(100)), []);
  assert.deepEqual(contoursOf(new Float32Array(200).fill(NaN), all(100)), []);
});
