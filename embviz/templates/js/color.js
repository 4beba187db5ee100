import { categories, countDistinct } from '#js/table.js';

/**
 * Colors of points. Up to ten categories have colors near those of Okabe and Ito (https://jfly.uni-koeln.de/color/),
 * moved apart in lightness so that they differ with each of the common color vision deficiencies and from the ground;
 * up to fifty vary in hue and lightness; the rest share one.
 */
export const MOST_CATEGORIES = 50;
const FEW_LIGHT = ['#2774ac', '#d28214', '#0c956c', '#9b7303', '#1754e5', '#a63f01', '#cf3e86', '#696f78', '#7a3ebd', '#8a5b30'];
const FEW_DARK = ['#7fcdfb', '#e8a203', '#1dbe8c', '#f0e445', '#7fa4fe', '#e37646', '#e097cb', '#bdc1c2', '#987fef', '#c9a16c'];
const CIVIDIS = ['#00224e', '#123570', '#3b496c', '#575d6d', '#707173', '#8a8678', '#a59c74', '#c3b369', '#e1cc55', '#fee838'];
const PLAIN = { light: '#0b63ce', dark: '#66aaff' };
const REST = { light: '#9aa0a6', dark: '#72777d' };

/** @param {number} n @param {boolean} dark @returns {string[]} at most fifty colors as #rrggbb */
export function categoricalPalette(n, dark) {
  const few = dark ? FEW_DARK : FEW_LIGHT;
  if (n <= few.length) return few.slice(0, n);
  const count = Math.min(n, MOST_CATEGORIES);
  // Neighbors in the list differ in hue by the golden angle and in lightness by three steps.
  return Array.from({ length: count }, (_, i) => {
    const lightness = (dark ? [0.84, 0.7, 0.62] : [0.62, 0.5, 0.4])[i % 3];
    return oklch(lightness, dark ? 0.13 : 0.14, (i * 137.508 + 250) % 360);
  });
}

/** @returns {string} #rrggbb of a color in OKLCh (https://bottosson.github.io/posts/oklab/), clipped to sRGB */
export function oklch(lightness, chroma, hue) {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const gamma = (x) => (x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055);
  return hex(linear.map((x) => Math.round(255 * gamma(Math.min(1, Math.max(0, x))))));
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
 * @param {object} column @param {'auto' | 'categories' | 'gradient' | 'log'} wanted
 */
export function coloring(column, wanted = 'auto') {
  if (column.kind !== 'number') return 'categories';
  if (wanted === 'log' && !helpsLog(column)) return 'gradient';
  if (wanted !== 'auto') return wanted;
  return countDistinct(column, 12) <= 12 ? 'categories' : 'gradient';
}

/** @returns {boolean} whether a column's numbers are all positive and span orders of magnitude */
export function helpsLog(column) {
  if (column.kind !== 'number') return false;
  const { low, high } = range(column);
  return low > 0 && high >= 20 * low;
}

function range(column) {
  if (column.range) return column.range;
  let [low, high, missing] = [Infinity, -Infinity, 0];
  for (const x of column.numbers()) {
    if (Number.isNaN(x)) missing++;
    else {
      if (x < low) low = x;
      if (x > high) high = x;
    }
  }
  column.range = { low, high, missing };
  return column.range;
}

/**
 * Color every point by a column.
 *
 * @param {object | null} column null: all points have one color
 * @param {{n: number, as: 'auto' | 'categories' | 'gradient' | 'log', dark: boolean}} options
 * @returns {{colors: Uint8Array, legend: object}} RGBA, n * 4; legend is {kind: 'none'} |
 *   {kind: 'categories', entries: [{name, count, color, code}]} | {kind: 'gradient', low, high, middle, missing, stops, scale: 'linear' | 'log'}
 */
export function colorPoints(column, { n, as, dark }) {
  const ground = dark ? 'dark' : 'light';
  if (!column) return { colors: fill(n, () => rgb(PLAIN[ground])), legend: { kind: 'none', color: PLAIN[ground] } };
  const how = coloring(column, as);
  return how === 'categories'
    ? byCategory(column, n, dark, REST[ground])
    : byNumber(column, { n, dark, rest: REST[ground], scale: how === 'log' ? 'log' : 'linear' });
}

function byCategory(column, n, dark, rest) {
  const { names, counts, codes, missing } = categories(column);
  const palette = categoricalPalette(names.length, dark);
  const shades = palette.map(rgb);
  const other = rgb(rest);
  const colors = fill(n, (i) => shades[codes[i]] ?? other);
  const entries = names.slice(0, palette.length).map((name, code) => ({ name, count: counts[code], color: palette[code], code }));
  const left = counts.slice(palette.length).reduce((a, b) => a + b, 0);
  if (left) entries.push({ name: `${(names.length - palette.length).toLocaleString('en')} other values`, count: left, color: rest, code: palette.length, rest: true });
  if (missing) entries.push({ name: 'missing', count: missing, color: rest, code: -1, rest: true });
  return { colors, legend: { kind: 'categories', entries } };
}

function byNumber(column, { n, dark, rest, scale }) {
  const numbers = column.numbers();
  const { low, high, missing } = range(column);
  const ratio = Math.log(high / low);
  const part = scale === 'log'
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
  return { colors, legend: { kind: 'gradient', low, high, middle: scale === 'log' ? Math.sqrt(low) * Math.sqrt(high) : low / 2 + high / 2, missing, stops, rest, scale } };
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

function fill(n, color) {
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
const hex = (channels) => `#${channels.map((c) => c.toString(16).padStart(2, '0')).join('')}`;
