import { onceEach } from '#js/data/kept.js';
import { fill, hex, rgb } from '#js/drawing/color.js';

/**
 * @import { Column } from '#js/data/types.js'
 * @import { Legend } from '#js/drawing/types.js'
 */

/**
 * False and missing neighbors in one code of two dimensions, as CheckViz has them (Lespinats and Aupetit 2011,
 * https://doi.org/10.1111/j.1467-8659.2010.01835.x): no fault is neutral, one is purple, the other green, and both take
 * the color from the ground's lightness to its opposite. The code is a plane of Oklab
 * (https://bottosson.github.io/posts/oklab/), so that equal steps look equal; purple and green are told apart with each
 * of the common color vision deficiencies.
 */

/** Steps of each fault. */
export const STEPS = 5;
const PLANES = {
  light: { none: 0.82, both: 0.2, chroma: 0.16, missing: '#f0e6c8' },
  dark: { none: 0.4, both: 0.97, chroma: 0.21, missing: '#3a3520' },
};
const HUE = (320 * Math.PI) / 180;
/** The share of the points that lie below the end of the scale. */
const BELOW = 0.98;
const ROUND = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** @returns {string[]} STEPS * STEPS colors; color i has i % STEPS steps of false and i / STEPS of missing neighbors */
export function faultColors(dark) {
  const { none, both, chroma } = PLANES[dark ? 'dark' : 'light'];
  return Array.from({ length: STEPS * STEPS }, (_, i) => {
    const wrong = (i % STEPS) / (STEPS - 1);
    const missing = Math.floor(i / STEPS) / (STEPS - 1);
    const c = chroma * (wrong - missing);
    return hex(fromOklab(none + ((both - none) * (wrong + missing)) / 2, c * Math.cos(HUE), c * Math.sin(HUE)));
  });
}

/** @returns {number[]} r, g, b, 0 .. 255 */
function fromOklab(lightness, a, b) {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((x) => {
    const within = Math.min(1, Math.max(0, x));
    return Math.round(255 * (within <= 0.0031308 ? 12.92 * within : 1.055 * within ** (1 / 2.4) - 0.055));
  });
}

/**
 * The classes of a column of faults: equal steps from 0 on both scales, which end where 98 % of the points have less of
 * either.
 */
const classed = onceEach((/** @type {Column} */ { faults: { wrong, missing } }) => {
  const worst = wrong.map((x, i) => Math.max(x, missing[i])).filter((x) => !Number.isNaN(x));
  worst.sort();
  const limit = roundUp((worst[Math.floor(BELOW * (worst.length - 1))] || 0.001) / STEPS) * STEPS;
  const step = (x) => Math.min(STEPS - 1, Math.floor((STEPS * x) / limit + 1e-9));
  const classes = new Int32Array(wrong.length);
  const counts = new Int32Array(STEPS * STEPS);
  let unknown = 0;
  for (let i = 0; i < classes.length; i++) {
    const known = !Number.isNaN(wrong[i] + missing[i]);
    classes[i] = known ? STEPS * step(missing[i]) + step(wrong[i]) : -1;
    if (known) counts[classes[i]]++;
    else unknown++;
  }
  return { limit, classes, counts, unknown };
});

/** @returns {number} the next round number */
function roundUp(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  return Number(((ROUND.find((each) => each * power >= x * (1 - 1e-9)) ?? 10) * power).toPrecision(3));
}

/**
 * Color every point by its false and missing neighbors.
 *
 * @param {Column} column with faults
 * @param {{n: number, dark: boolean}} options
 * @returns {{colors: Uint8Array, classes: Int32Array, legend: Legend}} classes are the legend's codes, -1 where a point
 *   was not measured
 */
export function colorByFaults(column, { n, dark }) {
  const { limit, classes, counts, unknown } = classed(column);
  const palette = faultColors(dark);
  const shades = palette.map(rgb);
  const apart = PLANES[dark ? 'dark' : 'light'].missing;
  const other = rgb(apart);
  const bounds = (at) => {
    const [low, high] = [at, at + 1].map((i) => Number(((limit * i) / STEPS).toPrecision(3)));
    return at === STEPS - 1 ? `${low} and more` : `${low} to ${high}`;
  };
  const entries = palette.map((color, code) => ({
    name: `false ${bounds(code % STEPS)}, missing ${bounds(Math.floor(code / STEPS))}`,
    count: counts[code],
    color,
    code,
  }));
  if (unknown) entries.push({ name: 'not measured', count: unknown, color: apart, code: -1 });
  return {
    colors: fill(n, (i) => shades[classes[i]] ?? other),
    classes,
    legend: { kind: 'faults', entries, high: limit },
  };
}
