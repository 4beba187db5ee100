import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStore } from '#js/state/store.js';
import { createTable } from '#js/data/table.js';
import { createTabs } from '#js/state/tabs.js';
import { createView, initialState } from '#js/state/view.js';

function openView() {
  const entry = {
    key: 'pca',
    method: 'pca',
    title: 'PCA',
    kind: 'linear',
    n_components: 3,
    axes: ['PC1', 'PC2', 'PC3'],
    params: { normalize: 'none' },
    stats: {},
    data: Float32Array.of(0, 0, 0, 1, 0, 0, 0.3, 0, 0, 0, 1, 1),
  };
  const manifest = {
    n_points: 4,
    total_points: 4,
    columns: [],
    label_by: null,
    projections: [entry],
    first: 'pca',
    dims: 3,
    selected: [],
    isolated: [],
    metric: 'cosine',
    spaces: [{ n_dims: 3, vectors: null, vectors_note: 'left out' }],
    blocks: {},
  };
  const page = {
    manifest,
    space: manifest.spaces[0],
    table: createTable(manifest, 3),
    tabs: createTabs(manifest),
    vectors: null,
    carried: [],
  };
  return createView(page, createStore(initialState(page)));
}

test('a sphere selects what lies in it, in three dimensions only', () => {
  const view = openView();
  view.set({ sphere: { row: 0, radius: 0.5 } });
  assert.deepEqual([...view.get().selected], [0, 2]);
  view.set({ dims: 2 });
  assert.equal(view.get().sphere, null);
  assert.throws(() => view.set({ sphere: { row: 0, radius: 0.5 } }), /sphere: is for three dimensions/);
  assert.equal(view.get().sphere, null);
});
