import { onceEach } from '#js/data/kept.js';
import { categories, countDistinct } from '#js/data/table.js';

/**
 * @import { ColorAs, Column } from '#js/data/types.js'
 * @import { Legend, LegendEntry } from '#js/drawing/types.js'
 */

/**
 * Colors of points. The first ten categories have colors near those of Okabe and Ito
 * (https://jfly.uni-koeln.de/color/), moved apart in lightness so that they differ with each of the common color vision
 * deficiencies and from the ground. The 11th to the 50th were taken one after the other from a grid of hues,
 * lightnesses and chromas, each as different as can be from all before it, and from the five before it with every
 * deficiency; the rest share one.
 */
const FEW_LIGHT = [
  '#2774ac',
  '#d28214',
  '#0c956c',
  '#9b7303',
  '#1754e5',
  '#a63f01',
  '#cf3e86',
  '#696f78',
  '#7a3ebd',
  '#8a5b30',
];
const FEW_DARK = [
  '#7fcdfb',
  '#e8a203',
  '#1dbe8c',
  '#f0e445',
  '#7fa4fe',
  '#e37646',
  '#e097cb',
  '#bdc1c2',
  '#987fef',
  '#c9a16c',
];
const MORE_LIGHT = [
  '#6a9b69',
  '#004e45',
  '#c674b3',
  '#7f0000',
  '#4c1c8d',
  '#786648',
  '#3ca541',
  '#006868',
  '#9287e0',
  '#b2898b',
  '#4e4092',
  '#543925',
  '#7c803d',
  '#983b5d',
  '#009ebe',
  '#e86081',
  '#465f94',
  '#30521d',
  '#81712d',
  '#6b1950',
  '#4695fb',
  '#a78ba5',
  '#5d8475',
  '#005881',
  '#a11d05',
  '#67444f',
  '#855fd2',
  '#b88c55',
  '#5f8d8f',
  '#1c406e',
  '#00701e',
  '#8d6663',
  '#7d1e3a',
  '#7d649c',
  '#4d7de8',
  '#00a589',
  '#005366',
  '#a96658',
  '#545130',
  '#847290',
];
const MORE_DARK = [
  '#007469',
  '#ba3822',
  '#c4fa77',
  '#f8d9f6',
  '#7f59cb',
  '#a59775',
  '#00918e',
  '#7d5951',
  '#91ffc7',
  '#cac1e5',
  '#515f97',
  '#8a8e00',
  '#6c9a92',
  '#c23d61',
  '#ffc08d',
  '#a8a2e1',
  '#65fdff',
  '#5a6d00',
  '#2a7f9b',
  '#b66f74',
  '#d5c6a3',
  '#76c24c',
  '#ffaaff',
  '#726042',
  '#7383bd',
  '#3f6b72',
  '#c3f0e3',
  '#c9d066',
  '#ff819f',
  '#9d663d',
  '#a48ac6',
  '#517086',
  '#47e2d1',
  '#e5eba5',
  '#b89500',
  '#be5a56',
  '#9694b6',
  '#006eb2',
  '#5baa8e',
  '#ffb9ce',
];
const CIVIDIS = [
  '#00224e',
  '#123570',
  '#3b496c',
  '#575d6d',
  '#707173',
  '#8a8678',
  '#a59c74',
  '#c3b369',
  '#e1cc55',
  '#fee838',
];
const PLAIN = { light: '#0b63ce', dark: '#66aaff' };
export const REST = { light: '#9aa0a6', dark: '#72777d' };

/**
 * @param {number} n
 * @param {boolean} dark
 * @returns {string[]} at most fifty colors as #rrggbb; the first stay the same
 */
export function categoricalPalette(n, dark) {
  return (dark ? [...FEW_DARK, ...MORE_DARK] : [...FEW_LIGHT, ...MORE_LIGHT]).slice(0, n);
}

/** @param {number} t 0 .. 1 @returns {number[]} r, g, b of the gradient; its end near the ground is left out */
export function gradientColor(t, dark) {
  const inner = dark ? 0.22 + 0.78 * t : 0.92 * t;
  const at = Math.min(1, Math.max(0, inner)) * (CIVIDIS.length - 1);
  const low = Math.min(CIVIDIS.length - 2, Math.floor(at));
  const from = rgb(CIVIDIS[low]);
  const to = rgb(CIVIDIS[low + 1]);
  return from.map((x, i) => Math.round(x + (to[i] - x) * (at - low)));
}

/**
 * How a column is shown: 'categories', 'gradient' or 'log', a gradient by orders of magnitude, which needs positive
 * numbers.
 *
 * @param {Column} column @param {ColorAs} wanted
 */
export function coloring(column, wanted = 'auto') {
  if (column.kind !== 'number') return 'categories';
  if (wanted === 'log' && !helpsLog(column)) return 'gradient';
  if (wanted !== 'auto') return wanted;
  return !column.measured && countDistinct(column, 12) <= 12 ? 'categories' : 'gradient';
}

/** @returns {boolean} whether a column's numbers are all positive and span orders of magnitude */
export function helpsLog(column) {
  if (column.kind !== 'number') return false;
  const { low, high } = range(column);
  return low > 0 && high >= 20 * low;
}

const range = onceEach((/** @type {Column} */ column) => {
  let [low, high, missing] = [Infinity, -Infinity, 0];
  for (const x of column.numbers()) {
    if (Number.isNaN(x)) missing++;
    else {
      if (x < low) low = x;
      if (x > high) high = x;
    }
  }
  return { low, high, missing };
});

/**
 * Color every point by a column.
 *
 * @param {Column | null} column null: all points have one color
 * @param {{n: number, as: ColorAs, dark: boolean}} options
 * @returns {{colors: Uint8Array, legend: Legend}} RGBA, n * 4
 */
export function colorPoints(column, { n, as, dark }) {
  const ground = dark ? 'dark' : 'light';
  if (!column) return { colors: fill(n, () => rgb(PLAIN[ground])), legend: { kind: 'none', color: PLAIN[ground] } };
  const how = coloring(column, as);
  return how === 'categories'
    ? byCategory(column, n, dark, REST[ground])
    : byNumber(column, { n, dark, rest: REST[ground], scale: how === 'log' ? 'log' : 'linear' });
}

/** @returns {{colors: Uint8Array, legend: Legend}} */
function byCategory(column, n, dark, rest) {
  const { names, counts, codes, missing } = categories(column);
  const palette = categoricalPalette(names.length, dark);
  const shades = palette.map(rgb);
  const other = rgb(rest);
  const colors = fill(n, (i) => shades[codes[i]] ?? other);
  /** @type {LegendEntry[]} */
  const entries = names
    .slice(0, palette.length)
    .map((name, code) => ({ name, count: counts[code], color: palette[code], code }));
  const left = counts.slice(palette.length).reduce((a, b) => a + b, 0);
  if (left)
    entries.push({
      name: `${(names.length - palette.length).toLocaleString('en')} other values`,
      count: left,
      color: rest,
      code: palette.length,
      rest: true,
    });
  if (missing) entries.push({ name: column.none ?? 'missing', count: missing, color: rest, code: -1, rest: true });
  return { colors, legend: { kind: 'categories', entries } };
}

/** @returns {{colors: Uint8Array, legend: Legend}} */
function byNumber(column, { n, dark, rest, scale }) {
  const numbers = column.numbers();
  const { low, high, missing } = range(column);
  const ratio = Math.log(high / low);
  const part =
    scale === 'log'
      ? (x) => Math.log(x / low) / ratio
      : (x) => (high - low < Infinity ? (x - low) / (high - low) : x / 2 / high / 2 + 0.5);
  const steps = Array.from({ length: 256 }, (_, i) => gradientColor(i / 255, dark));
  const other = rgb(rest);
  const colors = fill(n, (i) => {
    const x = numbers[i];
    if (Number.isNaN(x)) return other;
    return steps[high > low ? Math.round(255 * part(x)) : 128];
  });
  const stops = Array.from({ length: 9 }, (_, i) => hex(gradientColor(i / 8, dark)));
  return {
    colors,
    legend: {
      kind: 'gradient',
      low,
      high,
      middle: scale === 'log' ? Math.sqrt(low) * Math.sqrt(high) : low / 2 + high / 2,
      missing,
      stops,
      rest,
      scale,
    },
  };
}

/** @returns {Uint8Array} RGBA where the points of other classes are nearly the ground's color */
export function faded(colors, classes, code, dark) {
  const ground = dark ? 40 : 228;
  const out = colors.slice();
  for (let i = 0; i < classes.length; i++) {
    if (classes[i] === code) continue;
    for (let c = 4 * i; c < 4 * i + 3; c++) out[c] = 0.2 * out[c] + 0.8 * ground;
  }
  return out;
}

/** @param {(i: number) => ArrayLike<number>} color @returns {Uint8Array} RGBA, n * 4 */
export function fill(n, color) {
  const out = new Uint8Array(n * 4);
  for (let i = 0; i < n; i++) {
    const c = color(i);
    out[4 * i] = c[0];
    out[4 * i + 1] = c[1];
    out[4 * i + 2] = c[2];
    out[4 * i + 3] = 255;
  }
  return out;
}

/** @param {string} text #rrggbb @returns {number[]} */
export const rgb = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
/** @param {number[]} channels @returns {string} #rrggbb */
export const hex = (channels) => `#${channels.map((c) => c.toString(16).padStart(2, '0')).join('')}`;
