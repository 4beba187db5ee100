import assert from 'node:assert/strict';
import { test } from 'node:test';

import { deepen, densityShade } from '#js/drawing/density.js';
import { createPicture } from '#js/drawing/raster.js';

const AREA = { left: 10, top: 20, width: 200, height: 120 };

/** 400 points in one cell, 40 in another, one alone. */
function crowd() {
  const places = [...Array(400).fill([61, 71]), ...Array(40).fill([151, 71]), [181, 121]];
  return Float32Array.from(places.flat());
}

const at = ({ shade, columns }, x, y) =>
  shade[(Math.floor((y - AREA.top) / 4) + 1) * columns + Math.floor((x - AREA.left) / 4) + 1];

test('the color deepens with the number of points, by its logarithm', () => {
  const grid = densityShade(crowd(), null, AREA, 3);
  const [most, some, one] = [at(grid, 61, 71), at(grid, 151, 71), at(grid, 181, 121)];
  assert.ok(most > 0.5 && most <= 0.72);
  // A quarter of a cell's points are its own after smoothing.
  const ink = (n) => (n / 4) * (3 / 16);
  assert.ok(Math.abs(some / most - Math.max(0, Math.log(ink(40) / 2)) / Math.log(ink(400) / 2)) < 1e-5);
  assert.equal(one, 0);
});

test('where nothing is flat nothing is deepened', () => {
  assert.equal(densityShade(crowd(), null, AREA, 0.1), null);
});

test('hidden points and those outside of the area count for nothing', () => {
  const xy = crowd();
  assert.equal(densityShade(xy, new Uint8Array(441), AREA, 3), null);
  assert.equal(
    densityShade(
      xy.map((x, i) => (i % 2 ? x : x - 300)),
      null,
      AREA,
      3,
    ),
    null,
  );
  assert.equal(densityShade(new Float32Array(882).fill(NaN), null, AREA, 3), null);
});

test('a thick place is darker on a light ground and lighter on a dark one, with the alpha it had', () => {
  const grid = densityShade(crowd(), null, AREA, 3);
  const drawn = (dark) => {
    const picture = createPicture(220, 150, 1);
    picture.pixels.fill(0xc0403020);
    deepen(picture, grid, AREA, dark);
    return { thick: picture.pixels[70 * 220 + 60], thin: picture.pixels[121 * 220 + 181], outside: picture.pixels[0] };
  };
  for (const dark of [false, true]) {
    const { thick, thin, outside } = drawn(dark);
    assert.equal(thin, 0xc0403020);
    assert.equal(outside, 0xc0403020);
    assert.equal(thick >>> 24, 0xc0);
    for (const shift of [0, 8, 16]) {
      const [now, before] = [(thick >>> shift) & 255, (0x403020 >>> shift) & 255];
      assert.ok(dark ? now > before && now <= 0xc0 : now < before);
    }
  }
});
