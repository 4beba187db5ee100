import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axisDirection, centroid, norms, times } from '#js/numbers/linalg.js';
import { axisTitle, customView, plainQuery, resolveAxis } from '#js/numbers/axes.js';
import { QueryError } from '#js/data/query.js';

const vectors = { data: Float32Array.of(0, 0, 4, 0, 0, 2, 4, 2, 2, 11), n: 5, d: 2, scales: null, scale: 1 };

test('centroid, norms and times agree with arithmetic by hand', () => {
  assert.deepEqual([...centroid(vectors, [1, 2])], [2, 1]);
  assert.deepEqual([...norms(vectors)].slice(0, 3), [0, 4, 2]);
  assert.deepEqual([...times(vectors, [1, 2])], [0, 4, 4, 8, 24]);
  assert.deepEqual([...times({ ...vectors, scale: 3 }, [1, 2])].slice(0, 2), [0, 12]);
});

test('an axis runs from one centroid to the other at length 1', () => {
  assert.deepEqual([...axisDirection(vectors, [0], [1])], [1, 0]);
  assert.equal(axisDirection(vectors, [0], [0]), null);
});

const page = () => ({
  table: {
    n_points: 5,
    labelColumn: 'w',
    rowNumber: (i) => i,
    columns: new Map([['w', { values: ['a', 'b', 'c', 'd', 'e'] }]]),
  },
  vectors,
  carried: [{ from: '=x', to: '=y', direction: Float32Array.of(0, 1), n_from: 1, n_to: 2 }],
});

test('a custom view puts each point at v · direction, and fills an empty axis', () => {
  const found = customView(
    page(),
    [
      { from: '=a', to: '=b' },
      { from: '', to: '' },
    ],
    'w',
  );
  assert.deepEqual(
    [...found.coordinates].filter((_, i) => i % 2 === 0),
    [0, 4, 0, 4, 2],
  );
  assert.deepEqual(found.counts, [{ from: 1, to: 1 }, null]);
  assert.deepEqual(found.axes[0], { title: 'a → b', low: 'a', high: 'b' });
});

test('directions of the whole table are used for the queries that came with the page', () => {
  assert.equal(resolveAxis(page(), { from: '=x', to: '=y' }, 'w').carried, true);
  assert.throws(() => resolveAxis(page(), { from: '=x', to: '=a' }, 'w'), QueryError);
});

test('an axis title leaves out the signs of the query language', () => {
  assert.equal(plainQuery('/^bad$/'), 'bad');
  assert.equal(axisTitle({ from: '=worst', to: 'best' }).title, 'worst → best');
});
