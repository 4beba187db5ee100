/** @import { Picture } from '#js/drawing/types.js' */

const EVEN = 0x00ff00ff;
const HALF = 0x00800080;

/**
 * Make a whole picture fainter in place, before it is straightened: what lies on what does not show through.
 *
 * @param {Picture} picture @param {number} strength 0 .. 1
 */
export function fade({ pixels }, strength) {
  const a = Math.round(256 * strength);
  for (let i = 0; i < pixels.length; i++) {
    const pixel = pixels[i];
    if (pixel === 0) continue;
    const even = (Math.imul(pixel & EVEN, a) + HALF) >>> 8;
    const odd = Math.imul((pixel >>> 8) & EVEN, a) + HALF;
    pixels[i] = (even & EVEN) | (odd & ~EVEN);
  }
}
