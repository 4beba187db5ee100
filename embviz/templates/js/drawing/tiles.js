/** @import { Atlas, Sprite } from '#js/drawing/types.js' */

/**
 * Thumbnails from the sprite sheet: which tile goes where, at which size, and ink without its ground.
 * An atlas is a sheet scaled to a tile size: {tileWidth, tileHeight, columns, count, stride, ink: Uint8Array | null,
 * photo: Uint32Array | null}; stride is its width in pixels, ink 0 .. 255 is how much of the color is laid on.
 */

const SIZES = [6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 256];
const MOST_PIXELS = 2 ** 24;
/** Strokes lose strength when they are scaled down; this gives it back. */
const INK_GAIN = 1.35;

/** @returns {{x: number, y: number, width: number, height: number}} a tile's place in the sheet, in its pixels */
export function tilePlace(sprite, index) {
  const { tileWidth: width, tileHeight: height, columns } = sprite;
  return { x: (index % columns) * width, y: Math.floor(index / columns) * height, width, height };
}

const CELL = 16;
/** What ink, or opaque tiles, would cover of the ground that the points occupy, if none overlapped. */
const INK_COVER = 0.75;
const PHOTO_COVER = 1.3;
const INK_SHARE = 0.13;

/**
 * How the points in sight lie: their number, and the ground that they occupy in squares of 16 CSS pixels.
 *
 * @param {Float32Array} xy (n, 2) @param {Uint8Array | null} visible @param {{left, top, width, height}} area
 * @returns {{count: number, ground: number}} ground in square CSS pixels
 */
export function spread(xy, visible, { left, top, width, height }) {
  const columns = Math.ceil(width / CELL) + 1;
  const taken = new Uint8Array(columns * (Math.ceil(height / CELL) + 1));
  let count = 0;
  let cells = 0;
  for (let i = 0, at = 0; at < xy.length; i++, at += 2) {
    const x = xy[at] - left;
    const y = xy[at + 1] - top;
    if (!(x >= 0 && x <= width && y >= 0 && y <= height) || (visible && !visible[i])) continue;
    count++;
    const cell = Math.floor(y / CELL) * columns + Math.floor(x / CELL);
    if (!taken[cell]) {
      taken[cell] = 1;
      cells++;
    }
  }
  return { count, ground: cells * CELL * CELL };
}

/**
 * The longer side of a thumbnail in CSS pixels: such that what is drawn covers about three quarters of the ground
 * that the points occupy, however dense the clusters; at most twice the tile.
 *
 * @param {{count: number, ground: number}} lying see `spread` @param {Sprite} sprite
 */
export function thumbnailSize({ count, ground }, sprite) {
  const cover = sprite.ink ? INK_COVER / Math.max(0.05, sprite.inkShare ?? INK_SHARE) : PHOTO_COVER;
  const natural = Math.sqrt((cover * Math.max(ground, CELL * CELL)) / Math.max(1, count));
  const most = Math.max(24, 2 * Math.max(sprite.tileWidth, sprite.tileHeight));
  const wanted = Math.min(Math.max(natural, 8), most);
  return SIZES.findLast((size) => size <= wanted) ?? SIZES[0];
}

/** @returns {{width: number, height: number}} a tile's sides when the longer one is `size` */
export function tileSides(sprite, size) {
  const k = size / Math.max(sprite.tileWidth, sprite.tileHeight);
  return {
    width: Math.max(1, Math.round(sprite.tileWidth * k)),
    height: Math.max(1, Math.round(sprite.tileHeight * k)),
  };
}

/**
 * The tile size of the atlas to draw thumbnails of some size from: theirs, but never above the sheet's own, nor so
 * large that the atlas would take more than 2^24 pixels.
 *
 * @param {{width: number, height: number}} sheet its pixels
 */
export function atlasSides(sprite, sheet, size) {
  const rows = Math.floor(sheet.height / sprite.tileHeight);
  const native = Math.max(sprite.tileWidth, sprite.tileHeight);
  for (let side = Math.min(size, native); side > 1; side--) {
    const { width, height } = tileSides(sprite, side);
    if (width * sprite.columns * height * rows <= MOST_PIXELS) return { width, height, rows };
  }
  return { width: 1, height: 1, rows };
}

/** @returns {boolean} whether the ground of ink is light, by the corners of the picture */
export function hasLightGround(bytes, width, height) {
  const corners = [0, width - 1, (height - 1) * width, height * width - 1];
  const light = corners.filter((i) => {
    const a = bytes[4 * i + 3] / 255;
    return (bytes[4 * i] + bytes[4 * i + 1] + bytes[4 * i + 2]) * a + 765 * (1 - a) > 382;
  });
  return light.length >= 2;
}

/**
 * Take the ground away.
 *
 * @param {Uint8ClampedArray} bytes RGBA @param {boolean} light whether the ground is light and the ink dark
 * @param {number} [gain] of contrast
 * @returns {Uint8Array} how much ink is at each pixel, 0 .. 255
 */
export function inkOf(bytes, light, gain = INK_GAIN) {
  const ink = new Uint8Array(bytes.length / 4);
  for (let i = 0, at = 0; i < ink.length; i++, at += 4) {
    const luminance = (bytes[at] * 54 + bytes[at + 1] * 183 + bytes[at + 2] * 19) / 256;
    const a = ((light ? 255 - luminance : luminance) * bytes[at + 3]) / 255;
    ink[i] = Math.min(255, a * gain);
  }
  return ink;
}

/**
 * @param {Uint8ClampedArray} bytes RGBA of the scaled sheet @param {number} width its width in pixels
 * @param {{width: number, height: number, rows: number}} sides of its tiles
 * @param {{columns: number, ink: boolean, light?: boolean}} sprite
 * @returns {Atlas}
 */
export function createAtlas(bytes, width, sides, sprite) {
  const light = sprite.light ?? hasLightGround(bytes, width, bytes.length / 4 / width);
  return {
    tileWidth: sides.width,
    tileHeight: sides.height,
    columns: sprite.columns,
    count: sprite.columns * sides.rows,
    stride: width,
    ink: sprite.ink ? inkOf(bytes, light) : null,
    photo: sprite.ink ? null : new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
  };
}

/** Color ink in place: RGBA bytes of one tile become `rgb` with the ink as alpha. */
export function tintInk(bytes, light, [r, g, b]) {
  const ink = inkOf(bytes, light, 1.1);
  for (let i = 0, at = 0; i < ink.length; i++, at += 4) {
    bytes[at] = r;
    bytes[at + 1] = g;
    bytes[at + 2] = b;
    bytes[at + 3] = ink[i];
  }
}
