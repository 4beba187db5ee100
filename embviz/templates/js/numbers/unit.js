import { onceEach } from '#js/data/kept.js';

/** @import { SafeVectors, Vectors } from '#js/data/types.js' */

/**
 * The unit in which vectors are counted with. What travels is `data` times `scale`, of any magnitude that a 64-bit
 * float has; squares and sums of such numbers leave their range. All arithmetic on vectors is therefore in `unit`, the
 * power of two below their largest magnitude, and only what is shown is multiplied by it.
 */

/** Coordinates are 32-bit floats; between these they keep their digits. */
const LEAST = 1e-30;
const MOST = 3e38;
/** Units as usual as these are never named. */
const USUAL = 2 ** 40;

/** @param {number} x positive, finite @returns {number} the largest power of two that is not above it */
export function powerBelow(x) {
  const power = 2 ** Math.floor(Math.log2(x));
  if (power > x) return power / 2;
  return power * 2 <= x ? power * 2 : power;
}

/**
 * Vectors with a scale such that their magnitudes are below 2, and the `unit` that gives their own values back.
 *
 * @param {Vectors} vectors those with a unit already are returned as they are
 * @returns {SafeVectors}
 */
export function inSafeUnit(vectors) {
  return isSafe(vectors) ? vectors : measured(vectors);
}

/** @returns {vectors is SafeVectors} */
const isSafe = (vectors) => vectors.unit !== undefined;

const measured = onceEach((/** @type {Vectors} */ vectors) => {
  const peak = largestStored(vectors);
  const power = peak > 0 ? powerBelow(peak) : 1;
  return { ...vectors, scale: 1 / power, unit: peak > 0 ? power * vectors.scale : 1 };
});

/** @returns {number} the largest magnitude of data times scales */
function largestStored({ data, n, d, scales }) {
  let most = 0;
  for (let i = 0, at = 0; i < n; i++) {
    let peak = 0;
    for (const end = at + d; at < end; at++) peak = Math.max(peak, Math.abs(data[at]));
    most = Math.max(most, scales ? peak * Math.abs(scales[i]) : peak);
  }
  return most;
}

/**
 * @param {number} unit of some coordinates @param {number} peak their largest magnitude in it
 * @returns {number} 1 where they can be shown in the vectors' own unit as 32-bit floats, else `unit`
 */
export function shownUnit(unit, peak) {
  if (peak === 0 || (unit >= 1 / USUAL && unit <= USUAL)) return 1;
  // Not peak * unit, which may be beyond all numbers.
  return peak > LEAST / unit && peak < MOST / unit ? 1 : unit;
}
