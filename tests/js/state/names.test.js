import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawnPartitions } from '#js/state/names.js';
import { openView } from './fixture.js';

const N = 60;
const WORDS = Array.from({ length: N }, (_, i) => `${['tea', 'coffee', 'rain'][i % 3]} ${i < 30 ? 'cup' : 'pot'}`);
const CLUSTERS = Array.from({ length: N }, (_, i) => ['drinks', 'drinks', 'weather'][i % 3]);

function open(fields = {}) {
  const opened = openView({
    rows: Array.from({ length: N }, (_, i) => [i % 3, i]),
    columns: { word: WORDS, clusters: CLUSTERS },
    pca: Float32Array.from({ length: N * 3 }, (_, i) => i),
  });
  opened.page.manifest.partitions = [
    {
      ...{ column: 'clusters', kind: 'clusters', drawn: true, of: 'pca', dims: 2 },
      ...{ names: ['drinks', 'weather'], sizes: [40, 20], inside: [0.834, null], toward: [[[1, 0.1]], []] },
      ...fields,
    },
  ];
  return opened;
}

const texts = (view) => view.namesOf().map(({ text }) => text);

test('groups have their own names, sizes and figures while all points are shown', () => {
  const { view } = open();
  const [drinks, weather] = view.namesOf();
  assert.deepEqual([drinks.text, drinks.size], ['drinks', 40]);
  assert.equal(drinks.title, '40 points, 83 % of their neighbors are in it, 10 % in weather');
  assert.equal(weather.title, '20 points');
  assert.deepEqual(
    [...view.rowsOfGroup(weather)],
    [...Array(N).keys()].filter((i) => i % 3 === 2),
  );
});

test('clusters are named again by the labels of what is shown', () => {
  const { view } = open();
  view.set({ isolated: Array.from({ length: N }, (_, i) => i).filter((i) => i % 3 > 0) });
  assert.deepEqual(texts(view), ['coffee cup', 'rain cup']);
  const [coffee] = view.namesOf();
  assert.equal(coffee.value, 'drinks');
  assert.match(coffee.title, /^20 shown of 40 points, of which 83 % .* “drinks”$/);
  assert.deepEqual(
    [...view.rowsOfGroup(coffee)],
    [...Array(N).keys()].filter((i) => i % 3 === 1),
  );
  view.set({ isolated: null });
  assert.deepEqual(texts(view), ['drinks', 'weather']);
});

test('classes keep the names that their column gives them', () => {
  const { view } = open({ kind: 'classes', of: null, dims: null });
  view.set({ isolated: [0, 1, 2] });
  assert.deepEqual(texts(view), ['drinks', 'weather']);
});

test('what the legend hides is not named, and the same list stands while nothing changes', () => {
  const { view } = open();
  assert.equal(view.namesOf(), view.namesOf());
  view.set({ color_by: 'clusters', hidden: [0] });
  assert.equal(view.namesOf().length, 1);
});

test('nothing is named where names are off or the page has no groups', () => {
  const { view } = open();
  view.set({ names: false });
  assert.equal(view.namesOf(), null);
  assert.throws(() => view.set({ names: 'yes' }), /names: "yes" is not one of/);
  assert.equal(open({ drawn: false }).view.namesOf(), null);
  assert.equal(openView({ rows: [[1], [2]] }).view.namesOf(), null);
});

test('a map has the names that were found in it, others those of the first', () => {
  const level = (of, dims, n) => ({ column: `${of} ${dims} ${n}`, drawn: true, of, dims, names: Array(n).fill('x') });
  const partitions = [level('tsne', 2, 30), level('tsne', 2, 5), level('tsne', 3, 7), level('umap', 2, 4)];
  const columns = (projection, dims) =>
    drawnPartitions(/** @type {any} */ ({ manifest: { partitions } }), /** @type {any} */ ({ projection, dims })).map(
      ({ column }) => column,
    );
  assert.deepEqual(columns('tsne', 2), ['tsne 2 5', 'tsne 2 30']);
  assert.deepEqual(columns('tsne', 3), ['tsne 3 7']);
  assert.deepEqual(columns('umap', 2), ['umap 2 4']);
  assert.deepEqual(columns('pca', 2), ['tsne 2 5', 'tsne 2 30']);
});
