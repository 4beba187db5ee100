import assert from 'node:assert/strict';
import { test } from 'node:test';
import { POINTED, pointedColumn } from '#js/data/pointed.js';
import { openView } from './fixture.js';

const N = 30;
const ROWS = Array.from({ length: N }, (_, i) => [Math.sin(i), Math.cos(3 * i), (i % 7) / 7]);
ROWS[4] = [0, 0, 0];

function opened(more = {}) {
  const found = openView({ rows: ROWS, columns: { group: ROWS.map((_, i) => 'ab'[i % 2]) }, ...more });
  found.page.table.measured.set(POINTED, Object.assign(pointedColumn({ spaces: [{ vectors: {} }], neighbors: null })));
  return found;
}

const cosine = (a, b) => {
  const dot = (x, y) => x.reduce((sum, v, j) => sum + v * y[j], 0);
  return 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};
const rows32 = ROWS.map((row) => row.map(Math.fround));

test('what is pointed at, pressed or selected last is what distances are from', () => {
  const { view } = opened();
  const pointed = (patch) => {
    view.set(patch);
    return view.get().pointed;
  };
  assert.equal(pointed({ hovered: 3 }), -1, 'while other colors are shown nothing is kept');
  assert.equal(pointed({ selected: [7] }), -1);
  assert.equal(pointed({ color_by: POINTED }), 7, 'the selected point, at first');
  assert.equal(pointed({ hovered: 9 }), 9);
  assert.equal(pointed({ hovered: -1 }), 9, 'it stays when the pointer leaves');
  assert.equal(pointed({ selected: [2] }), 2);
  assert.equal(pointed({ selected: [2, 3] }), 2, 'several are no one point');
  assert.equal(pointed({ selected: [] }), 2);
  assert.equal(pointed({ pointed: 11 }), 11);
  assert.equal(pointed({ color_by: 'group' }), -1);
  assert.throws(() => view.set({ pointed: N }), /is not a row/);
});

test('distances are those of the original space, of the metric that is chosen', () => {
  const { view } = opened();
  view.set({ color_by: POINTED, pointed: 5, metric: 'cosine' });
  const found = view.distances(5, 'cosine');
  rows32.forEach((row, i) => assert.ok(Math.abs(found[i] - (i === 4 ? 1 : cosine(rows32[5], row))) < 1e-6));
  const far = view.distances(5, 'euclidean');
  rows32.forEach((row, i) => assert.ok(Math.abs(far[i] - Math.hypot(...row.map((x, j) => x - rows32[5][j]))) < 1e-6));
  const { legend } = view.coloring();
  const others = [...found].filter((_, i) => i !== 5);
  assert.ok(Math.abs(legend.low - Math.min(...others)) < 1e-6 && legend.count === N - 1);
  view.set({ metric: 'euclidean' });
  assert.ok(Math.abs(view.coloring().legend.high - Math.max(...far)) < 1e-6);
  view.set({ color_as: 'log' });
  assert.deepEqual([view.coloring().legend.by, view.coloring().legend.high], ['rank', N - 1]);
});

test('isolated points are what the scale is of', () => {
  const { view } = opened();
  view.set({ color_by: POINTED, pointed: 5, isolated: [1, 2, 3, 5] });
  assert.equal(view.coloring().legend.count, 3);
});

test('a point without a direction, and a page where none is pointed at, say so', () => {
  const { view } = opened();
  view.set({ color_by: POINTED });
  assert.match(view.coloring().legend.told, /Point at a point/);
  view.set({ pointed: 4, metric: 'cosine' });
  assert.match(view.coloring().legend.told, /zero vector/);
  assert.equal(view.coloring().legend.count, 0);
  view.set({ metric: 'euclidean' });
  assert.equal(view.coloring().legend.told, undefined);
});

test('without vectors and lists of neighbors it is not offered', () => {
  assert.equal(pointedColumn({ spaces: [{ vectors: null }], neighbors: null }), null);
  assert.ok(pointedColumn({ spaces: [{ vectors: null }], neighbors: {} }));
  assert.ok(pointedColumn({ spaces: [{ vectors: null }, { vectors: {} }], neighbors: null }));
});
