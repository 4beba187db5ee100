import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addPending, countComponents, createTabs, dimsOf, entryFor, ownTab, stepOf, tabFor } from '#js/state/tabs.js';
import { createStore } from '#js/state/store.js';

const entry = (key, kind, n_components, more = {}) => ({
  key,
  method: key.split('-')[0],
  title: key,
  kind,
  n_components,
  params: {},
  ...more,
});
const manifest = (...projections) => ({ projections, n_points: 20, spaces: [{ vectors: {} }] });
const opened = (...projections) => {
  const tabs = createTabs(manifest(...projections));
  addPending(tabs, manifest());
  return tabs;
};
const shown = (tabs) => [...tabs.values()].map(({ key, title, role }) => [key, title, role]);
const PCA = entry('pca', 'linear', 10);

test('what is linear is shown in both dimensions, a map in those it was made for', () => {
  const tabs = createTabs(manifest(PCA, entry('tsne', 'map', 2), entry('own', 'linear', 3), entry('other', 'map', 3)));
  assert.deepEqual(
    ['pca', 'tsne', 'own', 'other'].map((name) => dimsOf(tabs.get(name))),
    [[2, 3], [2], [2, 3], [3]],
  );
  assert.equal(entryFor(tabs.get('tsne'), 3), undefined);
});

test('what the page computes itself has its place in the tab of the file, or one of its own', () => {
  assert.deepEqual(shown(opened(PCA)), [
    ['pca', 'pca', 'components'],
    ['tsne', 't-SNE', 'run'],
    ['umap', 'UMAP', 'run'],
    ['custom', 'Axes', 'axes'],
  ]);
  const one = opened(PCA, entry('tsne', 'map', 2));
  assert.deepEqual(dimsOf(one.get('tsne')), [2, 3]);
  assert.deepEqual(dimsOf(one.get('tsne'), false), [2]);
});

test('two tabs of one method stay as the file has them, beside one to run it in', () => {
  const two = opened(PCA, entry('tsne', 'map', 2), entry('tsne-2', 'map', 2));
  assert.deepEqual(shown(two).slice(1, 4), [
    ['tsne', 'tsne', ''],
    ['tsne-2', 'tsne-2', ''],
    ['tsne-here', 't-SNE, here', 'run'],
  ]);
  assert.deepEqual(dimsOf(two.get('tsne-2')), [2]);
  assert.equal(tabFor(two, 'tsne').key, 'tsne-here', 'the method is run there');
  assert.equal(tabFor(two, 'tsne-2').key, 'tsne-2');
  assert.equal(tabFor(two, 'phate'), undefined);
});

test('of several tabs of PCA the first is the one that is computed anew', () => {
  const tabs = createTabs(manifest(entry('tsne', 'map', 2), PCA, entry('pca-2', 'linear', 5)));
  assert.equal(ownTab(tabs, 'components').key, 'pca');
  assert.equal(tabs.get('pca-2').role, 'components');
  assert.equal(countComponents(tabs), 10);
});

test('without vectors the page computes nothing', () => {
  const tabs = createTabs(manifest(PCA));
  addPending(tabs, { ...manifest(), spaces: [{ vectors: null }] });
  assert.deepEqual([...tabs.keys()], ['pca']);
});

test('a recorded step has its own figures, and the end is none', () => {
  const frames = { unit: 'iteration', steps: ['0', '10', '20'], figures: { kl_divergence: [3, null, 1] } };
  const at = (frame) => stepOf({ frames }, { frame, step: 0 });
  assert.deepEqual(at(0), { index: 0, name: '0', figures: { kl_divergence: 3 } });
  assert.deepEqual(at(0.6), { index: 1, name: '10', figures: { kl_divergence: null } });
  assert.deepEqual(at(1.9), { index: 1, name: '10', figures: { kl_divergence: null } }, 'not the end before it');
  assert.equal(at(2), null);
  assert.equal(at(null), null);
  assert.equal(stepOf({}, { frame: 1, step: 0 }), null);
});

test('the figures of a state of the points are those of the nearest step', () => {
  const frames = { unit: 'step', steps: ['100', '200', '300'], figures: { motion: [null, 0.5, 0.75] } };
  const at = (step) => stepOf({ frames, isOfSteps: true }, { frame: null, step });
  assert.deepEqual(at(0.4), { index: 0, name: '100', figures: { motion: null } });
  assert.deepEqual(at(1.4), { index: 1, name: '200', figures: { motion: 0.5 } });
  assert.equal(at(1.6), null, 'the last one is the end');
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
