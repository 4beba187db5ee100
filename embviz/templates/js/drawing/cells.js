/**
 * How many of all points lie in each cell of a grid, as a ground under the points of a sample.
 *
 * Where cells are smaller than a pixel, a pixel's value is the sum of what lies in it, by a table of sums (Crow,
 * "Summed-area tables for texture mapping", SIGGRAPH 1984), in parts of cells at its edges; where they are larger, a
 * cell is a square with the count in it. The gray is even to the eye: its lightness (CIE L*) goes in even steps with
 * the logarithm, from one point to the most that lie in a cell, or in so many cells as a pixel has.
 *
 * @import { Grid } from '#js/data/types.js'
 * @import { Area, Picture } from '#js/drawing/types.js'
 *
 * @typedef {{kx: number, bx: number, ky: number, by: number}} Transform to CSS pixels
 */

/** From so many picture pixels a side on, a cell is drawn as a square. */
const CRISP = 2;
/** Gray values of the ground and of the ink on it; lightness moves from the ground's by so much. */
const SHADES = { light: { ground: 255, ink: 23, from: -5, to: -36 }, dark: { ground: 20, ink: 238, from: 6, to: 42 } };
/** Less than this part of a point at the edge of a pixel is none. */
const NOTHING = 1 / 256;
/** Values are told apart by the upper bits of their float32: 256 steps each time they double. */
const STEPS = 256;
const DROPPED = 15;
const ONE = 127 * STEPS;

/**
 * @param {{low: number[], high: number[], shape: number[], n_points: number}} entry of the manifest
 * @param {Uint32Array} counts (height, width), the row at low y first
 * @returns {Grid}
 */
export function openGrid({ low, high, shape: [height, width], n_points }, counts) {
  if (counts.length !== width * height) throw new Error('the density has another number of cells than it says');
  const sums = new Float64Array((width + 1) * (height + 1));
  for (let v = 0, at = width + 2; v < height; v++, at++)
    for (let u = 0, line = 0; u < width; u++, at++) {
      line += counts[v * width + u];
      sums[at] = sums[at - width - 1] + line;
    }
  const cell = [(high[0] - low[0]) / width, (high[1] - low[1]) / height];
  return { width, height, low, cell, n_points, sums, most: mostOf(counts, width, height) };
}

/** The most in squares of one cell, of 2 x 2, and so on. */
function mostOf(counts, width, height) {
  /** @type {Float64Array} */
  let level = Float64Array.from(counts);
  const most = [level.reduce((a, b) => (a > b ? a : b), 0)];
  for (let [w, h] = [width, height]; w > 1 || h > 1;) {
    const [before, next] = [w, Math.ceil(w / 2)];
    const sums = new Float64Array(next * Math.ceil(h / 2));
    for (let v = 0; v < h; v++)
      for (let u = 0; u < before; u++) sums[(v >> 1) * next + (u >> 1)] += level[v * before + u];
    [w, h, level] = [next, Math.ceil(h / 2), sums];
    most.push(level.reduce((a, b) => (a > b ? a : b), 0));
  }
  return most;
}

/** @param {Grid} grid @param {Transform} transform @returns {number[]} the sides of a cell in CSS pixels */
const sidesOf = ({ cell }, { kx, ky }) => [Math.abs(kx) * cell[0], Math.abs(ky) * cell[1]];

/**
 * @param {Grid} grid @param {Transform} transform
 * @returns {{most: number, cells: number}} what the darkest gray stands for, in a cell or in so many as a pixel has
 */
export function scaleOf(grid, transform) {
  const [across, down] = sidesOf(grid, transform);
  const cells = Math.max(1, 1 / (across * down));
  const level = Math.min(grid.most.length - 1, Math.log(cells) / Math.log(4));
  const under = Math.floor(level);
  const [low, high] = [grid.most[under], grid.most[Math.min(grid.most.length - 1, under + 1)]];
  return { most: low > 0 ? low * (high / low) ** (level - under) : 0, cells };
}

/** @returns {number} the gray value (sRGB, 0 … 255) of a lightness */
function grayOf(lightness) {
  const y = lightness > 8 ? ((lightness + 16) / 116) ** 3 : lightness / 903.3;
  return 255 * (y <= 0.0031308 ? 12.92 * y : 1.055 * y ** (1 / 2.4) - 0.055);
}

function lightnessOf(gray) {
  const x = gray / 255;
  const y = x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
}

/**
 * @param {number} part of the way from one point to the most, 0 … 1; of less than one point, `few` is how much
 * @returns {number} how opaque the ink is there
 */
function opacityAt(part, dark, few = 1) {
  const { ground, ink, from, to } = SHADES[dark ? 'dark' : 'light'];
  const moved = few * from + part * (to - from);
  return (grayOf(lightnessOf(ground) + moved) - ground) / (ink - ground);
}

/** @param {number} part 0 … 1 @param {boolean} dark @returns {string} the gray there, on the page's ground */
export function grayAt(part, dark) {
  const { ground, ink } = SHADES[dark ? 'dark' : 'light'];
  const gray = Math.round(ground + opacityAt(part, dark) * (ink - ground));
  return `#${gray.toString(16).padStart(2, '0').repeat(3)}`;
}

function pixelOf(opacity, dark) {
  const alpha = Math.round(255 * opacity);
  const gray = Math.round((SHADES[dark ? 'dark' : 'light'].ink * alpha) / 255);
  return ((alpha << 24) | (gray * 0x010101)) >>> 0;
}

/** The pixels of the last picture: while it is moved they stay the same. */
let kept = { most: NaN, dark: false, tables: null };

function pixelsOf(most, dark) {
  if (kept.most !== most || kept.dark !== dark) kept = { most, dark, tables: pixelsFor(most, dark) };
  return kept.tables;
}

/** Premultiplied pixels by the upper bits of a value from one on, and those of less than one in 32 steps. */
function pixelsFor(most, dark) {
  const whole = most > 1 ? Math.log(most) : 0;
  const part = (value) => (whole ? Math.min(1, Math.log(value) / whole) : 1);
  const octaves = Math.ceil(Math.log2(Math.max(1, most))) + 1;
  const pixels = new Uint32Array(STEPS * octaves);
  for (let i = 0; i < pixels.length; i++)
    pixels[i] = pixelOf(opacityAt(part(2 ** Math.floor(i / STEPS) * (1 + (i % STEPS) / STEPS)), dark), dark);
  // Where no cell has more than one point, one is the most.
  const parts = Array.from({ length: 32 }, (_, i) => (i + 0.5) / 32);
  const few = Uint32Array.from(parts, (x) => pixelOf(opacityAt(whole ? 0 : x, dark, x), dark));
  return { pixels, few };
}

/** Where places lie in cells, of edges or middles of pixels. */
const cellsOf = (k, b, low, cell, scale) => (at) => ((at / scale - b) / k - low) / cell;

/**
 * Draw a grid under what a picture holds already.
 *
 * @param {Picture} picture premultiplied @param {Grid} grid
 * @param {{transform: Transform, area: Area, dark: boolean}} look
 */
export function underlay(picture, grid, { transform, area, dark }) {
  const { scale, width, height } = picture;
  const { low, cell } = grid;
  const [left, top] = [Math.max(0, Math.round(area.left * scale)), Math.max(0, Math.round(area.top * scale))];
  const right = Math.min(width, Math.round((area.left + area.width) * scale));
  const bottom = Math.min(height, Math.round((area.top + area.height) * scale));
  if (right <= left || bottom <= top) return;
  const along = {
    x: cellsOf(transform.kx, transform.bx, low[0], cell[0], scale),
    y: cellsOf(transform.ky, transform.by, low[1], cell[1], scale),
  };
  const { most, cells } = scaleOf(grid, transform);
  const tables = pixelsOf(most, dark);
  const [across, down] = sidesOf(grid, transform).map((side) => side * scale);
  const values = new Float32Array(right - left);
  const fillLine =
    Math.min(across, down) >= CRISP
      ? squares(grid, along, left, values)
      : sums(grid, along, { left, top }, values, cells * across * down);
  for (let v = top; v < bottom; v++) if (fillLine(v)) layLine(picture.pixels, v * width + left, values, tables);
}

/** The count of the cell that the middle of each pixel of a line is in. */
function squares({ width, height, sums: table }, { x, y }, left, values) {
  const columns = Int32Array.from(values, (_, i) => {
    const column = Math.floor(x(left + i + 0.5));
    return column >= 0 && column < width ? column : -1;
  });
  return (v) => {
    const row = Math.floor(y(v + 0.5));
    if (row < 0 || row >= height) return false;
    const [low, high] = [row * (width + 1), (row + 1) * (width + 1)];
    for (let i = 0; i < values.length; i++) {
      const u = columns[i];
      values[i] = u < 0 ? 0 : table[high + u + 1] - table[high + u] - table[low + u + 1] + table[low + u];
    }
    return true;
  };
}

/** What lies in each pixel of a line, cells that an edge cuts in parts; lines are asked for one after the other. */
function sums({ width, height, sums: table }, { x, y }, { left, top }, values, factor) {
  const within = (at, n) => Math.min(n, Math.max(0, at));
  const columns = new Int32Array(values.length + 1);
  const parts = new Float64Array(values.length + 1);
  for (let i = 0; i < columns.length; i++) {
    const at = within(x(left + i), width);
    columns[i] = Math.min(width - 1, Math.floor(at));
    parts[i] = at - columns[i];
  }
  const sign = Math.sign(x(left + 1) - x(left)) * Math.sign(y(top + 1) - y(top)) * factor;
  let [before, now] = [new Float64Array(columns.length), new Float64Array(columns.length)];
  const upTo = (at, out) => {
    const row = Math.min(height - 1, Math.floor(at));
    const part = at - row;
    const low = row * (width + 1);
    const high = low + width + 1;
    for (let i = 0; i < columns.length; i++) {
      const f = parts[i];
      const under = low + columns[i];
      const over = high + columns[i];
      const a = table[under];
      const b = table[over];
      const below = a + (table[under + 1] - a) * f;
      out[i] = below + (b + (table[over + 1] - b) * f - below) * part;
    }
  };
  let last = within(y(top), height);
  upTo(last, before);
  return (v) => {
    const at = within(y(v + 1), height);
    const isAny = at !== last;
    if (isAny) {
      upTo(at, now);
      for (let i = 0; i < values.length; i++) values[i] = sign * (now[i + 1] - now[i] - before[i + 1] + before[i]);
      [before, now, last] = [now, before, at];
    }
    return isAny;
  };
}

/** Lay the gray of a line's values under its pixels. */
function layLine(pixels, start, values, tables) {
  const bits = new Uint32Array(values.buffer);
  const last = tables.pixels.length - 1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!(value >= NOTHING)) continue;
    const over = pixels[start + i];
    const alpha = over >>> 24;
    if (alpha === 255) continue;
    const under =
      value >= 1 ? tables.pixels[Math.min(last, (bits[i] >>> DROPPED) - ONE)] : tables.few[Math.floor(32 * value)];
    pixels[start + i] = alpha === 0 ? under : over + faded(under, 255 - alpha);
  }
}

/** A premultiplied gray at a part of 255. */
function faded(pixel, part) {
  const alpha = Math.floor(((pixel >>> 24) * part) / 255);
  const gray = Math.floor(((pixel & 255) * part) / 255);
  return ((alpha << 24) | (gray * 0x010101)) >>> 0;
}

/**
 * What lies under the pointer: the cell, or the cells of its pixel where they are smaller.
 *
 * @param {Grid} grid @param {Transform} transform @param {number[]} at CSS pixels
 * @returns {{count: number, columns: number, rows: number, corners: number[]} | null} how many cells each way, and
 *   where they lie on the screen (left, top, right, bottom); null beside the grid
 */
export function cellsAt(grid, transform, at) {
  const { width, height, low, cell, sums: table } = grid;
  const { kx, bx, ky, by } = transform;
  const sides = sidesOf(grid, transform);
  const spans = [
    spanAt(cellsOf(kx, bx, low[0], cell[0], 1), at[0], sides[0], width),
    spanAt(cellsOf(ky, by, low[1], cell[1], 1), at[1], sides[1], height),
  ];
  if (!spans[0] || !spans[1]) return null;
  const [[u0, u1], [v0, v1]] = spans;
  const sum = (u, v) => table[v * (width + 1) + u];
  const xs = [u0, u1].map((u) => kx * (low[0] + u * cell[0]) + bx);
  const ys = [v0, v1].map((v) => ky * (low[1] + v * cell[1]) + by);
  return {
    count: sum(u1, v1) - sum(u0, v1) - sum(u1, v0) + sum(u0, v0),
    columns: u1 - u0,
    rows: v1 - v0,
    corners: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)],
  };
}

/** @returns {[number, number] | null} the first cell and the one behind the last, along one axis */
function spanAt(cells, at, side, n) {
  const under = Math.floor(cells(at));
  if (under < 0 || under >= n) return null;
  if (side >= 1) return [under, under + 1];
  const ends = [cells(Math.floor(at)), cells(Math.floor(at) + 1)];
  return [Math.max(0, Math.floor(Math.min(...ends))), Math.min(n, Math.ceil(Math.max(...ends)))];
}
