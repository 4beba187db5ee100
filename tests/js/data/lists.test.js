import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listedNeighbors, listsSaid, openLists, recallSaid } from '#js/data/lists.js';

const NAMES = ['10', '20', '30'];
const NOTE = 'Vectors were left out; --max-size 40 puts them in';

/** Two neighbors of three points at three steps, rank by rank; the last point comes with the second step. */
const BLOCKS = {
  near: Int32Array.of(...[1, 0, -1], ...[1, 0, 1], ...[2, 2, 0], ...[-1, -1, -1], ...[2, 2, 0], ...[1, 0, 1]),
  far: Float32Array.of(...[0.5, 0.5, 0], ...[1, 2, 3], ...[7, 8, 9], ...[0, 0, 0], ...[4, 5, 6], ...[7, 8, 9.5]),
};
const manifest = (more) => ({
  n_points: 3,
  neighbors: { k: 2, metric: 'cosine', recall: 1, scale: 1, indices: 'near', distances: 'far', ...more },
});
const open = (more = {}) => openLists(/** @type {any} */ (manifest(more)), async (name) => BLOCKS[name]);

/** @returns {Promise<any>} */
async function opened(more = {}) {
  return { steps: { names: NAMES }, space: { vectors_note: NOTE }, changes: null, lists: await open(more) };
}

test('listed neighbors are those of the step, without those that are not there', async () => {
  const page = await opened();
  const of = (step, row, k = 2) => listedNeighbors(page, /** @type {any} */ ({ step }), row, k, 'cosine');
  assert.deepEqual(of(0, 0), { indices: Int32Array.of(1), distances: Float64Array.of(0.5) });
  assert.deepEqual(of(1, 0), { indices: Int32Array.of(1, 2), distances: Float64Array.of(1, 4) });
  assert.deepEqual(of(1, 2), { indices: Int32Array.of(1, 0), distances: Float64Array.of(3, 6) });
  assert.deepEqual(of(1.6, 2, 1), { indices: Int32Array.of(0), distances: Float64Array.of(9) });
});

test('distances are in the unit of the vectors', async () => {
  const { lists } = await opened({ scale: 2 ** 400 });
  assert.equal(lists.distances[2][5], 9.5 * 2 ** 400);
});

test('a point without neighbors says why', async () => {
  const page = await opened();
  const of = () => listedNeighbors(page, /** @type {any} */ ({ step: 0 }), 2, 1, 'cosine');
  assert.throws(of, /A zero vector has no direction/);
  page.changes = { places: Int32Array.of(0, 1, -1) };
  assert.throws(of, /not looked for/);
});

test('more neighbors, and another metric, are refused with the way to have them', async () => {
  const page = await opened();
  const ask = (k, metric) => () => listedNeighbors(page, /** @type {any} */ ({ step: 1 }), 0, k, metric);
  const told = `Only the 2 nearest of each point by cosine are in this page. ${NOTE}`;
  assert.throws(ask(3, 'cosine'), new RangeError(told));
  assert.throws(ask(1, 'euclidean'), new RangeError(told));
  assert.throws(() => listedNeighbors({ ...page, lists: null }, /** @type {any} */ ({ step: 1 }), 0, 1, 'cosine'), {
    message: NOTE,
  });
});

test('a page whose vectors travel has no lists', async () => {
  assert.equal(await openLists(/** @type {any} */ ({ neighbors: null, n_points: 3 }), async () => null), null);
});

test('what is said of lists is in words', () => {
  const lists = /** @type {any} */ ({ k: 10, metric: 'euclidean', recall: 0.9876 });
  assert.equal(listsSaid(lists), 'Only the 10 nearest of each point by euclidean are in this page');
  assert.equal(listsSaid({ ...lists, k: 1 }), 'Only the nearest neighbor of each point by euclidean is in this page');
  assert.match(recallSaid(lists), /98\.7 %/);
  assert.equal(recallSaid({ ...lists, recall: 1 }), '');
});
