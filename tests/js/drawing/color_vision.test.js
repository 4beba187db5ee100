import assert from 'node:assert/strict';
import { test } from 'node:test';
import { categoricalPalette, rgb } from '#js/drawing/color.js';
import { colorByFaults, faultColors, STEPS } from '#js/drawing/faults.js';

/** Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB: https://doi.org/10.1109/TVCG.2009.113 */
const VISION = {
  full: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
const TO_XYZ = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];

const times = (matrix, vector) => matrix.map((row) => row.reduce((sum, x, i) => sum + x * vector[i], 0));
const linear = (color) =>
  rgb(color).map((x) => (x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4));
const degrees = (x) => (x * 180) / Math.PI;
const radians = (x) => (x * Math.PI) / 180;

function labOf(channels) {
  const [x, y, z] = times(
    TO_XYZ,
    channels.map((c) => Math.min(1, Math.max(0, c))),
  );
  const [fx, fy, fz] = [x / 0.95047, y, z / 1.08883].map((t) =>
    t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116,
  );
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

/** CIEDE2000, as Sharma, Wu and Dalal 2005 give it: https://doi.org/10.1002/col.20070 */
function difference([l1, a1, b1], [l2, a2, b2]) {
  const mean = (Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2;
  const g = 1 + 0.5 * (1 - Math.sqrt(mean ** 7 / (mean ** 7 + 25 ** 7)));
  const [c1, c2] = [Math.hypot(a1 * g, b1), Math.hypot(a2 * g, b2)];
  const hue = (a, b) => (degrees(Math.atan2(b, a * g)) + 360) % 360;
  const [h1, h2] = [hue(a1, b1), hue(a2, b2)];
  const turn = c1 * c2 === 0 ? 0 : ((h2 - h1 + 540) % 360) - 180;
  const [dl, dc, dh] = [l2 - l1, c2 - c1, 2 * Math.sqrt(c1 * c2) * Math.sin(radians(turn / 2))];
  const [l, c, h] = [(l1 + l2) / 2, (c1 + c2) / 2, h1 + turn / 2];
  const t =
    1 -
    0.17 * Math.cos(radians(h - 30)) +
    0.24 * Math.cos(radians(2 * h)) +
    0.32 * Math.cos(radians(3 * h + 6)) -
    0.2 * Math.cos(radians(4 * h - 63));
  const sl = 1 + (0.015 * (l - 50) ** 2) / Math.sqrt(20 + (l - 50) ** 2);
  const [sc, sh] = [1 + 0.045 * c, 1 + 0.015 * c * t];
  const rotation =
    -2 *
    Math.sqrt(c ** 7 / (c ** 7 + 25 ** 7)) *
    Math.sin(radians(60 * Math.exp(-(((((h + 360) % 360) - 275) / 25) ** 2))));
  return Math.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rotation * (dc / sc) * (dh / sh));
}

/** The least difference of two of the colors, as someone sees them; only of those so near in the list. */
function leastDifference(colors, vision, apart = Infinity) {
  const seen = colors.map((color) => labOf(times(VISION[vision], linear(color))));
  return Math.min(...seen.flatMap((a, i) => seen.slice(i + 1, i + 1 + apart).map((b) => difference(a, b))));
}

const faults = (wrong, missing) => ({
  faults: { wrong: Float32Array.from(wrong), missing: Float32Array.from(missing) },
});

test('the difference is that of the published examples', () => {
  const near = (a, b, wanted) => assert.ok(Math.abs(difference(a, b) - wanted) < 1e-4, `${difference(a, b)} ${wanted}`);
  near([50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425);
  near([50, 2.5, 0], [73, 25, -18], 27.1492);
  near([50, 2.5, 0], [61, -5, 29], 22.8977);
  near([2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082);
});

for (const dark of [false, true]) {
  const theme = dark ? 'dark' : 'light';
  for (const vision of Object.keys(VISION)) {
    test(`the first colors differ with ${vision} in ${theme}`, () => {
      assert.ok(leastDifference(categoricalPalette(8, dark), vision) >= (vision === 'full' ? 11 : 8));
      assert.ok(leastDifference(categoricalPalette(10, dark), vision) >= (vision === 'full' ? 11 : 5.9));
    });
  }

  for (const vision of Object.keys(VISION)) {
    test(`neighbors in a list of fifty colors differ with ${vision} in ${theme}, and any two a little`, () => {
      const all = categoricalPalette(50, dark);
      assert.ok(leastDifference(all, vision, 1) >= (vision === 'full' ? 18 : 8.5));
      assert.ok(leastDifference(all, vision, 3) >= (vision === 'full' ? 13 : 7));
      assert.ok(leastDifference(all, vision) >= (vision === 'full' ? 6.9 : 3.3));
    });
  }

  for (const vision of Object.keys(VISION)) {
    test(`any two colors of false and missing neighbors differ with ${vision} in ${theme}, and from no measure`, () => {
      const { legend } = colorByFaults(faults([0, NaN], [0, 0]), { n: 2, dark });
      const apart = legend.entries.at(-1).color;
      assert.ok(leastDifference([...faultColors(dark), apart], vision) >= (vision === 'full' ? 6 : 4));
    });
  }

  test(`equal steps of either fault look about equal in ${theme}`, () => {
    const labs = faultColors(dark).map((color) => labOf(linear(color)));
    const steps = labs.flatMap((lab, i) => [
      ...(i % STEPS ? [difference(lab, labs[i - 1])] : []),
      ...(i >= STEPS ? [difference(lab, labs[i - STEPS])] : []),
    ]);
    assert.ok(Math.max(...steps) < 2.6 * Math.min(...steps), `${Math.min(...steps)} ${Math.max(...steps)}`);
    // No fault is neutral, and so are both; the one fault is opposite in hue to the other.
    const [none, wrong, missing, both] = [0, STEPS - 1, STEPS * (STEPS - 1), STEPS * STEPS - 1].map((i) => labs[i]);
    for (const lab of [none, both]) assert.ok(Math.hypot(lab[1], lab[2]) < 1);
    assert.ok(wrong[1] > 25 && missing[1] < -25 && wrong[2] < -20 && missing[2] > 20);
    assert.ok(dark ? none[0] < 45 && both[0] > 90 : none[0] > 75 && both[0] < 15);
  });

  test(`the first colors stand out from the ground in ${theme} by 3 to 1, as WCAG asks of graphics`, () => {
    const luminance = (color) => times(TO_XYZ, linear(color))[1];
    const ground = luminance(dark ? '#121417' : '#ffffff');
    for (const color of categoricalPalette(10, dark)) {
      const [low, high] = [luminance(color), ground].sort((a, b) => a - b);
      assert.ok((high + 0.05) / (low + 0.05) >= 3, color);
    }
  });
}
