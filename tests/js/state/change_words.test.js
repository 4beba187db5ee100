import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changeFacts, compareWords, onlySentences } from '#js/state/change_words.js';

const CHANGES = /** @type {any} */ ({
  n_compared: 1200,
  n_matched: 5000,
  matched_by: 'label',
  names: ['old', 'new'],
  figures: {
    overlap10: 0.4812,
    overlap10_calibrated: 0.4801,
    overlap50: null,
    overlap50_calibrated: null,
    rank_median: 14,
    rank_q1: 5,
    rank_q3: 1063.5,
    rank_back_median: null,
  },
});

test('figures are words with numbers, without those that could not be had', () => {
  const { headline, figures } = changeFacts(CHANGES);
  assert.equal(headline, 'Of each point’s 10 nearest, 4.8 stayed.');
  assert.deepEqual(
    figures.map(([name, value]) => [name, value]),
    [
      ['10 nearest in common', '48.1 %'],
      ['… calibrated', '48 %'],
      ['Median rank in B', '14 (5 to 1,063.5)'],
      ['Points compared', '1,200 of 5,000'],
    ],
  );
});

test('points that only one side has are counted, and the first are named', () => {
  const told = (a, b) => onlySentences({ ...CHANGES, only_names: { a, b } });
  assert.deepEqual(told([], []), []);
  assert.deepEqual(told(['x'], ['p', 'q']), [
    'Only A (old) has 1 point, left out: x.',
    'Only B (new) has 2 points, left out: p, q.',
  ]);
  const many = Array.from({ length: 1203 }, (_, i) => `w${i}`);
  assert.deepEqual(told(many, []), ['Only A (old) has 1,203 points, left out: w0, w1, w2, w3, w4 and 1,198 more.']);
});

test('only a page of two states says how they are read, with their names and who is left out', () => {
  const changes = { ...CHANGES, only_names: { a: ['x'], b: [] } };
  const words = (kind) => compareWords(/** @type {any} */ ({ changes, steps: { kind, names: ['old', 'new'] } }));
  assert.deepEqual(words('run'), []);
  assert.deepEqual(compareWords(/** @type {any} */ ({ changes: null, steps: null })), []);
  const told = words('comparison');
  assert.match(told[0], /^A is old, B is new\./);
  assert.equal(told.at(-1), 'Only A (old) has 1 point, left out: x.');
});
