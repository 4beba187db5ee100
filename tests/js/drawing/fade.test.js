import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fade } from '#js/drawing/fade.js';
import { createPicture, discStamps, drawStamps, straighten } from '#js/drawing/raster.js';

const AREA = { left: 0, top: 0, width: 40, height: 20 };

/** The alpha where one point lies, and where a thousand do. @returns {[number, number]} */
function alphas(strength) {
  const picture = createPicture(40, 20, 1);
  const xy = Float32Array.from([10, 10, ...Array(1000).fill([30, 10]).flat()]);
  drawStamps(
    picture,
    { xy, colors: 0xff2040c0, order: null, levels: null, visible: null },
    discStamps(3, { opacity: 0.4 }),
    AREA,
  );
  fade(picture, strength);
  const [one, many] = [picture.pixels[10 * 40 + 10] >>> 24, picture.pixels[10 * 40 + 30] >>> 24];
  straighten(picture);
  for (const x of [10, 30])
    for (const [at, value] of [0xc0, 0x40, 0x20].entries())
      assert.ok(Math.abs(picture.bytes[4 * (10 * 40 + x) + at] - value) < 8);
  assert.equal(picture.pixels[0], 0);
  return [one, many];
}

test('what is faded keeps its colors, and a thousand points on each other do not add up again', () => {
  const [one, many] = alphas(1);
  assert.ok(Math.abs(one - 0.4 * 255) < 2 && many >= 250);
  const [fainter, most] = alphas(0.3);
  assert.ok(Math.abs(fainter - 0.3 * one) <= 1);
  assert.ok(Math.abs(most - 0.3 * many) <= 1);
});
