import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderByPlace, withoutTies } from '#js/drawing/order.js';
import { createRandom } from '#js/numbers/random.js';
import * as raster from '#js/drawing/raster.js';
import { createShuffle } from '#js/plot/shuffle.js';

const AREA = { left: 0, top: 0, width: 60, height: 40 };
const RED = 0xff0000ff;
const BLUE = 0xffff0000;
const GREEN = 0xff00ff00;

/** Places of n points, all within the area; `cells` of them to an axis, so that many share one. */
function scattered(n, cells, seed = 1) {
  const random = createRandom(seed);
  const at = () => Math.floor(cells * random()) / cells;
  return Float32Array.from({ length: 2 * n }, (_, i) => (i % 2 ? AREA.height : AREA.width) * at());
}

/** @returns {number[]} rows in another order */
function shuffledRows(n, seed = 2) {
  const random = createRandom(seed);
  const rows = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor((i + 1) * random());
    [rows[i], rows[j]] = [rows[j], rows[i]];
  }
  return rows;
}

function shuffled(coordinates, colors, dims = 2, shuffle = createShuffle(), moving = false) {
  const scene = { coordinates, n: coordinates.length / dims, dims, axes: null };
  return shuffle(/** @type {any} */ ({ scene }), colors, moving);
}

/** The picture of points as the page draws them in 2D. */
function pictureOf(xy, colors, shapes = raster.discStamps(1.25, { opacity: 0.3 })) {
  const { coordinates, take } = shuffled(xy, colors);
  const picture = raster.createPicture(AREA.width, AREA.height, 1);
  const points = { xy: coordinates, colors: take(colors), order: null, levels: null, visible: null };
  raster.drawStamps(picture, points, shapes, AREA);
  return picture;
}

for (const [cells, told] of [
  [2 ** 20, 'alone'],
  [40, 'with others at their places'],
  [1, 'all at one place'],
]) {
  test(`the picture is the same in any order of rows, of points ${told}`, () => {
    const n = 5000;
    const xy = scattered(n, cells);
    const colors = Uint32Array.from({ length: n }, (_, row) => (row < n / 2 ? RED : row % 3 ? BLUE : GREEN));
    const rows = shuffledRows(n);
    const again = Float32Array.from({ length: 2 * n }, (_, i) => xy[2 * rows[i >> 1] + (i % 2)]);
    const { pixels } = pictureOf(
      again,
      Uint32Array.from(rows, (row) => colors[row]),
    );
    assert.deepEqual(pixels, pictureOf(xy, colors).pixels);
  });
}

test('where no points share a place, another order of the legend changes colors and no pixel else', () => {
  const xy = scattered(5000, 2 ** 20);
  const colors = Uint32Array.from({ length: 5000 }, (_, row) => (row < 2500 ? RED : BLUE));
  const { pixels } = pictureOf(
    xy,
    colors.map((color) => (color === RED ? BLUE : RED)),
  );
  const swapped = pixels.map((p) => (p & 0xff00ff00) | ((p & 255) << 16) | ((p >>> 16) & 255));
  assert.deepEqual(swapped, pictureOf(xy, colors).pixels);
});

for (const [cells, told] of [
  [2 ** 20, 'alone'],
  [30, 'with others at their places'],
]) {
  test(`each class has its share of the pixels, whichever comes last, of points ${told}`, () => {
    const n = 60000;
    const xy = scattered(n, cells);
    for (const isRed of [(row) => row < 0.75 * n, (row) => row >= 0.25 * n]) {
      const colors = Uint32Array.from({ length: n }, (_, row) => (isRed(row) ? RED : BLUE));
      const { pixels } = pictureOf(xy, colors, raster.plusStamps(1));
      const [red, blue] = [RED, BLUE].map((color) => pixels.filter((pixel) => pixel === color).length);
      const share = red / (red + blue);
      assert.ok(red + blue > 1800 && Math.abs(share - 0.75) < 0.04, `${share} of ${red + blue}`);
    }
  });
}

test('of points at one place each has the same chance to be on top, whatever its color', () => {
  const places = 4000;
  const xy = Float32Array.from({ length: 8 * places }, (_, i) => Math.floor(i / 8) + (i % 2) / 2);
  const colors = Uint32Array.from({ length: 4 * places }, (_, row) => [RED, RED, BLUE, RED][row % 4]);
  const order = withoutTies(orderByPlace(xy, 4 * places, 2), colors);
  const top = new Map();
  for (const row of order) top.set(Math.floor(row / 4), colors[row]);
  const share = [...top.values()].filter((color) => color === RED).length / places;
  assert.equal(top.size, places);
  assert.ok(Math.abs(share - 0.75) < 0.03, String(share));
});

test('the order has each row once and is no order of rows, nor of places', () => {
  const n = 20000;
  const line = Float32Array.from({ length: 3 * n }, (_, i) => Math.floor(i / 3));
  const { order } = orderByPlace(line, n, 3);
  assert.deepEqual(
    order.slice().sort(),
    Int32Array.from({ length: n }, (_, i) => i),
  );
  let [sum, before] = [0, 0];
  order.forEach((row, k) => {
    sum += (row - n / 2) * (k - n / 2);
    if (k > 0 && order[k - 1] < row) before++;
  });
  assert.ok(Math.abs(sum / (n ** 3 / 12)) < 0.03, String(sum / (n ** 3 / 12)));
  assert.ok(Math.abs(before / n - 0.5) < 0.02, String(before / n));
});

test('the order is made once, and again where places change, or colors of points at one place', () => {
  const shuffle = createShuffle();
  const [alone, together] = [scattered(500, 2 ** 20), scattered(500, 5)];
  const colors = new Uint32Array(500).fill(RED);
  const others = new Uint32Array(500).fill(BLUE);
  const first = shuffled(alone, colors, 2, shuffle);
  assert.equal(shuffled(alone, others, 2, shuffle), first);
  const second = shuffled(together, colors, 2, shuffle);
  assert.notDeepEqual(second.order, first.order);
  assert.notEqual(shuffled(together, others, 2, shuffle), second);
});

test('while points move their order stays; at rest it is that of where they are', () => {
  const shuffle = createShuffle();
  const [from, to] = [scattered(500, 2 ** 20, 3), scattered(500, 2 ** 20, 4)];
  const first = shuffled(from, RED, 2, shuffle);
  const moving = shuffled(to, RED, 2, shuffle, true);
  assert.deepEqual(moving.order, first.order);
  assert.equal(moving.coordinates[0], to[2 * first.order[0]]);
  assert.deepEqual(shuffled(to, RED, 2, shuffle).order, shuffled(to, RED).order);
  assert.notDeepEqual(shuffled(to, RED).order, first.order);
});

test('row numbers and tiles are of the rows that the points have', () => {
  const xy = Float32Array.of(3, 3, 3, 3, 12, 3);
  const points = { xy, colors: Uint32Array.of(RED, BLUE, RED), order: null, levels: null, visible: null };
  const named = { ...points, rows: Int32Array.of(7, 5, 9) };
  const rows = new Int32Array(AREA.width * AREA.height).fill(-1);
  raster.drawRows(rows, AREA.width, AREA.height, named, raster.discSpans(1), AREA);
  assert.deepEqual([rows[3 * AREA.width + 3], rows[3 * AREA.width + 12]], [5, 9]);
  const asked = [];
  const tile = (row) => asked.push(row) && -1;
  raster.drawTiles(
    raster.createPicture(60, 40, 1),
    named,
    /** @type {any} */ ({ count: 1 }),
    tile,
    /** @type {any} */ ({}),
    AREA,
  );
  assert.deepEqual(asked, [7, 5, 9]);
});

test('rows that stand out are drawn in the order of the others', () => {
  const xy = scattered(300, 2 ** 20);
  const { order, arrange } = shuffled(xy, RED);
  const some = Int32Array.of(5, 250, 17, 4, 80);
  assert.deepEqual(
    [...arrange(some)],
    [...order].filter((row) => some.includes(row)),
  );
  assert.deepEqual([...arrange(Int32Array.of(9))], [9]);
});
