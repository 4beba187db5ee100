import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatherGroups, nameLines, orderNames, placeGroup, placeNames } from '#js/drawing/names.js';
import { createRandom } from '#js/numbers/random.js';

const AREA = { left: 0, top: 52, width: 800, height: 548 };
const overlap = (a, b) => a[0] < b[2] && a[2] > b[0] && a[1] < b[3] && a[3] > b[1];
const all = (names) => names.map((_, i) => i);

function gaussian(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Points around middles: [x, y, how many, how wide]. */
function cloud(random, ...islands) {
  return islands.flatMap(([x, y, n, width = 1]) =>
    Array.from({ length: n }, () => [x + width * gaussian(random), y + width * gaussian(random)]),
  );
}

const placed = (points, dims = 2) =>
  placeGroup(Float32Array.from(points.flat()), dims, Int32Array.from(points.keys()).slice(0, points.length));

function someNames(seed, n) {
  const random = createRandom(seed);
  return Array.from({ length: n }, (_, i) => ({
    text: `name ${i}`,
    x: 800 * random(),
    y: 600 * random(),
    dx: 60 * random(),
    dy: 60 * random(),
    width: 20 + 120 * random(),
    height: random() < 0.3 ? 32 : 16,
    level: Math.floor(3 * random()),
    finest: false,
    size: Math.floor(1000 * random()),
  }));
}

test('names never overlap each other nor what else is written, and stay where they may be', () => {
  for (let seed = 0; seed < 20; seed++) {
    const names = someNames(seed, 300);
    const random = createRandom(100 + seed);
    const taken = Array.from({ length: 30 }, () => {
      const [x, y] = [800 * random(), 600 * random()];
      return [x, y, x + 70, y + 16];
    });
    const boxes = placeNames(names, orderNames(names, AREA), AREA, taken).filter(Boolean);
    assert.ok(boxes.length > 20);
    boxes.forEach((a, i) => {
      assert.ok(a[0] >= 0 && a[1] >= 52 && a[2] <= 800 && a[3] <= 600);
      for (const b of [...boxes.slice(i + 1), ...taken]) assert.ok(!overlap(a, b));
    });
  }
});

test('a name stands on its group, at most as far from its middle as the group reaches', () => {
  const names = someNames(5, 300);
  placeNames(names, orderNames(names, AREA), AREA).forEach((box, i) => {
    if (!box) return;
    const { x, y, dx, dy } = names[i];
    assert.ok(Math.abs((box[0] + box[2]) / 2 - x) <= dx + 1e-9 && Math.abs((box[1] + box[3]) / 2 - y) <= dy + 1e-9);
  });
});

test('the same view has the same names', () => {
  const [a, b] = [someNames(3, 200), someNames(3, 200)];
  assert.deepEqual(placeNames(a, orderNames(a, AREA), AREA), placeNames(b, orderNames(b, AREA), AREA));
});

test('of two groups at one place the larger one is named', () => {
  const name = (text, size) => ({ ...someNames(0, 1)[0], text, size, x: 400, y: 300, dx: 0, dy: 0, level: 0 });
  const names = [name('small', 3), name('large', 30)];
  assert.deepEqual(orderNames(names, AREA), [1, 0]);
  const boxes = placeNames(names, orderNames(names, AREA), AREA);
  assert.equal(boxes[0], null);
  assert.ok(boxes[1]);
});

test('finer names come when their groups are wide enough, and coarse ones go when they are wider than the view', () => {
  const name = (text, level, reach) => ({
    ...{ text, level, finest: level === 1, x: 400, y: 300, dx: reach, dy: reach, width: 100, height: 16 },
    size: level ? 10 : 100,
  });
  const at = (zoom) => {
    const names = [name('coarse', 0, 150 * zoom), name('fine', 1, 20 * zoom)];
    return orderNames(names, AREA).map((i) => names[i].text);
  };
  assert.deepEqual(at(1), ['coarse']);
  assert.deepEqual(at(2), ['coarse', 'fine']);
  assert.deepEqual(at(4), ['fine', 'coarse']);
});

test('a finer group with the name of one that is drawn is not named again', () => {
  const name = (level, x) => ({ ...someNames(0, 1)[0], text: 'music', level, x, y: 300, width: 50, dx: 40, dy: 9 });
  const names = [name(0, 200), name(1, 500), name(0, 650)];
  const boxes = placeNames(names, all(names), AREA);
  assert.deepEqual(
    boxes.map((box) => box !== null),
    [true, false, true],
  );
});

test('of a class in two islands the name stands on the larger one', () => {
  for (let seed = 0; seed < 10; seed++) {
    const random = createRandom(seed);
    for (const [a, b] of [
      [600, 400],
      [400, 600],
      [900, 300],
    ]) {
      const { at, reach } = placed(cloud(random, [-10, 3, a], [12, -5, b]));
      const middle = a > b ? [-10, 3] : [12, -5];
      assert.ok(Math.hypot(at[0] - middle[0], at[1] - middle[1]) < 0.8, `${at}`);
      assert.ok(reach[0] > 0.8 && reach[0] < 2, `${reach}`);
    }
  }
});

test('a wide island with most of the points wins over a dense one', () => {
  const { at } = placed(cloud(createRandom(1), [0, 0, 700, 3], [20, 0, 300, 0.2]));
  assert.ok(Math.hypot(...at) < 2);
});

test('of a crescent the name stands on it, not in the hollow', () => {
  const random = createRandom(4);
  const points = Array.from({ length: 3000 }, () => {
    const [angle, r] = [1.6 * Math.PI * random(), 10 + 0.5 * gaussian(random)];
    return [r * Math.cos(angle), r * Math.sin(angle)];
  });
  const { at } = placed(points);
  assert.ok(Math.abs(Math.hypot(...at) - 10) < 2, `${at}`);
});

test('in 3D it stands on the larger island too', () => {
  const random = createRandom(2);
  const island = (middle, n) => Array.from({ length: n }, () => middle.map((x) => x + gaussian(random)));
  const { at } = placed([...island([0, 0, 10], 700), ...island([9, 0, -8], 300)], 3);
  assert.ok(Math.hypot(at[0], at[1], at[2] - 10) < 1, `${at}`);
});

test('a group of one point, of equal points or without a place is no trouble', () => {
  assert.deepEqual(placed([[3, 4]]), { at: [3, 4], reach: [0, 0] });
  assert.deepEqual(placed(Array.from({ length: 9 }, () => [3, 4])), { at: [3, 4], reach: [0, 0] });
  assert.equal(placed([[NaN, 4]]), null);
  assert.equal(placeGroup(new Float32Array(0), 2, new Int32Array(0)), null);
  assert.deepEqual(
    placed([
      [NaN, NaN],
      [1, 2],
    ]).at,
    [1, 2],
  );
});

test('sizes count all shown points of a group, and its rows are spread over them', () => {
  const codes = Int32Array.from({ length: 9000 }, (_, i) => (i % 3 === 2 ? -1 : i % 3));
  const visible = Uint8Array.from(codes, (_, i) => (i < 6000 ? 1 : 0));
  const { sizes, rows } = gatherGroups(codes, 3, visible);
  assert.deepEqual([...sizes], [2000, 2000, 0]);
  assert.deepEqual(
    rows.map((list) => list.length),
    [256, 256, 0],
  );
  for (const [code, list] of [...rows.entries()].slice(0, 2)) {
    assert.ok(list.every((row, i) => codes[row] === code && visible[row] && (i === 0 || row > list[i - 1])));
    assert.ok(list.filter((row) => row < 3000).length === 128);
  }
  assert.deepEqual([...gatherGroups(Int32Array.of(0, -1, 0), 1, null).rows[0]], [0, 2]);
});

test('a long name has two lines of about the same length', () => {
  assert.deepEqual(nameLines('king'), ['king']);
  assert.deepEqual(nameLines('tsurunen, michael, smith'), ['tsurunen,', 'michael, smith']);
  assert.deepEqual(nameLines('x'.repeat(30)), ['x'.repeat(30)]);
});

test('the names of a picture with hundreds of groups are chosen in less than two milliseconds', () => {
  const names = someNames(7, 400);
  const once = () => placeNames(names, orderNames(names, AREA), AREA);
  for (let i = 0; i < 30; i++) once();
  const times = Array.from({ length: 15 }, () => {
    const start = performance.now();
    once();
    return performance.now() - start;
  });
  assert.ok(Math.min(...times) < 2, `${times}`);
});
