import assert from 'node:assert/strict';
import { test } from 'node:test';
import { combined, modeOf } from '#js/state/select.js';

test('Shift adds, Alt removes, both intersect', () => {
  assert.equal(modeOf({ shiftKey: false, altKey: false }), 'replace');
  assert.equal(modeOf({ shiftKey: true, altKey: false }), 'add');
  assert.equal(modeOf({ shiftKey: false, altKey: true }), 'remove');
  assert.equal(modeOf({ shiftKey: true, altKey: true }), 'intersect');
});

test('rows are put in, taken out or kept alone, each once', () => {
  const before = Int32Array.of(4, 1, 2);
  assert.deepEqual([...combined(before, [2, 3, 3], 'add')], [4, 1, 2, 3]);
  assert.deepEqual([...combined(before, [2, 3], 'remove')], [4, 1]);
  assert.deepEqual([...combined(before, [2, 3, 4], 'intersect')], [4, 2]);
  assert.deepEqual([...combined(before, [3, 3], 'replace')], [3]);
});
