import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromCameraDef, toCameraDef } from '#js/bookmarks/camera.js';
import { fromField, limits, MOST_POINTS, searchFields, stateText, toField } from '#js/bookmarks/write.js';
import { BookmarkError, fromState, readBookmarks } from '#js/bookmarks/read.js';

const data = { n_points: 4, n_dims: 3, total: 4, rows: null };
const minimal = (more = {}) => ({
  label: 'one',
  selectedProjection: 'pca',
  dataSetDimensions: [4, 3],
  pcaComponentDimensions: [0, 1],
  selectedPoints: [2],
  filteredPoints: null,
  projections: [0, 1, 2, 3].map((i) => ({ 'pca-0': i, 'pca-1': i / 2, 'pca-2': 9 })),
  ...more,
});
const read = (...states) => readBookmarks(JSON.stringify(states), data);
const table = {
  n_points: 4,
  n_dims: 3,
  columns: new Map([
    ['word', { kind: 'text', values: ['a', 'b', 'c', 'd'] }],
    ['size', { kind: 'number', values: ['1', '2', '3', '4'] }],
  ]),
};
const kept = (more = {}) => ({
  label: 'kept',
  dims: 2,
  camera: null,
  ranges: { min: [0, 0], max: [1, 1] },
  hasAxes: true,
  components: [0, 1],
  name: 'pca',
  tab: 'pca',
  state: {
    projection: 'pca',
    dims: 2,
    axes: [{ from: '', to: '' }],
    selected: Int32Array.of(1, 3),
    isolated: null,
    color_by: null,
    color_as: 'auto',
    label_by: 'word',
    column: 'word',
    k: 7,
  },
  arrays: [{ keys: ['pca-0', 'pca-1'], data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 0.1), stride: 2 }],
  params: { iteration: 0, perplexity: 30, tsne3d: false, neighbors: 15, minDist: 0.1, umap3d: false },
  ...more,
});

test('a saved view is read with its coordinates, camera and points', () => {
  const [{ label, state }] = read(minimal());
  const found = fromState(state, data);
  assert.equal(label, 'one');
  assert.equal(found.patch.projection, 'pca');
  assert.equal(found.patch.dims, 2);
  assert.equal(found.patch.isolated, null);
  assert.deepEqual([...found.patch.selected], [2]);
  assert.deepEqual([...found.placed.data], [0, 0, 1, 0.5, 2, 1, 3, 1.5]);
});

test('a view of 2017, without what came later, is read', () => {
  const { patch } = fromState(
    read(
      minimal({
        selectedProjection: 'custom',
        customXLeftText: '^bad$',
        customXLeftRegex: true,
        customXRightText: 'good',
        customXRightRegex: false,
        projections: [{ 'linear-x': 1, 'linear-y': 2 }],
      }),
    )[0].state,
    data,
  );
  assert.deepEqual(patch.axes[0], { from: '/^bad$/', to: 'good' });
  assert.equal(patch.dims, 2);
});

test('isolated points are rows, and selected ones are places among them', () => {
  const [{ state }] = read(
    minimal({
      filteredPoints: [3, 1],
      dataSetDimensions: [2, 3],
      selectedPoints: [1],
      projections: [
        { 'pca-0': 5, 'pca-1': 6 },
        { 'pca-0': 7, 'pca-1': 8 },
      ],
    }),
  );
  const { patch, placed } = fromState(state, data);
  assert.deepEqual([...patch.isolated], [3, 1]);
  assert.deepEqual([...patch.selected], [1]);
  assert.deepEqual([...placed.data], [NaN, NaN, 7, 8, NaN, NaN, 5, 6]);
});

test('an empty list of filtered points is what TensorBoard saves after Show all', () => {
  assert.equal(fromState(read(minimal({ filteredPoints: [] }))[0].state, data).patch.isolated, null);
});

test('on a part of the table a view of the whole is found by row numbers', () => {
  const part = { n_points: 2, n_dims: 3, total: 4, rows: Int32Array.of(1, 3) };
  const { patch, placed, missing } = fromState(minimal(), part);
  assert.equal(missing, 2);
  assert.deepEqual([...placed.data], [1, 0.5, 3, 1.5]);
  assert.equal(patch.isolated, null);
  assert.deepEqual([...patch.selected], []);
});

for (const [what, states, message] of [
  ['other dimensions', [minimal({ dataSetDimensions: [4, 5] })], /bookmark 1: saved from data of 4 × 5, this is 4 × 3/],
  [
    'another number of points',
    [minimal(), minimal({ dataSetDimensions: [5, 3] })],
    /bookmark 2: saved from data of 5 × 3/,
  ],
  [
    'rows that are not there',
    [minimal({ filteredPoints: [9], dataSetDimensions: [1, 3], selectedPoints: [] })],
    /names row 9/,
  ],
  ['a selection that is not there', [minimal({ selectedPoints: [4] })], /selectedPoints names point 4 of 4/],
  ['too many coordinates', [minimal({ projections: [{}, {}, {}, {}, {}] })], /coordinates of 5 points/],
  ['a negative row', [minimal({ selectedPoints: [-1] })], /selectedPoints is \[-1\], not a list of rows/],
  ['a row that is no number', [minimal({ selectedPoints: ['0'] })], /selectedPoints/],
  ['coordinates that are text', [minimal({ projections: [{ 'pca-0': '<b>' }] })], /projections/],
  ['an unknown projection', [minimal({ selectedProjection: '__proto__' })], /selectedProjection/],
  ['a camera of two numbers', [minimal({ cameraDef: { position: [1, 2] } })], /cameraDef/],
  ['a label that is an object', [minimal({ label: {} })], /label/],
  ['no view at all', [{ label: 'x' }], /not a saved view/],
  ['null', [null], /not a saved view/],
  ['components without end', [minimal({ pcaComponentDimensions: [0, 1e9] })], /pcaComponentDimensions/],
]) {
  test(`a file with ${what} is refused with a reason`, () => {
    assert.throws(
      () => read(...states),
      (error) => error instanceof BookmarkError && message.test(error.message),
    );
  });
}

test('a coordinate beyond all numbers is refused', () => {
  assert.throws(() => readBookmarks('[{"projections":[{"pca-0":1e999}]}]', data), /projections/);
});

test('what is no JSON array of views is refused', () => {
  for (const text of ['', '{', '[1', '"x"', '7', 'null', '{"a": 1}', '<html>'])
    assert.throws(() => readBookmarks(text, data), BookmarkError, text);
});

test('a key of the prototype in a file reaches nothing', () => {
  const text = JSON.stringify([minimal()]).replace('{"label"', '{"__proto__":{"polluted":1},"label"');
  readBookmarks(text, data);
  assert.equal({}.polluted, undefined);
});

test('a kept view becomes a State that is read again as it was', () => {
  const text = `[${stateText(kept(), table)}]`;
  const [{ state }] = readBookmarks(text, data);
  const found = fromState(state, data);
  assert.deepEqual([...found.patch.selected], [1, 3]);
  assert.deepEqual([...found.placed.data], [...Float32Array.of(1, 2, 3, 4, 5, 6, 7, 0.1)]);
  assert.equal(found.ours.k, 7);
  assert.equal(state.selectedColorOptionName, 'No color map');
});

test('a State has every field that TensorBoard cannot do without', () => {
  const state = JSON.parse(stateText(kept(), table));
  for (const key of ['tSNEIteration', 'tSNEPerplexity', 'tSNELearningRate'])
    assert.equal(typeof state[key], 'number', key);
  for (const key of ['customXLeftText', 'customXRightText', 'customYUpText', 'customYDownText'])
    assert.equal(typeof state[key], 'string', key);
  assert.deepEqual(state.pcaComponentDimensions, [0, 1]);
  assert.deepEqual(state.dataSetDimensions, [4, 3]);
  assert.equal(state.projections.length, 4);
  assert.equal(state.filteredPoints, null);
});

test('isolated points come in order, with the places of the selected among them', () => {
  const { state } = kept();
  const found = JSON.parse(stateText(kept({ state: { ...state, isolated: Int32Array.of(3, 0) } }), table));
  assert.deepEqual(found.filteredPoints, [3, 0]);
  assert.deepEqual(found.selectedPoints, [0]);
  assert.deepEqual(found.projections, [
    { 'pca-0': 7, 'pca-1': 0.1 },
    { 'pca-0': 1, 'pca-1': 2 },
  ]);
  assert.deepEqual(found.dataSetDimensions, [2, 3]);
});

test('of more points than TensorBoard shows the first ones are written', () => {
  const n = MOST_POINTS + 5;
  const large = { ...table, n_points: n };
  const { state } = kept();
  const selected = Int32Array.of(3, MOST_POINTS + 2);
  const text = stateText(
    kept({
      state: { ...state, selected },
      arrays: [{ keys: ['pca-0', 'pca-1'], data: new Float32Array(2 * n), stride: 2 }],
    }),
    large,
  );
  const found = JSON.parse(text);
  assert.deepEqual(found.dataSetDimensions, [MOST_POINTS, 3]);
  assert.deepEqual(found.selectedPoints, [3]);
  const here = { n_points: n, n_dims: 3, total: n, rows: null };
  const { patch } = fromState(readBookmarks(`[${text}]`, here)[0].state, here);
  assert.equal(patch.isolated, null);
  assert.deepEqual([...patch.selected], [...selected]);
});

for (const [query, field] of [
  ['best', { text: 'best', regex: false }],
  ['=a.b', { text: '^a\\.b$', regex: true }],
  ['/^be/', { text: '^be', regex: true }],
  ['word:=x', { text: '^x$', regex: true }],
  ['', { text: '', regex: false }],
]) {
  test(`the query ${JSON.stringify(query)} is a search of TensorBoard`, () =>
    assert.deepEqual(toField(query, table), field));
}

test('a text of TensorBoard that would mean something else here is an expression for itself', () => {
  assert.equal(fromField('=x', false), '/=x/');
  assert.equal(fromField('a:b', false), '/a:b/');
  assert.equal(fromField('(x', true), '/(x/');
  assert.equal(fromField('plain', false), 'plain');
});

test('a view in 2D and its camera in TensorBoard show the same middle and extent', () => {
  const ranges = { min: [-10, 0], max: [10, 5] };
  const view = { dims: 2, x: [-12, 12], y: [1, 7] };
  const camera = toCameraDef(view, 2, ranges, true);
  assert.deepEqual(camera.target, [0, 0.6, 0]);
  assert.ok(Math.abs(camera.zoom - 1) < 1e-12);
  assert.deepEqual(fromCameraDef(camera, 2, ranges, true), {
    dims: 2,
    x: [-12, 12],
    y: [1, 7].map((y, i) => 4 + (i ? 1 : -1) * 3),
  });
});

test('a view in 3D comes back from TensorBoard with its direction and distance', () => {
  const ranges = { min: [0, 0, 0], max: [4, 2, 3] };
  const view = { dims: 3, eye: { x: 1, y: -0.5, z: 0.7 }, center: { x: 0.1, y: 0, z: 0 }, up: { x: 0, y: 0, z: 1 } };
  const camera = toCameraDef(view, 3, ranges, false);
  assert.equal(camera.orthographic, false);
  const back = fromCameraDef(camera, 3, ranges, false);
  for (const key of ['eye', 'center'])
    for (const j of ['x', 'y', 'z']) assert.ok(Math.abs(back[key][j] - view[key][j]) < 1e-9, `${key}.${j}`);
});

test('a camera that shows nothing is none', () => {
  const ranges = { min: [0, 0], max: [1, 1] };
  assert.equal(fromCameraDef({ position: [0, 0, 4], target: [0, 0, 0], zoom: 0 }, 2, ranges, false), null);
  assert.equal(
    fromCameraDef({ position: [0, 0, 0], target: [0, 0, 0], zoom: 1 }, 3, { min: [0, 0, 0], max: [1, 1, 1] }, false),
    null,
  );
  assert.equal(fromCameraDef({}, 2, ranges, false), null);
});

test('TensorBoard searches the column that all ends of axes name', () => {
  const { column, ends, lost } = searchFields([{ from: 'size:=1', to: 'size:/^[23]$/' }], table, 'word');
  assert.equal(column, 'size');
  assert.deepEqual(lost, []);
  assert.deepEqual(ends, [
    { text: '^1$', regex: true },
    { text: '^[23]$', regex: true },
    { text: '', regex: false },
    { text: '', regex: false },
  ]);
  assert.equal(searchFields([{ from: '=a', to: 'word:b' }], table, 'word').column, 'word');
  assert.equal(searchFields([{ from: 'row:=1', to: 'row:=2' }], table, 'word').column, '__index__');
  assert.equal(searchFields([], table, 'word').column, 'word');
  assert.equal(searchFields([{ from: '', to: '' }], table, null).column, '__index__');
});

const axesView = (axes) =>
  kept({
    state: { ...kept().state, projection: 'custom', axes },
    name: 'custom',
    tab: 'custom',
    arrays: [{ keys: ['linear-x', 'linear-y'], data: new Float32Array(8), stride: 2 }],
  });

test('a State says of axes what TensorBoard understands, and ours comes back', () => {
  const axes = [
    { from: 'size:=1', to: 'size:2' },
    { from: '', to: '' },
  ];
  const state = JSON.parse(stateText(axesView(axes), table));
  assert.deepEqual(
    [
      state.customSelectedSearchByMetadataOption,
      state.customXLeftText,
      state.customXLeftRegex,
      state.customXRightText,
      state.customXRightRegex,
    ],
    ['size', '^1$', true, '2', false],
  );
  const found = fromState(readBookmarks(JSON.stringify([state]), data)[0].state, data);
  assert.deepEqual(found.ours.axes, axes);
  assert.equal(found.ours.column, 'word');
});

test('ends of axes in another column are left out of TensorBoard’s fields, and told', () => {
  const axes = [
    { from: 'size:=1', to: 'b' },
    { from: 'size:3', to: 'row:4' },
  ];
  const state = JSON.parse(stateText(axesView(axes), table));
  assert.deepEqual(
    ['XLeft', 'XRight', 'YDown', 'YUp'].map((end) => state[`custom${end}Text`]),
    ['^1$', '', '3', ''],
  );
  const [told, ...rest] = limits([{ label: 'one', kept: axesView(axes) }], table);
  assert.deepEqual(rest, []);
  assert.match(told, /one column.*“one” size: its fields leave out b and row:4; the coordinates are saved/);
  assert.deepEqual(
    limits([{ label: 'one', kept: axesView([axes[0].from, axes[0].from].map((from) => ({ from, to: from }))) }], table),
    [],
  );
});

test('a file with an isolated view is told to be refused by TensorBoard’s upload', () => {
  const isolated = { label: 'few', kept: kept({ state: { ...kept().state, isolated: Int32Array.of(1) } }) };
  assert.match(
    limits([{ label: 'all', kept: kept() }, isolated], table).join(),
    /upload refuses.*“few”.*embviz export --bookmark/,
  );
  assert.equal(limits([{ label: 'file', state: minimal({ filteredPoints: [1] }) }], table).length, 1);
  assert.deepEqual(
    limits(
      [
        { label: 'all', kept: kept() },
        { label: 'file', state: minimal({ filteredPoints: [] }) },
      ],
      table,
    ),
    [],
  );
});

test('what could not be written again as it is, or drawn, is refused by its name', () => {
  const nested = (depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  for (const [field, why] of [
    ['"zz":1e999', /bookmark 1: zz holds a number that is too large/],
    ['"embviz":{"view":{"k":-1e999}}', /embviz holds a number that is too large/],
    [`"zz":${nested(100000)}`, /zz holds lists and objects more than 50 deep/],
    [`"label":${nested(100000)}`, /label holds lists and objects/],
    ['"projections":[{"pca-0":1e39,"pca-1":0}]', /projections is .*, not a list of coordinates/],
  ])
    assert.throws(
      () => readBookmarks(`[{"selectedProjection":"pca",${field}}]`, data),
      (error) => error instanceof BookmarkError && why.test(error.message) && error.message.length < 300,
      field.slice(0, 60),
    );
  assert.equal(readBookmarks(`[{"selectedProjection":"pca","zz":${nested(20)}}]`, data).length, 1);
  const many = `[${Array(100000).fill('{"projections":[]}').join()}]`;
  assert.throws(() => readBookmarks(many, data), /100000 bookmarks, at most 1000 are read/);
});

test('lists within lists of a long file are refused before they take their room', () => {
  const view = (camera, note) =>
    `{"label":"size","note":"${note}\\"","selectedProjection":"tsne","projections":[],"cameraDef":${camera}}`;
  const deep = view('['.repeat(90_000) + ']'.repeat(90_000), '');
  const text = `[${Array(400).fill(deep).join()}]`; // 72 MB, and more than a gigabyte of lists
  const before = process.memoryUsage().heapUsed;
  assert.throws(() => readBookmarks(text, data), /more than 50 deep within each other/);
  assert.ok(process.memoryUsage().heapUsed - before < 2 ** 28);
  const long = `[${Array(900)
    .fill(view('null', '[{'.repeat(600)))
    .join()}]`;
  assert.ok(long.length > 2 ** 20);
  assert.equal(readBookmarks(long, data).length, 900); // brackets within a text are none
});
