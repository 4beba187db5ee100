/** @import { Area, Picture } from '#js/drawing/types.js' */

/**
 * Where points of one color lie so thick that discs upon discs would be one flat patch, the color deepens with their
 * number: by its logarithm, from where two discs' worth of ink would lie on a pixel to where most lies.
 */

const CELL = 4;
const FROM = 2;
/** Below this much ink in the thickest place nothing is flat yet. */
const LEAST = 4;
const STRONGEST = 0.72;

/**
 * @param {Float32Array} xy (n, 2) in CSS pixels @param {Uint8Array | null} visible
 * @param {{left, top, width, height}} area @param {number} ink of one point: opacity times a disc's CSS pixels
 * @returns {{shade: Float32Array, columns: number, rows: number} | null} 0 .. 0.72 in the middles of cells of 4 CSS
 *   pixels, a margin of one around the area; null where nothing is flat
 */
export function densityShade(xy, visible, area, ink) {
  const columns = Math.ceil(area.width / CELL) + 2;
  const rows = Math.ceil(area.height / CELL) + 2;
  const counts = new Float32Array(columns * rows);
  for (let i = 0, at = 0; at < xy.length; i++, at += 2) {
    const x = xy[at] - area.left;
    const y = xy[at + 1] - area.top;
    if (x >= 0 && y >= 0 && x < area.width && y < area.height && (!visible || visible[i]))
      counts[(Math.floor(y / CELL) + 1) * columns + Math.floor(x / CELL) + 1]++;
  }
  const depth = smooth(counts, columns, rows);
  let most = 0;
  const perPoint = ink / (CELL * CELL);
  for (let i = 0; i < depth.length; i++) {
    depth[i] *= perPoint;
    if (depth[i] > most) most = depth[i];
  }
  if (most < LEAST) return null;
  const strength = Math.min(STRONGEST, 0.2 * Math.log2(most / FROM));
  const k = strength / Math.log(most / FROM);
  for (let i = 0; i < depth.length; i++) depth[i] = depth[i] > FROM ? k * Math.log(depth[i] / FROM) : 0;
  return { shade: depth, columns, rows };
}

/** Each cell with its neighbors, 1 2 1 both ways. */
function smooth(counts, columns, rows) {
  const across = new Float32Array(counts.length);
  for (let i = 1; i < counts.length - 1; i++) across[i] = (counts[i - 1] + 2 * counts[i] + counts[i + 1]) / 4;
  const out = new Float32Array(counts.length);
  for (let i = columns; i < columns * (rows - 1); i++)
    out[i] = (across[i - columns] + 2 * across[i] + across[i + columns]) / 4;
  return out;
}

/**
 * Deepen a picture by such a shade.
 *
 * @param {Picture} picture premultiplied
 * @param {{shade: Float32Array, columns: number, rows: number}} grid see densityShade
 * @param {Area} area
 * @param {boolean} dark whether the ground is, so that thick is light
 */
export function deepen({ pixels, width, height, scale }, { shade, columns, rows }, area, dark) {
  const left = Math.max(0, Math.round(area.left * scale));
  const right = Math.min(width, Math.round((area.left + area.width) * scale));
  const top = Math.max(0, Math.round(area.top * scale));
  const bottom = Math.min(height, Math.round((area.top + area.height) * scale));
  const cell = 1 / (CELL * scale);
  for (let y = top; y < bottom; y++) {
    const v = (y + 0.5 - area.top * scale) * cell + 0.5;
    const row = Math.min(rows - 2, Math.floor(v));
    const fv = v - row;
    for (let x = left; x < right; x++) {
      const u = (x + 0.5 - area.left * scale) * cell + 0.5;
      const at = row * columns + Math.min(columns - 2, Math.floor(u));
      const [a, b, c, d] = [shade[at], shade[at + 1], shade[at + columns], shade[at + columns + 1]];
      if (a + b + c + d === 0) continue;
      const pixel = pixels[y * width + x];
      if (pixel === 0) continue;
      const fu = u - Math.floor(u);
      const part = (a + (b - a) * fu) * (1 - fv) + (c + (d - c) * fu) * fv;
      pixels[y * width + x] = mixed(pixel, part, dark ? pixel >>> 24 : 0);
    }
  }
}

/** A pixel with part of each color moved to an end: black, or white at its alpha. */
function mixed(pixel, part, end) {
  const mix = (shift) => {
    const value = (pixel >>> shift) & 255;
    return Math.round(value + (end - value) * part) << shift;
  };
  return ((pixel & 0xff000000) | mix(16) | mix(8) | mix(0)) >>> 0;
}
