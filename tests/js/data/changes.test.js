import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changeColumns, histogram, knownRanks, openChanges, ranking, rowsBetween } from '#js/data/changes.js';

/** Three of five points were compared: 4, 10 and 4 of their nearest are the same. */
const BLOCKS = {
  only: { a: ['x'], b: [] },
  rows: Int32Array.of(0, 2, 4),
  overlap10: Float32Array.of(0.4, 1, 0.4),
  displacement: Float32Array.of(7, 0, 9.5),
  ranks_in_b: Int32Array.from({ length: 30 }, (_, i) => i + 1),
  ranks_in_a: Int32Array.from({ length: 30 }, (_, i) => 100 + i),
  left: Uint8Array.from({ length: 30 }, (_, i) => Number((i < 10 && i >= 4) || i >= 24)),
  came: Uint8Array.from({ length: 30 }, (_, i) => Number(i < 6 || i >= 24)),
};
const CHANGES = Object.fromEntries(
  Object.keys(BLOCKS)
    .filter((name) => name !== 'only')
    .map((name) => [name, name]),
);
const MANIFEST = {
  n_points: 5,
  comparison: { names: ['a', 'b'], only: 'only', changes: { ...CHANGES, overlap50: null }, groups: [], figures: {} },
};
const open = () => openChanges(/** @type {any} */ (MANIFEST), async (name) => BLOCKS[name]);

test('a page of one state has no changes', async () => {
  assert.equal(await openChanges(/** @type {any} */ ({ n_points: 5, comparison: null }), null), null);
});

test('a point that was not compared has no place', async () => {
  const changes = await open();
  assert.deepEqual([...changes.places], [0, -1, 1, -1, 2]);
  assert.equal(changes.overlap50, null);
  assert.deepEqual(changes.only_names, { a: ['x'], b: [] });
});

test('every measure is a column of numbers, missing where a point was not compared', async () => {
  const columns = changeColumns(await open(), 5);
  const found = Object.fromEntries([...columns].map(([name, column]) => [name, column.values]));
  assert.deepEqual(found, {
    '10 nearest in common': ['0.4', '', '1', '', '0.4'],
    'rank displacement': ['7', '', '0', '', '9.5'],
    'neighbors that came': ['6', '', '0', '', '6'],
    'neighbors that left': ['6', '', '0', '', '6'],
  });
  for (const column of columns.values()) {
    assert.equal(column.kind, 'number');
    assert.ok(column.measured);
    assert.ok(Number.isNaN(column.numbers()[1]));
  }
});

test('bars count the points that are shown, by how many of their 10 nearest are in common', async () => {
  const changes = await open();
  assert.deepEqual([...histogram(changes, null)], [0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1]);
  assert.deepEqual([...histogram(changes, Uint8Array.of(1, 1, 1, 1, 0))], [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
});

test('a range takes both of its ends', async () => {
  const changes = await open();
  assert.deepEqual([...rowsBetween(changes, null, 4, 4)], [0, 4]);
  assert.deepEqual([...rowsBetween(changes, null, 5, 9)], []);
  assert.deepEqual([...rowsBetween(changes, null, 0, 10)], [0, 2, 4]);
  assert.deepEqual([...rowsBetween(changes, Uint8Array.of(0, 1, 1, 1, 1), 0, 10)], [2, 4]);
});

test('the most changed have the fewest in common, and of those the farthest moved come first', async () => {
  const changes = await open();
  assert.deepEqual(ranking(changes, null, 2), [
    { row: 4, common: 4, displacement: 9.5 },
    { row: 0, common: 4, displacement: 7 },
  ]);
  assert.deepEqual(
    ranking(changes, null, 9, true).map(({ row }) => row),
    [2, 0, 4],
  );
  assert.deepEqual(
    ranking(changes, Uint8Array.of(1, 0, 0, 0, 0), 9).map(({ row }) => row),
    [0],
  );
});

test('ranks are those of the point and the side', async () => {
  const changes = await open();
  assert.deepEqual([...knownRanks(changes, 2, 0)], [11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  assert.equal(knownRanks(changes, 4, 1)[0], 120);
  assert.equal(knownRanks(changes, 1, 0), null);
});
