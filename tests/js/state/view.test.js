import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openView } from './fixture.js';

const { cases } = JSON.parse(readFileSync(new URL('../../data/components.json', import.meta.url), 'utf8'));
const { rows, directions } = cases.find(({ name }) => name === 'close');
const WORDS = rows.map((_, i) => `w${i}`);
const GROUPS = rows.map((_, i) => 'abcde'[i % 5]);
const opened = (more = {}) => openView({ rows, columns: { word: WORDS, group: GROUPS }, ...more });

for (const [patch, message] of [
  [{ projection: 'none' }, /projection: "none" is not one of 'pca', 'tsne', 'umap', 'custom'/],
  [{ dims: 4 }, /dims: 4 is not one of/],
  [{ color_by: '__proto__' }, /color_by/],
  [{ constructor: 1 }, /constructor: 1 is not known/],
  [{ components_here: [] }, /components_here: \[\] is not known/],
  [{ selected: [40] }, /selected/],
  [{ k: 0 }, /k: 0 is not in 1 \.\. 39/],
  [{ run: { id: 7 } }, /neither null nor the run of this page/],
  [{ dims: 3, sphere: { row: 40, radius: 0.1 } }, /sphere/],
  [{ dims: 3, sphere: { row: 1, radius: 0 } }, /sphere/],
  [{ dims: 3, sphere: { row: 1 } }, /sphere/],
  [{ tags: [{ column: '', value: 'x', rows: [1] }] }, /names no column/],
  [{ tags: [{ column: 'a', value: 'x', rows: [40] }] }, /rows that are not in this page/],
  [{ tags: [{ column: 'a', value: 'x\n', rows: [1] }] }, /line breaks/],
  [{ tags: 'x' }, /is not a list/],
  [{ tags: [{ column: 'a', value: 'x', rows: [1] }], dims: 7 }, /dims: 7/],
])
  test(`a change to ${JSON.stringify(patch)} is refused and changes nothing`, () => {
    const { view } = opened();
    const before = view.get();
    assert.throws(() => view.set(patch), message);
    assert.equal(view.get(), before);
    assert.deepEqual([...view.table().columns.keys()], ['word', 'group']);
  });

test('a change is told with all that follows from it', () => {
  const { view } = opened();
  view.set({ query: 'group:=b' });
  assert.deepEqual([...view.get().selected], [1, 6, 11, 16, 21, 26, 31, 36]);
  view.set({ color_by: 'group', hidden: [1] });
  view.set({ color_by: 'word' });
  assert.deepEqual(view.get().hidden, [], 'what was hidden was of the other column');
});

for (const [mode, want] of Object.entries({
  replace: [3, 4],
  add: [1, 2, 3, 4],
  remove: [1, 2],
  intersect: [3],
}))
  test(`select with ${mode} makes 1, 2, 3 and 3, 4 to ${want}`, () => {
    const { view } = opened();
    view.select([1, 2, 3]);
    view.select([3, 4], mode);
    assert.deepEqual([...view.get().selected], want);
  });

test('select refuses what it does not know', () => {
  const { view } = opened();
  assert.throws(() => view.select([1], 'xor'), /mode: 'xor' is not one of replace, add, remove, intersect/);
  assert.throws(() => view.select([40], 'add'), /selected/);
  assert.deepEqual([...view.get().selected], []);
});

test('taking back a new column leaves what was colored by it', () => {
  const { view } = opened();
  const tags = [{ column: 'mine', value: 'x', rows: [1] }];
  view.set({ tags, color_by: 'mine', label_by: 'mine', column: 'mine' });
  assert.equal(view.label(1), 'x');
  assert.deepEqual([...view.search('mine:x', 'word').rows], [1]);
  view.set({ tags: [] });
  const { color_by, label_by, column } = view.get();
  assert.deepEqual([color_by, label_by, column], [null, null, 'word']);
  assert.ok(!view.table().columns.has('mine'));
});

test('PCA of isolated points is there once they are, and reading it computes nothing', () => {
  const { view, store } = openView({ rows: [...rows, ...rows.map((row) => row.map((x) => 50 - 9 * x))] });
  const given = view.entry();
  const isolated = rows.map((_, i) => i);
  assert.equal(view.entry({ ...store.get(), isolated: Int32Array.from(isolated) }), given);
  view.set({ isolated });
  const { data, n_components, note } = view.entry();
  assert.match(note, /PCA of the 40 isolated points alone/);
  assert.equal(view.entry(), view.entry());
  const mean = rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length);
  for (let c = 0; c < 3; c++) {
    const along = rows.map((row) => row.reduce((sum, x, j) => sum + (x - mean[j]) * directions[c][j], 0));
    const sign = Math.sign(along[0] * data[c]);
    along.forEach((want, i) => assert.ok(Math.abs(sign * data[i * n_components + c] - want) < 1e-5));
  }
  view.set({ isolated: null });
  assert.equal(view.entry(), given);
});

test('one isolated point, or vectors that do not travel, keep the picture of all and say so', () => {
  const { view } = opened();
  const { data } = view.entry();
  view.set({ isolated: [5] });
  assert.equal(view.entry().data, data);
  assert.match(view.scene().note, /One point alone/);
  const without = opened({ travels: false }).view;
  without.set({ isolated: [1, 2, 3] });
  assert.match(without.scene().note, /The vectors are not in this page/);
  assert.throws(() => without.set({ spherize: true }), /vectors are not in this page/);
  assert.throws(() => without.neighbors(0, 3, 'cosine'), /--vectors none/);
});

test('a long PCA is left to a worker, given up when it is not asked for, and begun again', async () => {
  const workers = [];
  const startWorker = () => {
    const worker = { ended: false, terminate: () => (worker.ended = true), postMessage() {} };
    workers.push(worker);
    return worker;
  };
  const big = { data: new Int8Array(17000 * 640).fill(1), n: 17000, d: 640 };
  const { view, store } = openView({ rows: big, components: 2, startWorker });
  view.set({ spherize: true });
  assert.match(view.entry().note, /which takes about \d+ seconds/);
  view.set({ spherize: false });
  assert.ok(workers[0].ended);
  view.set({ spherize: true });
  assert.equal(workers.length, 2);
  let isSettled = false;
  const settled = view.computed.settled().then(() => (isSettled = true));
  let told = 0;
  store.subscribe(() => told++);
  await Promise.resolve();
  assert.ok(!isSettled);
  workers[1].onerror({ message: 'no memory' });
  await settled;
  assert.equal(told, 1);
  assert.equal(view.entry().failed, 'no memory');
});
