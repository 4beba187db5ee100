import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cell, field, fileName, neighborsText, pointsText } from '#js/data/exports.js';
import { createSvgContext, discs, escapeXml, svgDocument, thumbnails } from '#js/drawing/svg.js';

const table = {
  rowNumber: (i) => i + 10,
  columns: new Map([
    ['word', { values: ['a\tb', 'line\nend', 'back\\slash', ''] }],
    ['n\t2', { values: ['1', '2', '3', '4'] }],
  ]),
};
const lines = (text) => text.split('\n').map((line) => line.split('\t'));

test('points are lines with row, coordinates and metadata, escaped', () => {
  const scene = {
    coordinates: Float32Array.of(0.1, 1, NaN, NaN, -2, 1e-7, 5, 6),
    dims: 2,
    names: ['pca_2:1', 'pca_2:2'],
  };
  const text = pointsText(table, [2, 0, 1], scene);
  assert.ok(text.endsWith('\n'));
  assert.deepEqual(lines(text), [
    ['row', 'pca_2:1', 'pca_2:2', 'word', 'n\\t2'],
    ['12', '-2', '1e-7', 'back\\\\slash', '3'],
    ['10', '0.1', '1', 'a\\tb', '1'],
    ['11', '', '', 'line\\nend', '2'],
    [''],
  ]);
});

test('no name stands twice where the metadata has a column named row', () => {
  const scene = { coordinates: Float32Array.of(1, 2), dims: 2, names: ['pca_2:1', 'pca_2:2'] };
  const head = (...names) =>
    lines(
      pointsText({ rowNumber: (i) => i, columns: new Map(names.map((name) => [name, { values: ['x'] }])) }, [0], scene),
    )[0];
  assert.deepEqual(head('row'), ['row number', 'pca_2:1', 'pca_2:2', 'row']);
  assert.deepEqual(head('row', 'row number', 'row 2'), ['row 3', 'pca_2:1', 'pca_2:2', 'row', 'row number', 'row 2']);
  assert.equal(new Set(head('pca_2:1', 'row')).size, 5);
});

test('a field holds no tab and no line end, and comes back', () => {
  const back = (text) => text.replace(/\\(.)/g, (_, c) => ({ t: '\t', n: '\n', r: '\r', '\\': '\\' })[c]);
  for (const text of ['\t', '\n\r\\t', 'a\\\n', 'plain', '\\\\']) {
    assert.doesNotMatch(field(text), /[\t\n\r]/);
    assert.equal(back(field(text)), text);
  }
});

test('neighbors are lines with rank and distance', () => {
  const found = [{ row: 1, indices: Int32Array.of(0, 2), distances: Float32Array.of(0.25, 0.5) }];
  assert.deepEqual(lines(neighborsText(found, table, (row) => `w\t${row}`, 'cosine')), [
    ['row', 'label', 'rank', 'neighbor_row', 'neighbor_label', 'cosine_distance'],
    ['11', 'w\\t1', '1', '10', 'w\\t0', '0.25'],
    ['11', 'w\\t1', '2', '12', 'w\\t2', '0.5'],
    [''],
  ]);
});

test('of two sides each line says which it is', () => {
  const near = { row: 1, indices: Int32Array.of(2), distances: Float32Array.of(0.5) };
  const found = [
    { ...near, side: 'A' },
    { ...near, side: 'B' },
  ];
  assert.deepEqual(lines(neighborsText(found, table, (row) => `w${row}`, 'cosine')), [
    ['row', 'label', 'side', 'rank', 'neighbor_row', 'neighbor_label', 'cosine_distance'],
    ['11', 'w1', 'A', '1', '12', 'w2', '0.5'],
    ['11', 'w1', 'B', '1', '12', 'w2', '0.5'],
    [''],
  ]);
});

test('a file name is one name', () => {
  assert.equal(fileName('../../etc/pass wd', 'points', 'tsv'), 'etc-pass-wd-points.tsv');
  assert.equal(fileName('Köln 東京', 'pca', 'png'), 'Köln-東京-pca.png');
  assert.equal(fileName('<>', '', 'svg'), 'embviz.svg');
  assert.equal(fileName('words.npy', 'pca', 'png'), 'words-pca.png');
  assert.match(fileName('y'.repeat(500), 'neighbors', 'tsv'), /^y{70}-neighbors\.tsv$/);
  assert.ok(fileName('x'.repeat(500), 'a', 'png').length <= 84);
});

const sound = (text) => assert.doesNotMatch(text, /<script|onload=|<b>/);

test('a label is text in the picture, whatever it holds', () => {
  const hostile = '</text><script>alert(1)</script>"&\u0000\u0008';
  const context = createSvgContext(() => 40);
  context.font = '600 12px "A <B>", sans-serif';
  context.textAlign = 'right';
  context.fillText(hostile, 1, 2);
  const text = context.parts.join('');
  sound(text);
  assert.match(text, /&lt;script&gt;/);
  assert.match(text, /text-anchor="end"/);
  assert.match(text, /font-weight="600"/);
  assert.doesNotMatch(text, /\u0000/);
});

test('the title of the file is escaped', () => {
  const text = svgDocument({ width: 10, height: 10, title: '<script>', background: '#fff' }, [
    {
      left: 0,
      top: 0,
      clip: { left: 0, top: 0, width: 10, height: 10 },
      layers: [{ parts: ['<g/>'], clipped: true }],
    },
  ]);
  sound(text);
  assert.match(text, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<svg /);
});

test('what a canvas draws turned is turned in the picture', () => {
  const context = createSvgContext(() => 0);
  context.save();
  context.translate(5, 6);
  context.rotate(-Math.PI / 2);
  context.fillText('up', 0, 0);
  context.restore();
  context.fillText('plain', 0, 0);
  assert.match(context.parts[0], /transform="translate\(5 6\)rotate\(-90\)"/);
  assert.doesNotMatch(context.parts[1], /transform/);
});

test('discs lie where the points do, in their order, without those behind the camera', () => {
  const xy = Float32Array.of(1, 2, NaN, NaN, 3, 4);
  const text = discs(Int32Array.of(2, 1, 0), xy, (row) => `#00000${row}`, { radius: 1.5, opacity: 0.5 });
  assert.deepEqual(
    [...text.matchAll(/cx="(\d)" cy="(\d)" r="1.5" fill="(#\w+)"/g)].map(([, x, y, fill]) => [x, y, fill]),
    [
      ['3', '4', '#000002'],
      ['1', '2', '#000000'],
    ],
  );
});

test('very many discs of one color are one path', () => {
  const n = 30000;
  const text = discs(
    Int32Array.from({ length: n }, (_, i) => i),
    new Float32Array(2 * n),
    (row) => (row % 2 ? '#111111' : '#222222'),
    { radius: 2, opacity: 1 },
  );
  assert.equal(text.match(/<path/g).length, 2);
  assert.equal(text.match(/h0/g).length, n);
});

test('the picture of the thumbnails is there once', () => {
  const tile = { x: 10, y: 10, at: [16, 0], frame: '#123456' };
  const text = thumbnails(
    {
      href: 'data:image/png;base64,AA==',
      width: 32,
      height: 16,
      tile: { width: 16, height: 16 },
      size: { width: 20, height: 20 },
    },
    [{ tiles: [tile, tile], opacity: 1 }],
  );
  assert.equal(text.match(/data:image/g).length, 1);
  assert.match(text, /<svg x="0" y="0" width="20" height="20" viewBox="16 0 16 16"/);
  assert.match(text, /stroke="#123456"/);
});

test('escaped text has no character that XML forbids', () => {
  assert.equal(escapeXml('a\u0001\uffff<&>"\''), 'a&lt;&amp;&gt;&quot;&#39;');
});

test('a cell that a spreadsheet would run has a backslash before it', () => {
  for (const run of [
    '=HYPERLINK("http://a","b")',
    '=A1',
    '=1+1',
    '+1+1',
    '-2+3',
    '@SUM(A1)',
    '＝1',
    '-1|cmd',
    '=a\nb',
    '"=1+1"',
    '"=HYPERLINK(""http://a"",""b"")"',
    '""=A1',
    '"-2+3"',
  ]) {
    assert.equal(cell(run), `\\${field(run)}`);
  }
  for (const kept of [
    '-1.5',
    '+3',
    '-1,5',
    '-1e-9',
    '=',
    '-',
    '--',
    '@',
    '-ing',
    '@user_name',
    '=best',
    'a=1',
    '',
    ' =1',
    '"-ing"',
    '"-1.5"',
    '"',
    '"="',
    'a"=1',
  ]) {
    assert.equal(cell(kept), kept);
  }
});
