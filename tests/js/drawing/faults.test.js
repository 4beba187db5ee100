import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultColumns } from '#js/data/faults.js';
import { measuredColumn } from '#js/data/table.js';
import { rgb } from '#js/drawing/color.js';
import { colorByFaults, faultColors, STEPS } from '#js/drawing/faults.js';

const measured = (columns) =>
  new Map(Object.entries(columns).map(([name, values]) => [name, measuredColumn(name, Float32Array.from(values))]));
const column = (trusted, continued) =>
  faultColumns(measured({ 'trustworthiness, 2D t-SNE': trusted, 'continuity, 2D t-SNE': continued }))[0];

test('a picture that has both figures of each point is offered, and no other', () => {
  const found = faultColumns(
    measured({
      'neighbors kept, 2D PCA': [1],
      'trustworthiness, 2D PCA': [1],
      'continuity, 2D PCA': [1],
      'trustworthiness, 3D PCA': [1],
      'continuity, 3D t-SNE': [1],
    }),
  );
  assert.deepEqual(
    found.map(({ name, of }) => [name, of]),
    [['false and missing neighbors, 2D PCA', ['trustworthiness, 2D PCA', 'continuity, 2D PCA']]],
  );
});

test('each fault is 1 less its figure, with all digits', () => {
  const { faults } = column([1, 0.98765, NaN, 1.0000001], [0.5, 1, 1, 0.25]);
  assert.deepEqual([...faults.missing], [0.5, 0, 0, 0.75]);
  assert.ok(Math.abs(faults.wrong[1] - 0.01235) < 1e-7);
  assert.ok(Number.isNaN(faults.wrong[2]) && faults.wrong[3] === 0);
});

test('points are put in equal steps of both faults, on one scale that nearly all points lie within', () => {
  const n = 1000;
  const trusted = Array.from({ length: n }, (_, i) => 1 - (0.5 * i) / n);
  const continued = Array.from({ length: n }, (_, i) => 1 - (0.25 * i) / n);
  const dark = false;
  const { colors, classes, legend } = colorByFaults(column(trusted, continued), { n, dark });
  assert.equal(legend.high, 0.5);
  for (let i = 0; i < n; i++) {
    const [x, y] = [Math.min(4, Math.floor(i / 200 + 1e-6)), Math.floor(i / 400 + 1e-6)];
    assert.ok(Math.abs((classes[i] % STEPS) - x) <= (i % 200 === 0 ? 1 : 0), `${i}`);
    assert.ok(Math.abs(Math.floor(classes[i] / STEPS) - y) <= (i % 200 === 0 ? 1 : 0), `${i}`);
    assert.deepEqual([...colors.subarray(4 * i, 4 * i + 3)], rgb(faultColors(dark)[classes[i]]));
  }
  const counted = legend.entries.map(({ code }) => classes.filter((other) => other === code).length);
  assert.deepEqual(
    counted,
    legend.entries.map(({ count }) => count),
  );
  assert.equal(legend.entries[0].name, 'false 0 to 0.1, missing 0 to 0.1');
  assert.equal(legend.entries[24].name, 'false 0.4 and more, missing 0.4 and more');
});

test('points that were not measured stand apart', () => {
  const { classes, legend, colors } = colorByFaults(column([1, NaN, 0.5], [1, NaN, 1]), { n: 3, dark: true });
  assert.deepEqual([...classes], [0, -1, 4]);
  assert.deepEqual(legend.entries.slice(25), [{ name: 'not measured', count: 1, color: '#3a3520', code: -1 }]);
  assert.deepEqual([...colors.subarray(4, 7)], [0x3a, 0x35, 0x20]);
});

test('pictures without any fault, of few points, or of points that were all not measured have colors too', () => {
  for (const [trusted, continued] of [
    [
      [1, 1, 1],
      [1, 1, 1],
    ],
    [
      [NaN, NaN],
      [NaN, NaN],
    ],
    [[0], [0]],
  ]) {
    const { classes, legend } = colorByFaults(column(trusted, continued), { n: trusted.length, dark: false });
    assert.ok(legend.high > 0);
    assert.deepEqual(
      [...classes],
      trusted.map((x) => (Number.isNaN(x) ? -1 : x ? 0 : 24)),
    );
  }
});
