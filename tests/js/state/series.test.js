import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seriesOf } from '#js/state/series.js';
import { openView } from './fixture.js';

const N = 12;
const ROWS = Array.from({ length: N }, (_, i) => [Math.cos(i), Math.sin(i), i % 3]);
const data = Float32Array.from({ length: 2 * N }, (_, i) => i);

const map = (key, title, stats, more = {}) => ({
  key,
  method: 'tsne',
  title,
  kind: 'map',
  n_components: 2,
  axes: [],
  params: {},
  stats,
  data,
  ...more,
});
const quality = (kept, trust) => ({ 2: { neighbors_kept: kept, trustworthiness: trust } });
const FIVE = map('tsne', 't-SNE, perplexity 5', { kl_divergence: 0.51234, quality: quality(0.694, 0.9876) });
const NINE = map('tsne-2', 't-SNE, perplexity 9', { kl_divergence: 0.25, quality: quality(0.7, 0.9) });

function opened(more, state = {}) {
  const { page, view } = openView({ rows: ROWS, more });
  view.set({ projection: 'tsne', dims: 2, ...state });
  return { page, view, found: () => seriesOf(page, view.get()) };
}

test('the tabs of one method stand side by side with what was measured of them', () => {
  const { view, found } = opened([FIVE, NINE]);
  const { method, name, columns, rows } = found();
  assert.deepEqual(
    [method, name, columns.map((column) => column.name)],
    ['t-SNE', 'perplexity', ['Kept', 'Trust', 'KL']],
  );
  assert.deepEqual(
    rows.map(({ key, label, isShown, figures }) => [key, label, isShown, ...figures]),
    [
      ['tsne', '5', true, '69 %', '0.988', '0.51'],
      ['tsne-2', '9', false, '70 %', '0.900', '0.25'],
    ],
  );
  view.set({ projection: 'tsne-2' });
  assert.deepEqual(
    found().rows.map(({ isShown }) => isShown),
    [false, true],
  );
});

test('there is nothing beside one tab, beside another method, or beside what is run here', () => {
  const { view, found } = opened([FIVE]);
  assert.equal(found(), null);
  const both = opened([FIVE, NINE]);
  both.view.set({ projection: 'pca' });
  assert.equal(both.found(), null);
  view.set({ projection: 'pca' });
  assert.equal(found(), null);
});

test('what is run here is no row, and its tab shows those of the file', () => {
  const { view, found } = opened([FIVE, NINE]);
  view.set({ projection: 'tsne-here' });
  assert.deepEqual(
    found().rows.map(({ key, isShown }) => [key, isShown]),
    [
      ['tsne', false],
      ['tsne-2', false],
    ],
  );
});

test('what was not measured is a dash, and titles without a common word stand whole', () => {
  const other = map('tsne-2', 't-SNE, seed 1, number 2', {});
  const { name, columns, rows } = opened([FIVE, other]).found();
  assert.equal(name, '');
  assert.equal(columns.length, 3);
  assert.deepEqual([rows[1].label, ...rows[1].figures], ['seed 1, number 2', '–', '–', '–']);
  const none = opened([map('tsne', 'a', {}), map('tsne-2', 'b', {})]).found();
  assert.deepEqual([none.columns, none.rows.map(({ label }) => label)], [[], ['a', 'b']]);
});

test('over isolated points the figures are said to be of all', () => {
  const { view, found } = opened([FIVE, NINE]);
  assert.equal(found().remark, '');
  view.set({ isolated: [0, 1, 2] });
  assert.equal(found().remark, 'Of all 12 points');
});
