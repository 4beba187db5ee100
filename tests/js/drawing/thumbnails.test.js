import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as thumbnails from '#js/drawing/tiles.js';

const MNIST = { tileWidth: 28, tileHeight: 28, columns: 100, ink: true };
const AREA = { width: 720, height: 800 };

test('10,000 digits are about 12 pixels large and grow to twice their tile', () => {
  const size = thumbnails.thumbnailSize({ count: 10000, ground: (AREA.width * AREA.height) / 2 }, MNIST);
  assert.ok(size >= 10 && size <= 14, String(size));
  assert.equal(thumbnails.thumbnailSize({ count: 3, ground: 768 }, MNIST), 32);
  assert.ok(thumbnails.thumbnailSize({ count: 1e6, ground: 3e5 }, MNIST) <= 8);
});

test('thumbnails of heavy ink and photographs are smaller, where the points lie as dense', () => {
  const lying = { count: 1000, ground: 200000 };
  const size = (sprite) => thumbnails.thumbnailSize(lying, { ...MNIST, ...sprite });
  assert.ok(size({ inkShare: 0.1 }) > size({ inkShare: 0.4 }));
  assert.ok(size({ inkShare: 0.4 }) >= size({ ink: false }));
});

for (const [name, sprite, cover] of [
  ['ink', { ...MNIST, inkShare: 0.2 }, 0.75 / 0.2],
  ['photographs', { ...MNIST, ink: false }, 1.3],
]) {
  test(`thumbnails of ${name} are as large as fits the ground that the points occupy`, () => {
    for (const count of [100, 700, 3000, 12000]) {
      const size = thumbnails.thumbnailSize({ count, ground: 300000 }, sprite);
      const natural = Math.sqrt((cover * 300000) / count);
      const most = Math.min(natural, 56);
      // Sizes go in steps of at most a third.
      assert.ok(size <= Math.max(8, most) && size > most / 1.34, `${size} for ${natural} of ${count}`);
    }
  });
}

test('spread counts the points in sight and the ground that they occupy', () => {
  const xy = Float32Array.of(1, 1, 2, 2, 40, 1, -5, 1, NaN, NaN, 90, 90);
  const area = { left: 0, top: 0, width: 100, height: 100 };
  assert.deepEqual(thumbnails.spread(xy, null, area), { count: 4, ground: 3 * 256 });
  assert.deepEqual(thumbnails.spread(xy, Uint8Array.of(1, 1, 1, 1, 1, 0), area), { count: 3, ground: 2 * 256 });
});

test('tiles keep their proportions', () => {
  assert.deepEqual(thumbnails.tileSides({ tileWidth: 40, tileHeight: 20 }, 20), { width: 20, height: 10 });
});

test('tiles are found row by row in the sheet', () => {
  assert.deepEqual(thumbnails.tilePlace(MNIST, 4001), { x: 28, y: 1120, width: 28, height: 28 });
});

test('an atlas is never finer than its sheet nor larger than 2^24 pixels', () => {
  assert.deepEqual(thumbnails.atlasSides(MNIST, { width: 2800, height: 2800 }, 12), {
    width: 12,
    height: 12,
    rows: 100,
  });
  assert.equal(thumbnails.atlasSides(MNIST, { width: 2800, height: 2800 }, 56).width, 28);
  const large = thumbnails.atlasSides(
    { tileWidth: 64, tileHeight: 64, columns: 128 },
    { width: 8192, height: 8192 },
    64,
  );
  assert.ok(large.width ** 2 * 128 * 128 <= 2 ** 24 && large.width === 32);
});

const rgba = (...values) => Uint8ClampedArray.from(values.flatMap((v) => [v, v, v, 255]));

test('ink is what differs from the ground, dark on light or light on dark', () => {
  assert.deepEqual(
    [...thumbnails.inkOf(rgba(255, 0, 127), true, 1)].map((x) => Math.round(x / 16)),
    [0, 16, 8],
  );
  assert.deepEqual(
    [...thumbnails.inkOf(rgba(255, 0), false, 1)].map((x) => Math.round(x / 16)),
    [16, 0],
  );
  assert.equal(thumbnails.inkOf(Uint8ClampedArray.of(0, 0, 0, 0), true)[0], 0);
});

test('the ground is read from the corners', () => {
  assert.equal(thumbnails.hasLightGround(rgba(255, 0, 255, 0, 0, 0, 255, 0, 255), 3, 3), true);
  assert.equal(thumbnails.hasLightGround(rgba(0, 255, 0, 255, 255, 255, 0, 255, 0), 3, 3), false);
});

test('tinted ink has the color and its own shape', () => {
  const bytes = rgba(255, 0);
  thumbnails.tintInk(bytes, true, [10, 20, 30]);
  assert.deepEqual([...bytes], [10, 20, 30, 0, 10, 20, 30, 255]);
});

test('an atlas of photographs keeps their pixels', () => {
  const atlas = thumbnails.createAtlas(
    rgba(1, 2, 3, 4),
    2,
    { width: 1, height: 1, rows: 2 },
    { columns: 2, ink: false },
  );
  assert.equal(atlas.ink, null);
  assert.equal(atlas.count, 4);
  assert.equal(atlas.photo[3], 0xff040404);
});
