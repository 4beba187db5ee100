import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLink, readRows, writeLink, writeRows } from '#js/state/links.js';

const NONE = new Int32Array(0);
const initial = {
  projection: 'pca',
  dims: 2,
  components: [0, 1, 2],
  frame: null,
  spherize: false,
  axes: [0, 1, 2].map(() => ({ from: '', to: '' })),
  column: 'word',
  label_by: 'word',
  color_by: null,
  color_as: 'auto',
  hidden: [],
  k: 10,
  metric: 'cosine',
  thumbnails: true,
  labels: 'few',
  query: '',
  isolated: null,
  selected: NONE,
};

test('the view that the page opens with needs no fragment', () => {
  assert.equal(writeLink(initial, initial, null).fragment, '');
});

test('a link restores what differs', () => {
  const state = {
    ...initial,
    projection: 'tsne',
    dims: 3,
    frame: 12.5,
    axes: [
      { from: '=a~b&c', to: '/^(x|y)$/' },
      { from: '', to: '' },
      { from: 'z', to: '%' },
    ],
    color_by: 'a=b',
    label_by: null,
    hidden: [-1, 3],
    k: 25,
    metric: 'euclidean',
    thumbnails: false,
    query: 'köln #1',
    isolated: Int32Array.of(1, 2, 3, 9),
    selected: Int32Array.of(9, 2),
  };
  const camera = {
    dims: 3,
    eye: { x: 1.5, y: -2, z: 0.25 },
    center: { x: 0, y: 0, z: 0 },
    up: { x: 0, y: 0, z: 1 },
    projection: { type: 'perspective' },
  };
  const { fragment } = writeLink(state, initial, camera);
  assert.match(fragment, /^[\w%=&.~-]*$/, 'no character needs quoting');
  const found = readLink(`#${fragment}`, 10);
  assert.deepEqual(found.odd, []);
  assert.deepEqual(found.camera, camera);
  for (const [key, value] of Object.entries(found.patch)) {
    if (key === 'selected') assert.deepEqual([...value], [2, 9]);
    else if (key === 'isolated') assert.deepEqual([...value], [1, 2, 3, 9]);
    else assert.deepEqual(value, state[key], key);
  }
  const differing = Object.keys(state).filter((key) => JSON.stringify(state[key]) !== JSON.stringify(initial[key]));
  assert.deepEqual(Object.keys(found.patch).sort(), differing.sort());
});

test('a selection that the query makes by itself is not written', () => {
  const state = { ...initial, query: 'x', selected: Int32Array.of(1, 2) };
  assert.equal(writeLink(state, initial, null, Int32Array.of(1, 2)).fragment, 'q=x');
  assert.equal(writeLink(state, initial, null, Int32Array.of(1)).fragment, 'q=x&s=1-2');
});

test('rows of any pattern come back ascending', () => {
  let seed = 7;
  for (let round = 0; round < 200; round++) {
    const rows = new Set();
    for (let i = 0; i < round; i++) {
      seed = (seed * 16807) % 2147483647;
      rows.add(seed % 300);
    }
    assert.deepEqual(
      [...readRows(writeRows(rows), 300)],
      [...rows].sort((a, b) => a - b),
    );
  }
});

test('a large selection in one piece is short, a scattered one is left out and told', () => {
  const run = Int32Array.from({ length: 100000 }, (_, i) => i + 5);
  assert.equal(writeLink({ ...initial, selected: run }, initial, null).fragment, 's=5-255s');
  const scattered = Int32Array.from({ length: 50000 }, (_, i) => 2 * i);
  assert.deepEqual(writeLink({ ...initial, selected: scattered }, initial, null), { fragment: '', left: ['selected'] });
});

for (const [fragment, odd] of [
  ['#x=1', ['x']],
  ['#section-2', ['section-2']],
  ['#d=abc', ['d']],
  ['#d=1e999', ['d']],
  ['#s=zzzzzz-zzzzzz', ['s']],
  ['#s=0-b', ['s']],
  ['#s=-1', ['s']],
  ['#s=<b>', ['s']],
  ['#q=%E0%A4%A', ['q']],
  [`#q=${'a'.repeat(2000)}`, ['q']],
  ['#v=2_1_2', ['v']],
  ['#v=3_NaN_0_0_0_0_0_0_0_1', ['v']],
  ['#t=yes', ['t']],
  ['#c=0.x', ['c']],
  ['#a=1~2~3~4~5~6~7', ['a']],
  ['#__proto__=1', ['__proto__']],
  ['#constructor=1', ['constructor']],
  [`#q=${'a'.repeat(70000)}`, ['a text that is too long']],
]) {
  test(`${fragment.slice(0, 40)} is left out and told`, () => {
    const found = readLink(fragment, 10);
    assert.deepEqual(found.odd, odd);
    assert.deepEqual(found.patch, {});
    assert.equal(found.camera, null);
  });
}

test('what is understood beside it is kept', () => {
  assert.deepEqual(readLink('#p=tsne&zzz=1&d=3', 10), {
    patch: { projection: 'tsne', dims: 3 },
    camera: null,
    odd: ['zzz'],
  });
});

test('an empty list of isolated rows is no rows, and none shows all', () => {
  assert.equal(readLink('#i=', 10).patch.isolated, null);
});
