import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as raster from '#js/drawing/raster.js';

const RED = 0xff0000ff;
const BLUE = 0xffff0000;
const AREA = { left: 0, top: 0, width: 20, height: 10 };
const points = (xy, colors = RED, rest = {}) => ({
  xy: Float32Array.from(xy),
  colors,
  order: null,
  levels: null,
  visible: null,
  ...rest,
});

/** A sheet of one square tile, and what a red point at (5, 5) has of it. */
const sheetOf = (side, { ink = null, photo = null }) => ({
  tileWidth: side,
  tileHeight: side,
  columns: 1,
  count: 1,
  stride: side,
  ink,
  photo,
});
function drawTile(sheet, look, tile = 0) {
  const picture = raster.createPicture(20, 10, 1);
  const red = points([5, 5], Uint32Array.of(RED));
  raster.drawTiles(picture, red, sheet, () => tile, { opacity: 1, ...look }, AREA);
  return picture;
}

/** [r, g, b, a] at a pixel */
function pixel({ bytes, width }, x, y) {
  return [...bytes.subarray(4 * (y * width + x), 4 * (y * width + x) + 4)];
}

test('a plus is five pixels of the point’s color', () => {
  const picture = raster.createPicture(20, 10, 1);
  raster.drawStamps(picture, points([5.7, 4.2]), raster.plusStamps(), AREA);
  assert.deepEqual(pixel(picture, 5, 4), [255, 0, 0, 255]);
  assert.equal(picture.pixels.filter((p) => p === RED).length, 5);
  assert.equal(picture.pixels.filter((p) => p !== 0).length, 5);
});

test('a disc covers as much as its area, wherever within a pixel it lies', () => {
  for (const [x, y] of [
    [10, 5],
    [10.3, 5.1],
    [9.99, 4.6],
  ]) {
    const picture = raster.createPicture(20, 10, 1);
    raster.drawStamps(picture, points([x, y]), raster.discStamps(3), AREA);
    const covered = picture.bytes.filter((_, i) => i % 4 === 3).reduce((a, b) => a + b, 0) / 255;
    assert.ok(Math.abs(covered - Math.PI * 9) < 0.06 * Math.PI * 9, String(covered));
  }
});

test('the middle of a disc’s coverage is the point', () => {
  const picture = raster.createPicture(20, 20, 2);
  raster.drawStamps(picture, points([9.3, 4.8]), raster.discStamps(5), AREA);
  let [sx, sy, sum] = [0, 0, 0];
  picture.pixels.forEach((p, i) => {
    const a = p >>> 24;
    sx += a * ((i % picture.width) + 0.5);
    sy += a * (Math.floor(i / picture.width) + 0.5);
    sum += a;
  });
  assert.ok(
    Math.abs(sx / sum / 2 - 9.3) < 0.1 && Math.abs(sy / sum / 2 - 4.8) < 0.1,
    `${sx / sum / 2} ${sy / sum / 2}`,
  );
});

test('later points lie over earlier ones and blend by their opacity', () => {
  const picture = raster.createPicture(20, 10, 1);
  raster.drawStamps(picture, points([5, 5, 5, 5], Uint32Array.of(RED, BLUE)), raster.plusStamps(0.5), AREA);
  raster.straighten(picture);
  // Red at 1/2 under blue at 1/2: alpha 3/4, red 1/3 and blue 2/3 of the color.
  const [r, g, b, a] = pixel(picture, 5, 5);
  assert.ok(
    Math.abs(a - 191) <= 1 && Math.abs(r - 85) <= 2 && g === 0 && Math.abs(b - 170) <= 2,
    `${r} ${g} ${b} ${a}`,
  );
});

test('straighten() gives back the color of a faint pixel', () => {
  const picture = raster.createPicture(20, 10, 1);
  const color = ((255 << 24) | (60 << 16) | (120 << 8) | 200) >>> 0;
  raster.drawStamps(picture, points([5, 5], color), raster.plusStamps(0.3), AREA);
  raster.straighten(picture);
  const [r, g, b, a] = pixel(picture, 5, 5);
  assert.ok(
    Math.abs(r - 200) <= 3 && Math.abs(g - 120) <= 3 && Math.abs(b - 60) <= 3 && Math.abs(a - 77) <= 1,
    `${r} ${g} ${b} ${a}`,
  );
});

test('points outside the area, hidden ones and those without a position leave no pixel', () => {
  const picture = raster.createPicture(20, 10, 1);
  const xy = [-1, 5, 25, 5, NaN, NaN, 5, 1e9, 4, 4];
  raster.drawStamps(picture, points(xy, RED, { visible: Uint8Array.of(1, 1, 1, 1, 0) }), raster.discStamps(2), AREA);
  assert.ok(picture.pixels.every((p) => p === 0));
});

test('a disc at the edge is cut, not wrapped to the other side', () => {
  const picture = raster.createPicture(20, 10, 1);
  raster.drawStamps(picture, points([0.2, 5]), raster.discStamps(3), AREA);
  for (let y = 0; y < 10; y++) assert.equal(pixel(picture, 19, y)[3], 0);
  assert.equal(pixel(picture, 0, 5)[3], 255);
});

test('depthOrder() sorts from far to near, equal depths by row, and leaves out hidden ones', () => {
  const { order, levels } = raster.depthOrder(Float32Array.of(1, 3, NaN, 2, 2, 9), Uint8Array.of(1, 1, 1, 1, 1, 0));
  assert.deepEqual([...order], [1, 3, 4, 0]);
  assert.ok(levels[0] > levels[3] && levels[3] > levels[1]);
});

test('depthOrder() agrees with a sort on many points', () => {
  const depth = Float32Array.from({ length: 5000 }, (_, i) => ((i * 7919) % 5000) / 10);
  const { order } = raster.depthOrder(depth, null);
  assert.equal(order.length, 5000);
  for (let k = 1; k < order.length; k++) assert.ok(depth[order[k]] <= depth[order[k - 1]] + 500 / 16000);
});

test('depthOrder() knows points of one depth and none at all', () => {
  assert.deepEqual([...raster.depthOrder(Float32Array.of(2, 2, 2), null).order], [0, 1, 2]);
  assert.deepEqual([...raster.depthOrder(Float32Array.of(NaN), null).order], []);
  assert.deepEqual([...raster.depthOrder(new Float32Array(0), null).order], []);
});

test('the depth buffer keeps the nearest point on top, whatever the order of rows', () => {
  for (const depth of [
    [1, 2],
    [2, 1],
  ]) {
    const picture = raster.createPicture(20, 10, 1);
    raster.drawNearest(
      picture,
      points([5, 5, 6, 5, NaN, NaN], Uint32Array.of(RED, BLUE, RED)),
      Float32Array.of(...depth, NaN),
      new Float32Array(200),
      1,
    );
    assert.deepEqual(pixel(picture, 5, 5), depth[0] < depth[1] ? [255, 0, 0, 255] : [0, 0, 255, 255]);
    assert.deepEqual(pixel(picture, 4, 5), [255, 0, 0, 255]);
    assert.equal(picture.pixels.filter((p) => p !== 0).length, 8);
  }
});

test('the row picture names the point on top', () => {
  const rows = new Int32Array(200).fill(-1);
  raster.drawRows(rows, 20, 10, points([5, 5, 6, 5, 15, 5]), raster.discSpans(2), AREA);
  assert.equal(rows[5 * 20 + 5], 1);
  assert.equal(rows[5 * 20 + 3], 0);
  assert.equal(rows[5 * 20 + 15], 2);
  assert.equal(rows[0], -1);
});

test('the row picture follows the given order', () => {
  const rows = new Int32Array(200).fill(-1);
  raster.drawRows(rows, 20, 10, points([5, 5, 5, 5], RED, { order: Int32Array.of(1, 0) }), raster.discSpans(2), AREA);
  assert.equal(rows[5 * 20 + 5], 0);
});

test('discs shrink with the number of points, grow with the zoom, and stay in bounds', () => {
  assert.ok(raster.discRadius(100) >= 4 && raster.discRadius(100) <= 5);
  assert.ok(raster.discRadius(10000) >= 1.8 && raster.discRadius(10000) <= 3);
  assert.ok(raster.discRadius(341479) >= 1 && raster.discRadius(341479) <= 1.5);
  assert.ok(raster.discRadius(10000, 8) > 1.4 * raster.discRadius(10000));
  assert.ok(raster.discRadius(100, 1e6) <= 6);
});

test('discs are nearly opaque when few and faint when many overlap', () => {
  const area = { width: 800, height: 600 };
  assert.ok(raster.discOpacity(100, 4.5, area) > 0.9);
  assert.ok(raster.discOpacity(341479, 1.25, area) < 0.5);
});

test('ink takes the color of its point, a photograph gets a frame of it', () => {
  const ink = sheetOf(2, { ink: Uint8Array.of(255, 0, 0, 128) });
  const picture = drawTile(ink, { width: 2, height: 2, frame: 1 });
  assert.deepEqual(
    [pixel(picture, 4, 4), pixel(picture, 5, 4), pixel(picture, 5, 5)[3]],
    [[255, 0, 0, 255], [0, 0, 0, 0], 128],
  );
  const photo = sheetOf(2, { photo: new Uint32Array(4).fill(BLUE) });
  const framed = drawTile(photo, { width: 4, height: 4, frame: 1 });
  assert.deepEqual(
    [pixel(framed, 3, 3), pixel(framed, 5, 5)],
    [
      [255, 0, 0, 255],
      [0, 0, 255, 255],
    ],
  );
});

test('a tile beyond the sheet is not drawn', () => {
  const sheet = sheetOf(2, { ink: new Uint8Array(4).fill(255) });
  for (const tile of [1, -1, NaN])
    assert.ok(drawTile(sheet, { width: 2, height: 2 }, tile).pixels.every((p) => p === 0));
  assert.ok(drawTile(sheet, { width: 2, height: 2 }, 0).pixels.some((p) => p !== 0));
});

test('a photograph is as clear as its pixels, within its frame', () => {
  const [clear, half] = [0x00112233, 0x80ff0000];
  const photo = Uint32Array.from({ length: 16 }, (_, i) => (i === 5 ? BLUE : i === 6 ? half : clear));
  const picture = drawTile(sheetOf(4, { photo }), { width: 4, height: 4, frame: 1 });
  assert.deepEqual(
    [pixel(picture, 4, 4), pixel(picture, 4, 5), pixel(picture, 5, 5)],
    [
      [0, 0, 255, 255],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ],
  );
  assert.deepEqual(pixel(picture, 5, 4), [0, 0, 128, 128]);
  assert.deepEqual(pixel(picture, 3, 3), [255, 0, 0, 255]);
  raster.straighten(picture);
  assert.deepEqual(pixel(picture, 5, 4), [0, 0, 255, 128]);
});

for (const kind of ['ink', 'photo'])
  test(`thumbnails of ${kind} end where the area does`, () => {
    const tile = { tileWidth: 8, tileHeight: 8, columns: 1, count: 1, stride: 8, ink: null, photo: null };
    const atlas =
      kind === 'ink'
        ? { ...tile, ink: new Uint8Array(64).fill(255) }
        : { ...tile, photo: new Uint32Array(64).fill(0xff000000) };
    const picture = raster.createPicture(40, 30, 2);
    const area = { left: 10, top: 6, width: 20, height: 16 };
    const corners = [10, 6, 30, 6, 10, 22, 30, 22];
    const points = { xy: Float32Array.from(corners), colors: 0xff0000ff, order: null, levels: null, visible: null };
    const look = { width: 16, height: 16, frame: 2, opacity: 1 };
    raster.drawTiles(picture, { ...points, colors: new Uint32Array(4).fill(0xff0000ff) }, atlas, () => 0, look, area);
    const inked = [...picture.pixels]
      .map((pixel, at) => [pixel, at % 80, Math.floor(at / 80)])
      .filter(([pixel]) => pixel);
    assert.equal(inked.length, 4 * 8 * 8);
    assert.ok(inked.every(([, x, y]) => x >= 20 && x < 60 && y >= 12 && y < 44));
  });
