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
  tags: [],
};

test('the view that the page opens with needs no fragment', () => {
  assert.equal(writeLink(initial, initial, null).fragment, '');
});

test('half a surrogate pair in a query becomes a replacement character in the link', () => {
  const { fragment } = writeLink({ ...initial, query: '=w\udcff🙂' }, initial, null);
  assert.equal(readLink(fragment, 10).patch.query, '=w\ufffd🙂');
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
    tags: [
      { column: 'my ~ kind!', value: 'a&b', rows: [1, 2, 7] },
      { column: 'word', value: '', rows: [0] },
    ],
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

function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const through = (camera) => readLink(writeLink(initial, initial, camera).fragment, 10).camera;

test('a link keeps any view of the plane to a hundredth of a pixel', () => {
  const draw = random(1);
  let longest = 0;
  for (let i = 0; i < 2000; i++) {
    const scale = 10 ** (60 * draw() - 30);
    const [x, y] = [0, 1].map(() => {
      // As deep as floats allow: a millionth of a millionth of where it is.
      const at = (2 * draw() - 1) * scale;
      const span = scale * 10 ** (-12 * draw());
      return [at, at + span];
    });
    const found = through({ dims: 2, x, y });
    assert.ok(found, `${x} ${y}`);
    [x, y].forEach(([a, b], j) => {
      const [low, high] = found[j ? 'y' : 'x'];
      assert.ok(low < high, 'a width');
      assert.ok(Math.abs(low - a) <= 1.001e-5 * (b - a) && Math.abs(high - b) <= 1.001e-5 * (b - a), `${a} ${b}`);
    });
    longest = Math.max(longest, writeLink(initial, initial, { dims: 2, x, y }).fragment.length);
  }
  assert.ok(longest < 120, `${longest} letters`);
});

test('a link keeps any view of space to a hundred-thousandth of the distance', () => {
  const draw = random(2);
  const point = (size) => ({ x: (2 * draw() - 1) * size, y: (2 * draw() - 1) * size, z: (2 * draw() - 1) * size });
  for (let i = 0; i < 2000; i++) {
    const center = point(10 ** (8 * draw() - 5));
    const away = point(10 ** (8 * draw() - 6));
    const eye = { x: center.x + away.x, y: center.y + away.y, z: center.z + away.z };
    const type = draw() < 0.5 ? 'orthographic' : 'perspective';
    const camera = { dims: 3, eye, center, up: point(1), projection: { type } };
    const found = through(camera);
    assert.equal(found.projection.type, type);
    const distance = Math.hypot(eye.x - center.x, eye.y - center.y, eye.z - center.z);
    for (const [name, span] of [
      ['eye', distance],
      ['center', distance],
      ['up', Math.hypot(camera.up.x, camera.up.y, camera.up.z)],
    ])
      for (const key of 'xyz')
        assert.ok(Math.abs(found[name][key] - camera[name][key]) <= 1.001e-5 * span, `${name}.${key}`);
  }
});

test('a camera takes no more digits than it needs', () => {
  const camera = { dims: 2, x: [0.1, 0.30000000000000004], y: [1e20, 3e20] };
  assert.equal(writeLink(initial, initial, camera).fragment, 'v=2_0.1_0.3_100000000000000000000_300000000000000000000');
});

test('tags that are too many for a link are named', () => {
  const rows = Array.from({ length: 5000 }, (_, i) => 3 * i);
  const { fragment, left } = writeLink({ ...initial, tags: [{ column: 'x', value: 'y', rows }] }, initial, null);
  assert.equal(fragment, '');
  assert.deepEqual(left, ['tags']);
});

for (const odd of ['g=x~y~zz', 'g=x~y~0~1', 'g=%E0~y~0'])
  test(`damaged tags, ${odd}, are told`, () => assert.deepEqual(readLink(odd, 10).odd, ['g']));

test('tags, names of groups and contours come back from one link', () => {
  const tags = [{ column: 'word', value: 'a~b', rows: Int32Array.of(1, 4) }];
  const { fragment } = writeLink(
    { ...initial, tags, names: false, contours: true },
    { ...initial, tags: [], names: true, contours: false },
    null,
  );
  const { patch, odd } = readLink(fragment, 10);
  assert.deepEqual(odd, []);
  assert.equal(patch.names, false);
  assert.equal(patch.contours, true);
  assert.deepEqual(
    patch.tags.map(({ column, value, rows }) => [column, value, [...rows]]),
    [['word', 'a~b', [1, 4]]],
  );
});

test('what is there twice is refused, as are tags of more points than a reader gives', () => {
  assert.deepEqual(readLink('s=0-7b7b&s=0-7b7b', 341479).odd, ['s']);
  assert.deepEqual(readLink('n=3&n=4&d=2', 10).odd, ['n']);
  const tags = Array.from({ length: 4000 }, (_, i) => `c${i % 9}~v~0-7b7b`).join('~');
  const { user } = process.cpuUsage();
  assert.deepEqual(readLink(`g=${tags}`, 341479).odd, ['g']);
  assert.ok(process.cpuUsage().user - user < 5e6);
});

test('a camera that shows nothing is refused', () => {
  for (const text of [
    '2_1_0_0_1',
    '2_0_0_0_1',
    '2_0_1_1_1',
    '3_1_1_1_1_1_1_0_0_1',
    '3_1_1_1_0_0_0_0_0_1_x',
    '4_0_1_0_1',
  ])
    assert.deepEqual(readLink(`v=${text}`, 10).odd, ['v'], text);
});
