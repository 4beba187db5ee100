import assert from 'node:assert/strict';
import { test } from 'node:test';
import { categoricalPalette, coloring, colorPoints, rgb } from '#js/drawing/color.js';
import { categories, countDistinct, createTable } from '#js/data/table.js';

const column = (values, kind = 'text') => {
  const table = createTable({ n_points: values.length, n_dims: 2, columns: [{ name: 'c', kind }], label_by: 'c' });
  table.columns.get('c').values = values;
  return table.columns.get('c');
};

test('points of no cluster are called so, and others without a value are missing', () => {
  const named = (kind) => {
    const table = createTable({
      n_points: 3,
      n_dims: 2,
      columns: [{ name: 'c', kind: 'text' }],
      label_by: 'c',
      partitions: [{ column: 'c', kind }],
    });
    const column = Object.assign(table.columns.get('c'), { values: ['a', '', 'a'] });
    const { legend } = colorPoints(column, { n: 3, as: 'auto', dark: false });
    return legend.entries.map(({ name, count }) => [name, count]);
  };
  assert.deepEqual(named('clusters')[1], ['in no cluster', 1]);
  assert.deepEqual(named('classes')[1], ['missing', 1]);
});

test('categories count values, frequent first, numbers in their order, and keep missing apart', () => {
  const found = categories(column(['b', 'a', 'b', '']));
  assert.deepEqual(
    [found.names, found.counts, [...found.codes], found.missing],
    [['b', 'a'], [2, 1], [0, 1, 0, -1], 1],
  );
  assert.deepEqual(categories(column(['10', '9', '10'], 'number')).names, ['9', '10']);
  assert.deepEqual(categories(column(['class 10', 'class 2', 'Class 1', 'é', 'e', 'z', 'z'])).names, [
    'z',
    'Class 1',
    'class 2',
    'class 10',
    'e',
    'é',
  ]);
});

test('values such as __proto__ and constructor are values like others', () => {
  assert.deepEqual(categories(column(['__proto__', 'constructor', '__proto__'])).counts, [2, 1]);
});

test('a palette has as many different colors as categories, fifty at most', () => {
  for (const dark of [false, true]) {
    for (const n of [1, 8, 10, 11, 50]) assert.equal(new Set(categoricalPalette(n, dark)).size, n);
    assert.equal(categoricalPalette(200, dark).length, 50);
    assert.deepEqual(categoricalPalette(50, dark).slice(0, 7), categoricalPalette(7, dark));
  }
});

test('every color keeps a contrast of 3 to its ground', () => {
  const luminance = (text) => {
    const [r, g, b] = rgb(text).map((x) => (x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  for (const n of [10, 50]) {
    for (const color of categoricalPalette(n, false)) assert.ok(contrast(luminance(color), 1) >= 3, color);
    for (const color of categoricalPalette(n, true))
      assert.ok(contrast(luminance(color), luminance('#121417')) >= 3, color);
  }
});

test('few-valued numbers are classes at first, many-valued ones a gradient, either on request', () => {
  assert.equal(coloring(column(['1', '2', '1'], 'number')), 'categories');
  const many = column(
    Array.from({ length: 40 }, (_, i) => `${i}`),
    'number',
  );
  assert.equal(coloring(many), 'gradient');
  assert.equal(coloring(many, 'categories'), 'categories');
  assert.equal(coloring(column(['x']), 'gradient'), 'categories');
});

test('a gradient spans the finite numbers and leaves the missing gray', () => {
  const numbers = column(['0', '5', '10', '', 'inf'], 'number');
  const { colors, legend } = colorPoints(numbers, { n: 5, as: 'gradient', dark: false });
  assert.deepEqual([legend.low, legend.high, legend.missing], [0, 10, 2]);
  assert.deepEqual([...colors.slice(12, 15)], rgb(legend.rest));
  assert.notDeepEqual([...colors.slice(0, 3)], [...colors.slice(8, 11)]);
});

test('a constant column has one color and no division by zero', () => {
  const { colors } = colorPoints(column(['7', '7'], 'number'), { n: 2, as: 'gradient', dark: true });
  assert.deepEqual([...colors.slice(0, 4)], [...colors.slice(4, 8)]);
});

test('more than fifty categories share one color for the rest, and are counted', () => {
  const values = Array.from({ length: 60 }, (_, i) => `w${i}`);
  const { legend } = colorPoints(column(values), { n: 60, as: 'auto', dark: false });
  assert.equal(legend.entries.length, 51);
  assert.deepEqual([legend.entries[50].name, legend.entries[50].count], ['10 other values', 10]);
});

test('countDistinct stops counting behind its limit', () => {
  assert.equal(countDistinct(column(['a', '', 'b', 'a']), 50), 2);
  assert.equal(countDistinct(column(Array.from({ length: 99 }, (_, i) => `${i}`)), 50), 51);
});
