import { fill, gradientColor, hex, REST, rgb } from '#js/drawing/color.js';

/**
 * Colors by the distance to one point: near is what stands out from the ground, far what recedes.
 *
 * @import { Legend } from '#js/drawing/types.js'
 */

const STEPS = 256;
/** The scale ends where so many of the points shown are nearer. */
const BELOW = 0.99;
const BINS = 2048;
/** The part of the gradient for the nearest, where the others' distances are not known. */
const NEAR = 0.35;

/** @returns {number[]} the color of a part of the scale, 0 for near */
const shade = (part, dark) => gradientColor(dark ? 1 - part : part, dark);

/**
 * @param {Float64Array} distances of each point, with the digits of 32-bit floats; Infinity where there is none
 * @param {{row: number, rows: Int32Array | null, by: 'distance' | 'rank', dark: boolean}} options the point they are
 *   from, and the points that the scale is of, null for all
 * @returns {{colors: Uint8Array, legend: Legend}}
 */
export function colorByDistance(distances, { row, rows, by, dark }) {
  const others = othersOf(distances, row, rows);
  const scale = by === 'rank' ? rankScale(others) : linearScale(others);
  const shades = Array.from({ length: STEPS }, (_, i) => shade(i / (STEPS - 1), dark));
  const colors = fill(distances.length, (i) => shades[i === row ? 0 : scale.step(distances[i])]);
  const stops = Array.from({ length: 9 }, (_, i) => hex(shade(i / 8, dark)));
  const { low, high, isCut } = scale;
  return { colors, legend: { kind: 'distance', row, by, low, high, isCut, count: others.length, stops } };
}

/**
 * Color the nearest points alone, by their rank, where the others' distances are not known.
 *
 * @param {{indices: Int32Array, distances: Float64Array}} found nearest first
 * @param {{n: number, row: number, dark: boolean}} options
 * @returns {{colors: Uint8Array, legend: Legend}}
 */
export function colorNearest({ indices, distances }, { n, row, dark }) {
  const rest = REST[dark ? 'dark' : 'light'];
  const other = rgb(rest);
  const colors = fill(n, () => other);
  const put = (i, part) => colors.set(shade(part, dark), 4 * i);
  // The farther part of the gradient is for what is far, and its middle is gray.
  indices.forEach((i, rank) => put(i, (NEAR * (rank + 1)) / indices.length));
  if (row >= 0) put(row, 0);
  const stops = Array.from({ length: 9 }, (_, i) => hex(shade((NEAR * i) / 8, dark)));
  const [low = 0, high = 0] = [distances[0], distances.at(-1)];
  return { colors, legend: { kind: 'distance', row, by: 'listed', low, high, count: indices.length, stops, rest } };
}

/** @returns {Float32Array} the finite distances of the other points that the scale is of */
function othersOf(distances, row, rows) {
  const out = new Float32Array(rows ? rows.length : distances.length);
  let count = 0;
  for (let k = 0; k < out.length; k++) {
    const i = rows ? rows[k] : k;
    if (i !== row && distances[i] < Infinity) out[count++] = distances[i];
  }
  return out.subarray(0, count);
}

/** Equal steps of distance, from the nearest to where nearly all points are nearer. */
function linearScale(others) {
  let [low, most] = [Infinity, -Infinity];
  for (let i = 0; i < others.length; i++) {
    if (others[i] < low) low = others[i];
    if (others[i] > most) most = others[i];
  }
  if (!others.length) [low, most] = [0, 0];
  const high = endOf(others, low, most);
  const factor = high > low ? (STEPS - 1) / (high - low) : 0;
  return {
    low,
    high,
    isCut: high < most,
    step: (x) => (x <= low ? 0 : x >= high ? STEPS - 1 : Math.round((x - low) * factor)),
  };
}

/** @returns {number} the distance below which 99 % lie, to a 2,048th of their range; of few points the largest */
function endOf(others, low, most) {
  if (others.length < 100 || !(most > low)) return most;
  const counts = new Int32Array(BINS);
  const factor = (BINS - 1) / (most - low);
  for (let i = 0; i < others.length; i++) counts[Math.floor((others[i] - low) * factor)]++;
  let bin = 0;
  for (let sum = counts[0]; sum < BELOW * others.length; sum += counts[bin]) bin++;
  return Math.min(most, low + (bin + 1) / factor);
}

/** Steps of rank by its logarithm, from the nearest to the farthest; points that are as near share a rank. */
function rankScale(others) {
  const sorted = others.slice().sort();
  const n = sorted.length;
  const firsts = Array.from({ length: STEPS }, (_, k) => Math.ceil(n ** (k / (STEPS - 1)) - 1e-9));
  // A point has at least rank r where the (r - 1)th of them is nearer than it.
  const limits = Float64Array.from(firsts, (r) => (r < 2 ? -Infinity : sorted[r - 2]));
  return {
    low: 1,
    high: Math.max(1, n),
    isCut: false,
    step(x) {
      let [from, to] = [0, STEPS];
      while (to - from > 1) {
        const middle = (from + to) >> 1;
        if (limits[middle] < x) from = middle;
        else to = middle;
      }
      return from;
    },
  };
}
