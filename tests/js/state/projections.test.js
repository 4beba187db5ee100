import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTabs, dimsOf, entryFor } from '#js/state/tabs.js';
import { createStore } from '#js/state/store.js';

const tabs = createTabs({
  projections: [
    { name: 'pca', title: 'PCA', n_components: 10 },
    { name: 'tsne', title: 't-SNE', n_components: 2 },
    { name: 'custom', title: 'Axes', n_components: 3 },
  ],
});

test('PCA and axes are shown in both dimensions, t-SNE in those it was made for', () => {
  assert.deepEqual(
    ['pca', 'tsne', 'custom'].map((name) => dimsOf(tabs.get(name))),
    [[2, 3], [2], [2, 3]],
  );
  assert.equal(entryFor(tabs.get('tsne'), 3), undefined);
});

test('a store tells its listeners of changes only, and its state is frozen', () => {
  const store = createStore({ a: 1 });
  const seen = [];
  const stop = store.subscribe((state, before) => seen.push([before.a, state.a]));
  store.set({ a: 1 });
  store.set({ a: 2 });
  stop();
  store.set({ a: 3 });
  assert.deepEqual(seen, [[1, 2]]);
  assert.throws(() => {
    store.get().a = 9;
  }, TypeError);
});
