import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ticksOf } from '#js/drawing/ticks.js';

const texts = (...range) => ticksOf(...range).map(({ text }) => text);

test('the numbers of an axis are multiples of 1, 2 or 5 times a power of ten', () => {
  assert.deepEqual(texts(-1, 1, 5), ['−1.0', '−0.5', '0.0', '0.5', '1.0']);
  assert.deepEqual(texts(0, 9, 5), ['0', '2', '4', '6', '8']);
  assert.deepEqual(texts(0, 40000, 5), ['0', '10,000', '20,000', '30,000', '40,000']);
});

test('an axis may run downwards', () => {
  assert.deepEqual(texts(1, -1, 5), texts(-1, 1, 5));
});

test('large and small numbers share one power of ten', () => {
  assert.deepEqual(texts(0, 4e-6, 5), ['0', '1×10⁻⁶', '2×10⁻⁶', '3×10⁻⁶', '4×10⁻⁶']);
  assert.deepEqual(texts(9e6, 1.1e7, 5), ['0.90×10⁷', '0.95×10⁷', '1.00×10⁷', '1.05×10⁷', '1.10×10⁷']);
});

test('however little room there is, two numbers say what the scale is', () => {
  assert.deepEqual(texts(-9, 9.9, 2), ['−5', '0', '5']);
});

test('an axis without a span has no numbers', () => {
  for (const [low, high] of [
    [1, 1],
    [NaN, 1],
    [0, Infinity],
    [1e17, 1e17 + 32],
  ])
    assert.deepEqual(ticksOf(low, high, 6), []);
});

test('at any place and scale the numbers lie within the axis, evenly, and are read back from their text', () => {
  let seed = 1;
  const random = () => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
  for (let round = 0; round < 3000; round++) {
    const span = 10 ** (24 * random() - 12);
    const low = (random() - 0.5) * span * 10 ** (5 * random());
    const most = 1 + Math.floor(10 * random());
    const ticks = ticksOf(low, low + span, most);
    assert.ok(
      ticks.length >= 2 && ticks.length <= Math.max(most + 1, 5),
      `${ticks.length} for ${low}, ${span}, ${most}`,
    );
    const step = ticks.length > 1 ? ticks[1].value - ticks[0].value : span;
    ticks.forEach(({ value, index, text }, i) => {
      assert.ok(value >= low - 1e-6 * span && value <= low + span * (1 + 1e-6));
      assert.equal(index, ticks[0].index + i);
      const [, mantissa, power = ''] = /^([−\d.,]+)(?:×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?$/.exec(text);
      const exponent = Array.from(power, (c) => (c === '⁻' ? '-' : '⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(c))).join('');
      const read = Number(mantissa.replace('−', '-').replace(/,/g, '')) * 10 ** Number(exponent || 0);
      assert.ok(Math.abs(read - value) < 1e-3 * step, `${text} for ${value}`);
    });
    assert.equal(new Set(ticks.map(({ text }) => text)).size, ticks.length);
  }
});
