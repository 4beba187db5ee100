import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openView } from './fixture.js';

const rows = [
  [0, 0, 0],
  [1, 0, 0],
  [0.3, 0, 0],
  [0, 1, 1],
];

test('a sphere selects what lies in it, in three dimensions only', () => {
  const { view } = openView({ rows, pca: Float32Array.from(rows.flat()) });
  view.set({ dims: 3 });
  view.set({ sphere: { row: 0, radius: 0.5 } });
  assert.deepEqual([...view.get().selected], [0, 2]);
  view.set({ dims: 2 });
  assert.equal(view.get().sphere, null);
  assert.throws(() => view.set({ sphere: { row: 0, radius: 0.5 } }), /sphere: is for three dimensions/);
  assert.equal(view.get().sphere, null);
});
