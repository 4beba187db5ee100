import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bounds, createTabs, dimsOf, entryFor, frameAt, pick } from '#js/state/tabs.js';
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

test('pick takes components in the order asked for', () => {
  assert.deepEqual([...pick(Float32Array.of(1, 2, 3, 4, 5, 6), 3, [2, 0])], [3, 1, 6, 4]);
});

test('frameAt mixes the two recorded frames around a moment', () => {
  const frames = Float32Array.of(0, 0, 10, 20);
  assert.deepEqual([...frameAt(frames, 2, 0.5)], [5, 10]);
  assert.deepEqual([...frameAt(frames, 2, 9)], [10, 20]);
});

test('bounds covers all points or some', () => {
  const points = Float32Array.of(0, 5, -1, 7, 3, 6);
  assert.deepEqual(bounds(points, 2), { min: [-1, 5], max: [3, 7] });
  assert.deepEqual(bounds(points, 2, [0, 2]), { min: [0, 5], max: [3, 6] });
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
