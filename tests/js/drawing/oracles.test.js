import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { colorPoints } from '#js/drawing/color.js';
import { createColumn } from '#js/data/table.js';

// tests/data/make_fixtures.py says who computed what is wanted here.

const { numbers, cases } = JSON.parse(readFileSync(new URL('../../data/colors.json', import.meta.url), 'utf8'));

for (const { scale, ground, colors } of cases) {
  test(`numbers on a ${scale} scale have Cividis' colors on a ${ground} ground`, () => {
    const column = createColumn('x', 'number');
    column.values = numbers.map(String);
    const as = scale === 'log' ? 'log' : 'gradient';
    const found = colorPoints(column, { n: numbers.length, as, dark: ground === 'dark' });
    assert.equal(found.legend.scale, scale);
    colors.forEach((color, i) => {
      // There are 256 steps, so that a channel may be one or two off.
      const rgb = [...found.colors.subarray(4 * i, 4 * i + 3)];
      rgb.forEach((x, c) => assert.ok(Math.abs(x - color[c]) <= 2, `${numbers[i]}: ${rgb} for ${color}`));
    });
  });
}
