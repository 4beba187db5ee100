import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOutline } from '#js/state/outline.js';
import { openView } from './fixture.js';

const N = 240;
const GROUPS = 'abcd';
const group = (i) => GROUPS[i % 4];
// Around four corners of a rectangle.
const PLACES = Array.from({ length: N }, (_, i) => [
  (i % 4 < 2 ? 0 : 20) + Math.sin(i),
  (i % 2 ? 0 : 10) + Math.cos(3 * i),
  0,
]);

function opened(partitions, columns = {}) {
  const found = openView({
    rows: PLACES.map(([x, y]) => [x + 1, y + 1, 3]),
    pca: Float32Array.from(PLACES.flat()),
    columns: { word: PLACES.map((_, i) => `w${i}`), group: PLACES.map((_, i) => group(i)), ...columns },
  });
  found.page.manifest.title = 'Squares';
  if (partitions) found.page.manifest.partitions = partitions;
  const outline = createOutline(found.page, found.view, () => null);
  return { ...found, outline, root: (partition = outline.first()) => outline.root(partition) };
}

const MEASURED = {
  column: 'group',
  kind: 'clusters',
  drawn: true,
  names: ['d', 'c', 'b', 'a'],
  sizes: [60, 60, 60, 60],
  inside: [0.904, 1, 0, 0.9999],
  toward: [
    [
      [2, 0.08],
      [3, 0.003],
    ],
    [],
    [[0, 1]],
    [[1, 0.0001]],
  ],
  typical: [[3, 7], [2], [], []],
  neighbors: 10,
};
const names = (part) => part.children().map(({ name }) => name);

test('the outline of a picture without partitions is parted by its column of few values', () => {
  const { outline, root } = opened();
  assert.deepEqual(
    outline.partitions().map(({ column }) => column),
    ['group'],
  );
  assert.equal(root().name, 'Squares');
  assert.deepEqual(
    names(root()),
    [...GROUPS].map((name) => `${name}, 60 points`),
  );
  assert.equal(
    root().children()[0].say(),
    'a: 60 points of 240 (25 %), at the upper left. The nearest class in the picture is b.',
  );
});

test('what was measured of a cluster is said of it, its neighbors first', () => {
  const { root } = opened([MEASURED]);
  const [d, c, b, a] = root().children();
  assert.equal(
    d.say(),
    'd: 60 points of 240 (25 %), at the lower right. Of their 10 nearest neighbors 90 % lie in it too; of the others ' +
      'most in b (8 %) and a (under 1 %). The nearest cluster by neighbors is b, in the picture c.',
  );
  assert.match(c.say(), /100 % lie in it too\. The nearest cluster in the picture is d\.$/);
  assert.match(b.say(), /neighbors 0 % lie in it too; of the others most in d \(100 %\)\./);
  assert.match(a.say(), /over 99 % lie in it too/);
  assert.match(a.say(), /The nearest cluster by neighbors is c, in the picture b\.$/);
  assert.deepEqual(names(d).slice(0, 2), ['w3', 'w7'], 'typical members come first');
  assert.deepEqual(names(d).slice(2), ['All 60 points']);
  assert.equal(names(b).length, 6, 'where none came along, those in the middle of the picture are typical');
});

test('a point leads to its neighbors, and they to theirs', () => {
  const { view, root } = opened([MEASURED]);
  const [point] = root().children()[0].children();
  const { indices, distances } = view.neighbors(3);
  assert.deepEqual(
    point.children().map(({ row }) => row),
    [...indices],
  );
  assert.match(point.say(), /^w3: row 3; typical of d; group d; at the lower right\. Nearest: w\d+ \(/);
  const [near] = point.children();
  const said = `neighbor 1 of w3, at ${Number(distances[0].toPrecision(3))}`;
  assert.ok(near.say().includes(said) || distances[0] < 1e-4, near.say());
  assert.deepEqual(
    near
      .children()[0]
      .children()[0]
      .children()
      .map(({ row }) => row).length,
    10,
  );
});

test('only what is shown is in it', () => {
  const { view, root } = opened([MEASURED]);
  view.set({ isolated: [0, 1, 3, 4, 5, 8] });
  assert.equal(root().say(), '240 points of 3 dimensions. 6 of 240 points are shown.');
  assert.deepEqual(names(root()), ['d, 1 point', 'b, 2 points', 'a, 3 points']);
  const [d] = root().children();
  assert.match(d.say(), /^d: 1 point of 6 \(17 %\).*Of the neighbors of all its points, also of those not shown, 90 %/);
  assert.deepEqual(names(d), ['w3']);
  const near = d
    .children()[0]
    .children()
    .find(({ row }) => ![0, 1, 3, 4, 5, 8].includes(row));
  assert.match(near.say(), /not shown/);
});

test('points of no cluster come last, and many points come in ranges', () => {
  const some = PLACES.map((_, i) => (i < 60 ? 'x' : ''));
  const { root, outline } = opened(undefined, { some });
  const parts = root({ column: 'some', kind: 'clusters' }).children();
  assert.deepEqual(
    parts.map(({ name }) => name),
    ['x, 60 points', 'In no cluster'],
  );
  const ranges = parts[1].children();
  assert.deepEqual(
    ranges.map(({ name }) => name),
    ['Points 1 to 100', 'Points 101 to 180'],
  );
  assert.match(ranges[1].say(), /^Points 101 to 180 of 180, from w160 to w239\. They lie spread out, mostly /);
  assert.deepEqual(
    ranges[1].children().map(({ row }) => row),
    Array.from({ length: 80 }, (_, i) => 160 + i),
  );
  assert.deepEqual(names(outline.root(null)), ['Points 1 to 100', 'Points 101 to 200', 'Points 201 to 240']);
});

test('of very many points there are at most a hundred ranges at each level', () => {
  const n = 100_001;
  const { outline } = (() => {
    const found = openView({ rows: { data: new Int8Array(n).fill(1), n, d: 1 } });
    found.page.manifest.title = 'Many';
    return { outline: createOutline(found.page, found.view, () => null) };
  })();
  const top = outline.root(null).children();
  assert.equal(top.length, 11);
  const below = top[0].children();
  assert.deepEqual([below.length, below[99].name], [100, 'Points 9,901 to 10,000']);
  assert.deepEqual(
    top[10].children().map(({ name }) => name),
    ['row 100000'],
  );
});
