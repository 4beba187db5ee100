/** @import { Area, Atlas, Picture, Points, Stamp } from '#js/drawing/types.js' */

/**
 * Points into pixels, from typed arrays to typed arrays. A picture is a Uint32Array of little-endian RGBA with
 * premultiplied alpha until `straighten`; a row picture is an Int32Array of row numbers, -1 where nothing is.
 * Positions are (n, 2) in CSS pixels; `scale` is picture pixels a CSS pixel.
 */

const PHASES = 4;
const LEVELS = 16;
const BUCKETS = 16384;
const MARGIN = 40;
const EVEN = 0x00ff00ff;
const HALF = 0x00800080;

/** @returns {Picture} */
export function createPicture(width, height, scale) {
  const w = Math.max(1, Math.round(width * scale));
  const h = Math.max(1, Math.round(height * scale));
  const pixels = new Uint32Array(w * h);
  return { width: w, height: h, scale, pixels, bytes: new Uint8ClampedArray(pixels.buffer) };
}

/** @returns {number} radius of a disc in CSS pixels, by the number of points and the magnification of the view */
export function discRadius(n, magnification = 1) {
  const base = Math.min(4.5, Math.max(1.2, 4.5 * (100 / Math.max(1, n)) ** 0.16));
  return base * Math.min(Math.max(1, 6 / base), Math.max(0.85, magnification ** 0.3));
}

/**
 * How opaque a disc is, so that where many overlap, dense differs from very dense.
 *
 * @param {number} count points in the area @param {number} radius CSS pixels
 * @param {{width: number, height: number}} area
 */
export function discOpacity(count, radius, area) {
  const cover = (count * Math.PI * radius * radius) / (0.35 * area.width * area.height);
  return Math.min(1, Math.max(0.18, 0.95 / cover ** 0.6));
}

/** @returns {number} how many positions are in the area */
export function countWithin(xy, visible, { left, top, width, height }) {
  let count = 0;
  for (let i = 0, at = 0; at < xy.length; i++, at += 2) {
    if (
      xy[at] >= left &&
      xy[at] <= left + width &&
      xy[at + 1] >= top &&
      xy[at + 1] <= top + height &&
      (!visible || visible[i])
    )
      count++;
  }
  return count;
}

/**
 * Sort rows from far to near, so that nearer ones are drawn over farther ones.
 *
 * @param {Float32Array} depth (n,) NaN where a point is not seen @param {Uint8Array | null} visible
 * @returns {{order: Int32Array, levels: Uint8Array}} order: the rows seen; levels: (n,) 0 far .. 15 near
 */
export function depthOrder(depth, visible) {
  const n = depth.length;
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < n; i++) {
    const z = depth[i];
    if (z < low) low = z;
    if (z > high) high = z;
  }
  const k = high > low ? (BUCKETS - 1) / (high - low) : 0;
  const bucket = new Uint16Array(n);
  const start = new Int32Array(BUCKETS + 2);
  const levels = new Uint8Array(n);
  const shift = Math.log2(BUCKETS / LEVELS);
  for (let i = 0; i < n; i++) {
    const seen = !Number.isNaN(depth[i]) && (!visible || visible[i]);
    bucket[i] = seen ? (high - depth[i]) * k : BUCKETS;
    levels[i] = seen ? bucket[i] >> shift : 0;
    start[bucket[i] + 1]++;
  }
  for (let b = 0; b <= BUCKETS; b++) start[b + 1] += start[b];
  const order = new Int32Array(n);
  const seen = start[BUCKETS];
  for (let i = 0; i < n; i++) order[start[bucket[i]]++] = i;
  return { order: order.subarray(0, seen), levels };
}

/** @returns {Stamp} one shape of coverage 0 .. 256 around a position: pixels that are not touched are left out. */
function stamp(reach, coverage) {
  const dx = [];
  const dy = [];
  const cover = [];
  for (let v = -reach; v <= reach; v++) {
    for (let u = -reach; u <= reach; u++) {
      const a = Math.round(256 * coverage(u, v));
      if (a > 0) {
        dx.push(u);
        dy.push(v);
        cover.push(a);
      }
    }
  }
  return { reach, dx: Int32Array.from(dx), dy: Int32Array.from(dy), cover: Int32Array.from(cover), offsets: null };
}

const clamped = (x) => Math.min(1, Math.max(0, x));

/**
 * Anti-aliased discs or rings at each of 4 x 4 places within a pixel, for each depth level.
 *
 * @param {number} radius outer, in picture pixels @param {{inner?: number, opacity?: number, fade?: number}} options
 *   inner radius of a ring; fade: how much smaller and fainter the farthest of the levels is, 0 .. 1; 0 for one level
 */
export function discStamps(radius, { inner = 0, opacity = 1, fade = 0 } = {}) {
  const stamps = [];
  for (let level = 0; level < (fade ? LEVELS : 1); level++) {
    const near = fade ? level / (LEVELS - 1) : 1;
    const r = radius * (fade ? 1 + 0.9 * fade * (near - 0.6) : 1);
    const alpha = opacity * (1 - fade * 0.6 * (1 - near));
    for (let p = 0; p < PHASES * PHASES; p++) {
      const cx = ((p % PHASES) + 0.5) / PHASES - 0.5;
      const cy = (Math.floor(p / PHASES) + 0.5) / PHASES - 0.5;
      stamps.push(
        stamp(Math.ceil(r + 1), (u, v) => {
          const d = Math.hypot(u - cx, v - cy);
          return alpha * clamped(r + 0.5 - d) * (inner > 0 ? clamped(d - inner + 0.5) : 1) * Math.min(1, 2 * r);
        }),
      );
    }
  }
  return { stamps, phases: PHASES };
}

/** Five pixels a point, for while the view moves. */
export function plusStamps(opacity = 1) {
  return { stamps: [stamp(1, (u, v) => (Math.abs(u) + Math.abs(v) <= 1 ? opacity : 0))], phases: 1 };
}

/**
 * Blend a stamp of its color over the picture for each point.
 *
 * @param {Picture} picture
 * @param {Points} points
 * @param {{stamps: Stamp[], phases: number}} shapes
 * @param {Area} area points outside are left out
 */
export function drawStamps(picture, points, { stamps, phases }, area) {
  const { xy, colors, order, levels, visible } = points;
  const { width, height, scale, pixels } = picture;
  for (const shape of stamps) shape.offsets = shape.dx.map((x, k) => shape.dy[k] * width + x);
  const [left, top] = [area.left * scale, area.top * scale];
  const [right, bottom] = [left + area.width * scale, top + area.height * scale];
  const single = typeof colors === 'number' ? colors : null;
  const perLevel = stamps.length > phases * phases ? phases * phases : 0;
  const n = order ? order.length : xy.length / 2;
  for (let k = 0; k < n; k++) {
    const row = order ? order[k] : k;
    if (visible && visible[row] === 0) continue;
    const x = xy[2 * row] * scale;
    const y = xy[2 * row + 1] * scale;
    if (!(x >= left && x < right && y >= top && y < bottom)) continue;
    const px = x | 0;
    const py = y | 0;
    let which = phases === 1 ? 0 : (((y - py) * phases) | 0) * phases + (((x - px) * phases) | 0);
    if (perLevel) which += levels[row] * perLevel;
    const shape = stamps[which];
    const color = single === null ? colors[row] : single;
    const { reach } = shape;
    if (px >= reach && py >= reach && px < width - reach && py < height - reach)
      blend(pixels, py * width + px, shape, color);
    else blendClipped(picture, px, py, shape, color);
  }
}

/**
 * Draw five pixels a point with a depth buffer, the nearest on top, the last of equally near ones: the fast way in 3D
 * while the view moves.
 *
 * @param {Picture} picture @param {Points} points
 * @param {Float32Array} depth (n,) NaN where a point is not seen @param {Float32Array} nearest (pixels,) overwritten
 * @param {number} opacity of all points; they do not blend with each other
 */
export function drawNearest({ width, height, scale, pixels }, { xy, colors, visible }, depth, nearest, opacity) {
  nearest.fill(Infinity);
  const a = Math.round(256 * opacity);
  const single = typeof colors === 'number' ? colors : null;
  for (let row = 0; row < depth.length; row++) {
    const x = xy[2 * row] * scale;
    const y = xy[2 * row + 1] * scale;
    if (!(x >= 1 && x < width - 1 && y >= 1 && y < height - 1) || (visible && visible[row] === 0)) continue;
    const z = depth[row];
    const color = single === null ? colors[row] : single;
    const pixel = a === 256 ? color : over(0, color & EVEN, (color >>> 8) & EVEN, a);
    const at = (y | 0) * width + (x | 0);
    if (z <= nearest[at]) {
      nearest[at] = z;
      pixels[at] = pixel;
    }
    if (z <= nearest[at - 1]) {
      nearest[at - 1] = z;
      pixels[at - 1] = pixel;
    }
    if (z <= nearest[at + 1]) {
      nearest[at + 1] = z;
      pixels[at + 1] = pixel;
    }
    if (z <= nearest[at - width]) {
      nearest[at - width] = z;
      pixels[at - width] = pixel;
    }
    if (z <= nearest[at + width]) {
      nearest[at + width] = z;
      pixels[at + width] = pixel;
    }
  }
}

function blend(pixels, base, { offsets, cover }, color) {
  const even = color & EVEN;
  const odd = (color >>> 8) & EVEN;
  for (let k = 0; k < offsets.length; k++) {
    const at = base + offsets[k];
    pixels[at] = cover[k] === 256 ? color : over(pixels[at], even, odd, cover[k]);
  }
}

function blendClipped({ width, height, pixels }, px, py, { dx, dy, cover }, color) {
  for (let k = 0; k < dx.length; k++) {
    const u = px + dx[k];
    const v = py + dy[k];
    if (u < 0 || v < 0 || u >= width || v >= height) continue;
    pixels[v * width + u] = over(pixels[v * width + u], color & EVEN, (color >>> 8) & EVEN, cover[k]);
  }
}

/** A color, split into its even and odd bytes, over a pixel, at coverage a of 256. */
function over(under, even, odd, a) {
  const rest = 256 - a;
  return (
    (((Math.imul(even, a) + Math.imul(under & EVEN, rest) + HALF) >>> 8) & EVEN) |
    ((Math.imul(odd, a) + Math.imul((under >>> 8) & EVEN, rest) + HALF) & ~EVEN)
  );
}

/** Divide by alpha in place, as image data has to be. */
export function straighten({ pixels, bytes }) {
  for (let i = 0, at = 0; i < pixels.length; i++, at += 4) {
    const pixel = pixels[i];
    if (pixel === 0 || pixel >>> 24 === 255) continue;
    const k = 255 / (pixel >>> 24);
    bytes[at] = (pixel & 255) * k;
    bytes[at + 1] = ((pixel >>> 8) & 255) * k;
    bytes[at + 2] = ((pixel >>> 16) & 255) * k;
  }
}

/** @returns {Int32Array} (2m + 1) half widths of a disc's rows of pixels, for `drawRows` */
export function discSpans(radius) {
  const reach = Math.max(0, Math.round(radius));
  return Int32Array.from({ length: 2 * reach + 1 }, (_, v) =>
    Math.round(Math.sqrt(Math.max(0, (radius + 0.25) ** 2 - (v - reach) ** 2))),
  );
}

/**
 * Write row numbers where points are drawn; later ones lie on top, as in `drawStamps`.
 *
 * @param {Int32Array} rows (width * height) CSS pixels @param {Int32Array} spans half widths by line, see discSpans
 */
export function drawRows(rows, width, height, points, spans, area) {
  const { xy, order, visible, rows: names } = points;
  const reach = (spans.length - 1) / 2;
  const [left, top, right, bottom] = [area.left, area.top, area.left + area.width, area.top + area.height];
  const n = order ? order.length : xy.length / 2;
  for (let k = 0; k < n; k++) {
    const row = order ? order[k] : k;
    if (visible && visible[row] === 0) continue;
    const x = xy[2 * row];
    const y = xy[2 * row + 1];
    if (!(x >= left && x < right && y >= top && y < bottom)) continue;
    const px = x | 0;
    const py = y | 0;
    const name = names ? names[row] : row;
    const last = Math.min(height - 1, py + reach);
    for (let v = Math.max(0, py - reach); v <= last; v++) {
      const half = spans[v - py + reach];
      const end = v * width + Math.min(width - 1, px + half);
      for (let at = v * width + Math.max(0, px - half); at <= end; at++) rows[at] = name;
    }
  }
}

/**
 * Draw a small picture at each point: ink takes the point's color, photographs get a frame of it and are as clear as
 * their pixels.
 *
 * @param {Picture} picture @param {Points} points @param {Atlas} atlas @param {(row: number) => number} tile
 * @param {{width: number, height: number, frame?: number, opacity: number}} size of a tile in picture pixels
 */
export function drawTiles(picture, points, atlas, tile, size, area) {
  const { xy, colors, order, visible, levels, rows } = points;
  const { scale } = picture;
  const draw = atlas.ink ? drawInk : drawPhoto;
  const n = order ? order.length : xy.length / 2;
  const canvas = { ...picture, clip: pixelsOf(area, picture) };
  const [left, top] = [area.left - MARGIN, area.top - MARGIN];
  const [right, bottom] = [area.left + area.width + MARGIN, area.top + area.height + MARGIN];
  for (let k = 0; k < n; k++) {
    const row = order ? order[k] : k;
    if (visible && visible[row] === 0) continue;
    const x = xy[2 * row];
    const y = xy[2 * row + 1];
    if (!(x >= left && x < right && y >= top && y < bottom)) continue;
    const index = tile(rows ? rows[row] : row);
    if (!(index >= 0 && index < atlas.count)) continue;
    const opacity = size.opacity * (levels ? 0.55 + (0.45 * levels[row]) / (LEVELS - 1) : 1);
    draw(
      canvas,
      Math.round(x * scale - size.width / 2),
      Math.round(y * scale - size.height / 2),
      atlas,
      index,
      size,
      colors[row],
      opacity,
    );
  }
}

/** @returns {{left: number, top: number, right: number, bottom: number}} an area in pixels of a picture, within it */
function pixelsOf({ left, top, width, height }, picture) {
  const within = (x, most) => Math.min(most, Math.max(0, Math.round(x * picture.scale)));
  return {
    left: within(left, picture.width),
    top: within(top, picture.height),
    right: within(left + width, picture.width),
    bottom: within(top + height, picture.height),
  };
}

function drawInk(picture, x0, y0, atlas, index, { width, height }, color, opacity) {
  const { stride, tileWidth, tileHeight, columns, ink } = atlas;
  const { pixels, clip } = picture;
  const base = Math.floor(index / columns) * tileHeight * stride + (index % columns) * tileWidth;
  const kx = tileWidth / width;
  const ky = tileHeight / height;
  const strength = Math.round(256 * opacity);
  const even = color & EVEN;
  const odd = (color >>> 8) & EVEN;
  const right = Math.min(width, clip.right - x0);
  const bottom = Math.min(height, clip.bottom - y0);
  for (let v = Math.max(0, clip.top - y0); v < bottom; v++) {
    const line = base + Math.floor((v + 0.5) * ky) * stride;
    const to = (y0 + v) * picture.width + x0;
    for (let u = Math.max(0, clip.left - x0); u < right; u++) {
      const a = ink[line + Math.floor((u + 0.5) * kx)];
      if (a > 0) pixels[to + u] = over(pixels[to + u], even, odd, ((a + (a >> 7)) * strength) >> 8);
    }
  }
}

function drawPhoto(picture, x0, y0, atlas, index, { width, height, frame }, color, opacity) {
  const { stride, tileWidth, tileHeight, columns, photo } = atlas;
  const { pixels, clip } = picture;
  const base = Math.floor(index / columns) * tileHeight * stride + (index % columns) * tileWidth;
  const strength = Math.round(256 * opacity);
  const right = Math.min(width, clip.right - x0);
  const bottom = Math.min(height, clip.bottom - y0);
  for (let v = Math.max(0, clip.top - y0); v < bottom; v++) {
    const line = base + Math.floor(((v + 0.5) * tileHeight) / height) * stride;
    const to = (y0 + v) * picture.width + x0;
    for (let u = Math.max(0, clip.left - x0); u < right; u++) {
      const edge = u < frame || v < frame || u >= width - frame || v >= height - frame;
      const pixel = edge ? color : photo[line + Math.floor(((u + 0.5) * tileWidth) / width)];
      const alpha = pixel >>> 24;
      if (alpha === 0) continue;
      const a = alpha === 255 ? strength : Math.round((alpha * strength) / 255);
      pixels[to + u] = over(pixels[to + u], pixel & EVEN, ((pixel >>> 8) & 0x000000ff) | 0x00ff0000, a);
    }
  }
}
