import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openView } from './fixture.js';

const ROWS = [
  [0, 0, 5],
  [2, 0, 1],
  [0, 3, 2],
  [1, 1, 9],
];
const NAMES = ['nil', 'east', 'north', 'both'];
const EAST = { from: '=nil', to: '=east' };
const NORTH = { from: '=nil', to: '=north' };
const EMPTY = { from: '', to: '' };

const opened = () => {
  const found = openView({ rows: ROWS, columns: { word: NAMES, other: ['a', 'b', 'c', 'd'] } });
  found.view.arrive();
  found.view.set({ projection: 'custom', dims: 2, axes: [EAST, NORTH] });
  return found;
};
const along = (row, [x, y, z]) => (row[0] * x + row[1] * y + row[2] * z) / Math.hypot(x, y, z);
const near = (found, want) => want.forEach((x, i) => assert.ok(Math.abs(found[i] - x) < 1e-5, `${found[i]} ≠ ${x}`));
const eastings = ROWS.map((row) => along(row, [2, 0, -4]));
const northings = ROWS.map((row) => along(row, [0, 3, -3]));
const column = ({ coordinates }, at) => ROWS.map((_, i) => coordinates[2 * i + at]);

for (const [axis, why] of [
  [{ from: '=north', to: '' }, /^The horizontal axis is incomplete: say where the axis ends\. .* drawn as before\.$/],
  [{ from: '', to: '=both' }, /^The horizontal axis is incomplete: say where the axis begins\./],
  [{ from: '=nil', to: 'zebra' }, /^The horizontal axis cannot be drawn: 'zebra' matches no point/],
  [{ from: '=nil', to: '/(/' }, /^The horizontal axis cannot be drawn: .*no regular expression/],
  [{ from: '=nil', to: 'nil' }, /^The horizontal axis cannot be drawn: .*same centroid/],
])
  test(`an axis of ${JSON.stringify(axis)} is left as it was, and the other one is drawn`, () => {
    const { view } = opened();
    view.set({ axes: [EAST, { from: '=north', to: '=nil' }] });
    view.set({ axes: [axis, NORTH] });
    const scene = view.scene();
    assert.match(scene.error, why);
    near(column(scene, 0), eastings);
    near(column(scene, 1), northings);
    assert.deepEqual(
      view.facts().params.axes.map(({ from, to }) => ({ from, to })),
      [EAST, NORTH],
      'the facts are of what is drawn',
    );
    view.set({ axes: [NORTH, NORTH] });
    assert.equal(view.scene().error, undefined);
    near(column(view.scene(), 0), northings);
  });

test('an incomplete third axis is no matter in two dimensions', () => {
  const { view } = opened();
  view.set({ axes: [EAST, NORTH, { from: 'x', to: '' }] });
  assert.equal(view.scene().error, undefined);
  view.set({ dims: 3 });
  assert.match(view.scene().error, /^The depth axis is incomplete: .* drawn as if empty\.$/);
});

test('axes that another column does not know stay those of the column before', () => {
  const { view } = opened();
  view.set({ column: 'other' });
  assert.match(view.scene().error, /'=nil' matches no point/);
  near(column(view.scene(), 0), eastings);
  view.set({ axes: [{ from: '=a', to: '=b' }, EMPTY] });
  assert.equal(view.scene().error, undefined);
  near(column(view.scene(), 0), eastings);
});

test('an axis by a tag that is taken back is drawn as if empty', () => {
  const { view } = opened();
  view.set({ tags: [{ column: 'mine', value: 'x', rows: [1] }], axes: [{ from: '=nil', to: 'mine:x' }, NORTH] });
  near(column(view.scene(), 0), eastings);
  view.set({ tags: [] });
  assert.match(view.scene().error, /^The horizontal axis cannot be drawn: .* drawn as if empty\.$/);
  near(column(view.scene(), 1), northings);
});

test('axes that came before the vectors are drawn once these are there', () => {
  const { view, page } = openView({ rows: ROWS, columns: { word: NAMES } });
  const { vectors } = page;
  page.vectors = null;
  view.set({ projection: 'custom', dims: 2, axes: [EAST, { from: 'x', to: '' }] });
  assert.equal(view.scene().error, undefined);
  page.vectors = vectors;
  view.arrive();
  near(column(view.scene(), 0), eastings);
  assert.match(view.scene().error, /^The vertical axis is incomplete/);
});
