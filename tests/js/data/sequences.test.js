import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followSequences, nextPoints, sequenceColor, sequenceColumn } from '#js/data/sequences.js';

const follow = (...next) => followSequences(Int32Array.from(next)).map((path) => [...path]);

test('the column __seq_next__ comes before __next__', () => {
  const table = {
    columns: new Map([
      ['__next__', 1],
      ['__seq_next__', 2],
    ]),
  };
  assert.equal(sequenceColumn(table), 2);
  assert.equal(sequenceColumn({ columns: new Map([['next', 1]]) }), null);
});

test('next points are row numbers of the source; what is none ends a sequence', () => {
  assert.deepEqual([...nextPoints(['1', '2.0', '', 'x', '4', '99', '-1', '1e0'])], [1, 2, -1, -1, -1, -1, -1, -1]);
  const numbers = [10, 11, 20];
  assert.deepEqual([...nextPoints(['11', '20', '12'], (i) => numbers[i])], [1, 2, -1]);
});

test('sequences begin where nothing leads to', () => {
  assert.deepEqual(follow(2, -1, 1, 4, -1, -1), [
    [0, 2, 1],
    [3, 4],
  ]);
});

test('a ring ends where it began', () => {
  assert.deepEqual(follow(1, 2, 0), [[0, 1, 2, 0]]);
});

test('a sequence that runs into another ends there', () => {
  assert.deepEqual(follow(2, 2, 3, -1), [
    [0, 2, 3],
    [1, 2],
  ]);
  assert.deepEqual(follow(1, 2, 1), [[0, 1, 2, 1]]);
});

test('a long sequence is followed', () => {
  const n = 200000;
  const paths = followSequences(Int32Array.from({ length: n }, (_, i) => (i + 1 < n ? i + 1 : -1)));
  assert.equal(paths.length, 1);
  assert.equal(paths[0].length, n);
});

test('colors go from hue 60 to 360', () => {
  assert.match(sequenceColor(0, 5, false), /^hsl\(60,/);
  assert.match(sequenceColor(4, 5, true), /^hsl\(360,/);
});
