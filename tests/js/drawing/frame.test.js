import assert from 'node:assert/strict';
import { test } from 'node:test';
import { framed } from '#js/drawing/frame.js';
import { createSvgContext } from '#js/drawing/svg.js';

const chrome = { background: '#ffffff', grid: '#e4e6e9', text: '#14171a', muted: '#5f6670', accent: '#0b63ce' };
const SIZE = { width: 600, height: 400 };

function drawn(frame) {
  const sheet = framed(SIZE, { title: 'Words', subtitle: 'PCA', key: null, perUnit: null, chrome, ...frame });
  const context = createSvgContext((font, text) => 6 * text.length);
  sheet.draw(context);
  const texts = context.parts.map((part) => />([^<]*)<\/text>/.exec(part)?.[1]).filter(Boolean);
  return { ...sheet, parts: context.parts, texts };
}

test('the picture begins below its title, and nothing is beside it where colors mean nothing', () => {
  const { width, height, left, top, texts } = drawn({});
  assert.deepEqual([width, height - top, left], [600, 400, 0]);
  assert.deepEqual(texts, ['Words', 'PCA']);
});

for (const perUnit of [1e-9, 0.003, 0.7, 1, 42, 900, 3e7])
  test(`at ${perUnit} pixels a unit the bar has a round length that fits`, () => {
    const { texts, parts } = drawn({ perUnit });
    const units = Number(texts.at(-1).split(' ')[0].replaceAll(',', ''));
    assert.match(units.toExponential(), /^[125](?:\.0*)?e/);
    const long = Number(/^<path d="M16 [\d.]+L([\d.]+) /.exec(parts[2])[1]) - 16;
    assert.ok(Math.abs(long - units * perUnit) < 0.01, `${long} for ${units}`);
    assert.ok(long > 40 && long <= 120, `${long}`);
  });

test('names that begin alike are told apart where they are cut', () => {
  const entries = [1, 2].map((i) => ({ name: `${'a very long name '.repeat(9)}${i}`, count: '3', color: '#123456' }));
  const { texts } = drawn({ key: { heading: 'kind', entries } });
  const cut = texts.filter((text) => text.includes('…'));
  assert.equal(new Set(cut).size, 2);
  assert.ok(cut.every((text) => /^a very.*…/.test(text)));
});

test('as many classes are listed as there is room for, and the others counted', () => {
  const entries = Array.from({ length: 50 }, (_, i) => ({ name: `class ${i}`, count: '3', color: '#123456' }));
  const { texts } = drawn({ key: { heading: 'kind', entries } });
  const listed = texts.filter((text) => text.startsWith('class')).length;
  assert.ok(listed > 10 && listed < 50);
  assert.equal(texts.at(-1), `and ${50 - listed} more`);
});
