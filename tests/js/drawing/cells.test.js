import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellsAt, grayAt, openGrid, scaleOf, underlay } from '#js/drawing/cells.js';
import { createPicture, straighten } from '#js/drawing/raster.js';
import { createRandom } from '#js/numbers/random.js';

const AREA = { left: 0, top: 0, width: 60, height: 40 };

/** A grid over x in 0 … width, y in 0 … height, with counts by column and row. */
function gridOf(width, height, countAt) {
  const counts = Uint32Array.from({ length: width * height }, (_, i) => countAt(i % width, Math.floor(i / width)));
  return openGrid({ low: [0, 0], high: [width, height], shape: [height, width], n_points: 1e6 }, counts);
}

/** Cells of a side in CSS pixels, the first at the lower left. */
const seen = (side, left = 0, bottom = 40) => ({ kx: side, bx: left, ky: -side, by: bottom });

function drawn(grid, transform, { scale = 1, dark = false, area = AREA } = {}) {
  const picture = createPicture(60, 40, scale);
  underlay(picture, grid, { transform, area, dark });
  return picture;
}

const alphaAt = ({ pixels, width }, x, y) => pixels[y * width + x] >>> 24;

test('a cell that is larger than two pixels is a square of one gray, and where none are there is none', () => {
  const grid = gridOf(6, 4, (u, v) => (u === 2 && v === 1 ? 9 : u === 4 ? 1 : 0));
  const picture = drawn(grid, seen(10));
  for (let y = 0; y < 40; y++)
    for (let x = 0; x < 60; x++) {
      const [u, v] = [Math.floor(x / 10), Math.floor((39.5 - y) / 10)];
      const found = alphaAt(picture, x, y);
      if (u === 2 && v === 1) assert.equal(found, alphaAt(picture, 25, 25));
      else if (u === 4) assert.equal(found, alphaAt(picture, 45, 5));
      else assert.equal(found, 0, `${x} ${y}`);
    }
  assert.ok(alphaAt(picture, 25, 25) > alphaAt(picture, 45, 5));
  assert.ok(alphaAt(picture, 45, 5) > 8);
});

test('where cells are smaller than a pixel its gray is that of their sum, whatever the cells are cut by', () => {
  const random = createRandom(3);
  const fine = gridOf(240, 160, () => Math.floor(8 * random()));
  const counts = (u, v) => {
    const { count } = cellsAt(fine, seen(0.25), [u + 0.5, 39.5 - v]);
    return count;
  };
  const coarse = gridOf(60, 40, counts);
  assert.deepEqual(
    drawn(fine, seen(0.25)).pixels.map((pixel) => (pixel >>> 24) & 255),
    drawn(coarse, seen(1)).pixels.map((pixel) => (pixel >>> 24) & 255),
  );
});

test('a cell that the edge of a pixel cuts counts in parts on both sides', () => {
  const random = createRandom(4);
  const [width, height] = [97, 61];
  const counts = Array.from({ length: width * height }, () => (random() < 0.3 ? Math.floor(50 * random()) : 0));
  const grid = gridOf(width, height, (u, v) => counts[v * width + u]);
  const overlap = (a, b, at) => Math.max(0, Math.min(b, at + 1) - Math.max(a, at));
  for (const [left, side] of [
    [1.3, 0.37],
    [3.3, 0.51],
    [0.2, 0.55],
  ]) {
    const bottom = 38.6;
    const sums = new Float64Array(60 * 40);
    for (let v = 0; v < height; v++)
      for (let u = 0; u < width; u++)
        for (let y = Math.floor(bottom - (v + 1) * side); y <= bottom - v * side; y++)
          for (let x = Math.floor(left + u * side); x <= left + (u + 1) * side; x++) {
            const part =
              overlap(left + u * side, left + (u + 1) * side, x) *
              overlap(bottom - (v + 1) * side, bottom - v * side, y);
            if (x < 60 && y >= 0) sums[(39 - y) * 60 + x] += (counts[v * width + u] * part) / side ** 2;
          }
    const exact = {
      ...openGrid({ low: [0, 0], high: [60, 40], shape: [40, 60], n_points: 1e6 }, sums),
      most: [scaleOf(grid, seen(side)).most],
    };
    const [found, wanted] = [drawn(grid, seen(side, left, bottom)), drawn(exact, seen(1))];
    for (let i = 0; i < found.pixels.length; i++)
      assert.ok(Math.abs((found.pixels[i] >>> 24) - (wanted.pixels[i] >>> 24)) <= 1, `${side} ${i}`);
  }
});

test('one point alone is seen from however far', () => {
  const grid = gridOf(1000, 700, (u, v) => (u === 500 && v === 300 ? 1 : 0));
  for (const side of [0.05, 0.3, 0.9, 1.7, 5, 40]) {
    const [left, bottom] = [30.5 - 500.5 * side, 20.5 + 300.5 * side];
    const picture = drawn(grid, seen(side, left, bottom));
    assert.ok(
      picture.pixels.some((pixel) => pixel >>> 24 > 8),
      String(side),
    );
  }
});

test('grays are even in lightness from one point to the most, by the logarithm', () => {
  const lightness = (color) => {
    const x = parseInt(color.slice(1, 3), 16) / 255;
    const y = x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
    return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
  };
  for (const dark of [false, true]) {
    const found = Array.from({ length: 9 }, (_, i) => lightness(grayAt(i / 8, dark)));
    const steps = found.slice(1).map((value, i) => value - found[i]);
    const mean = steps.reduce((a, b) => a + b) / steps.length;
    assert.equal(Math.sign(mean), dark ? 1 : -1);
    for (const step of steps) assert.ok(Math.abs(step - mean) < 0.45, String(steps));
  }
});

test('the gray of a count is the one that the scale has for it', () => {
  for (const dark of [false, true]) {
    const grid = gridOf(6, 4, (u) => [1, 10, 100, 1000, 0, 0][u]);
    const picture = drawn(grid, seen(10), { dark });
    straighten(picture);
    const ground = dark ? 20 : 255;
    for (let u = 0; u < 4; u++) {
      const at = 4 * (20 * 60 + 10 * u + 5);
      const alpha = picture.bytes[at + 3] / 255;
      const gray = Math.round(ground + alpha * (picture.bytes[at] - ground));
      const wanted = parseInt(grayAt(u / 3, dark).slice(1, 3), 16);
      assert.ok(Math.abs(gray - wanted) <= 2, `${u}: ${gray} and ${wanted}`);
    }
  }
});

test('a density lies under what is drawn and stays within its area', () => {
  const grid = gridOf(6, 4, () => 5);
  const picture = createPicture(60, 40, 2);
  picture.pixels[40 * 120 + 60] = 0xff0000ff;
  picture.pixels[40 * 120 + 62] = 0x80000080;
  const area = { left: 10, top: 5, width: 30, height: 20 };
  underlay(picture, grid, { transform: seen(10), area, dark: false });
  assert.equal(picture.pixels[40 * 120 + 60], 0xff0000ff);
  assert.ok(picture.pixels[40 * 120 + 62] >>> 24 > 0x80);
  assert.equal(picture.pixels[40 * 120 + 62] & 255, 0x80 + ((picture.pixels[40 * 120 + 62] >>> 8) & 255));
  for (let y = 0; y < 80; y++)
    for (let x = 0; x < 120; x++) {
      const isIn = x >= 20 && x < 80 && y >= 10 && y < 50;
      assert.equal(alphaAt(picture, x, y) > 0, isIn, `${x} ${y}`);
    }
});

test('under the pointer lies one cell, or all that its pixel touches where they are smaller', () => {
  const grid = gridOf(6, 4, (u, v) => 10 * u + v);
  const near = cellsAt(grid, seen(10), [25, 25]);
  assert.deepEqual(near, { count: 21, columns: 1, rows: 1, corners: [20, 20, 30, 30] });
  assert.equal(cellsAt(grid, seen(10), [-1, 25]), null);
  assert.equal(cellsAt(grid, seen(10), [25, 41]), null);
  const far = cellsAt(grid, seen(0.5), [1.2, 39.2]);
  assert.deepEqual([far.columns, far.rows, far.count], [2, 2, 20 + 21 + 30 + 31]);
});

test('the scale ends at the most of a cell, and of so many cells as a pixel has', () => {
  const grid = gridOf(8, 8, (u, v) => (u < 2 && v < 2 ? 100 : 1));
  assert.deepEqual(scaleOf(grid, seen(10)), { most: 100, cells: 1 });
  assert.deepEqual(scaleOf(grid, seen(0.5)), { most: 400, cells: 4 });
  assert.deepEqual(
    scaleOf(
      gridOf(3, 3, () => 0),
      seen(1),
    ),
    { most: 0, cells: 1 },
  );
});

test('counts beyond 2^31 and grids without any point are drawn', () => {
  const most = drawn(
    gridOf(2, 2, (u, v) => (u === v ? 2 ** 32 - 1 : 1)),
    seen(10),
  );
  assert.ok(alphaAt(most, 5, 35) > 2 * alphaAt(most, 15, 35));
  assert.ok(
    drawn(
      gridOf(2, 2, () => 0),
      seen(10),
    ).pixels.every((pixel) => pixel === 0),
  );
  assert.ok(
    drawn(
      gridOf(50, 50, () => 0),
      seen(0.7),
    ).pixels.every((pixel) => pixel === 0),
  );
});

test('a grid of another number of cells than it says is refused', () => {
  const entry = { low: [0, 0], high: [1, 1], shape: [2, 2], n_points: 3 };
  assert.throws(() => openGrid(entry, new Uint32Array(3)), /another number of cells/);
});

test('where no cell has more than one point its gray is one, however the cells lie to the pixels', () => {
  const grid = gridOf(500, 400, () => 1);
  for (const transform of [seen(10), { kx: 1.3, bx: -60, ky: -9, by: 60 }, { kx: 1.9, bx: -70.3, ky: -1.1, by: 90 }]) {
    const found = drawn(grid, transform).pixels.map((pixel) => pixel >>> 24);
    assert.ok(found.reduce((a, b) => Math.max(a, b)) - found.reduce((a, b) => Math.min(a, b)) <= 3);
    assert.ok(found[0] > 60);
  }
});
