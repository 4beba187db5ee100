import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTags, tagsField } from '#js/bookmarks/tags.js';

const TAGS = [
  { column: 'kind', value: 'odd', rows: [1, 3, 5] },
  { column: 'kind', value: 'fine', rows: [0] },
];
const whole = { rowNumber: (row) => row };
const WHOLE = { total: 6, n_points: 6, rows: null };
const states = (tags) => [{}, { embviz: { tags } }];

test('tags that are written are read again', () => {
  assert.deepEqual(readTags(states(tagsField(TAGS, whole, 6)), WHOLE, []), TAGS);
});

test('no tags are no field', () => {
  assert.equal(tagsField([], whole, 6), undefined);
});

test('tags of a part go by the row numbers of the source', () => {
  const numbers = Int32Array.of(4, 1, 5);
  const part = tagsField([{ column: 'kind', value: 'odd', rows: [1, 2] }], { rowNumber: (i) => numbers[i] }, 6);
  assert.deepEqual(readTags(states(part), WHOLE, []), [{ column: 'kind', value: 'odd', rows: [1, 5] }]);
  const back = readTags(states(tagsField(TAGS, whole, 6)), { total: 6, n_points: 3, rows: numbers }, []);
  assert.deepEqual(back, [{ column: 'kind', value: 'odd', rows: [1, 2] }]);
});

test('a tag that is there already comes once', () => {
  const twice = [...states(tagsField(TAGS, whole, 6)), ...states(tagsField(TAGS, whole, 6))];
  assert.deepEqual(readTags(twice, WHOLE, [TAGS[1]]), [TAGS[0]]);
});

for (const [what, tags] of [
  ['of other data', { ...tagsField(TAGS, whole, 6), total: 7 }],
  ['that are no list', { total: 6, given: 'all' }],
  ['without a column', { total: 6, given: [{ value: 'odd', rows: '0' }] }],
  ['with a tab in their value', { total: 6, given: [{ column: 'kind', value: 'a\tb', rows: '0' }] }],
  ['of rows beyond the table', { total: 6, given: [{ column: 'kind', value: 'odd', rows: '9' }] }],
  ['that are nothing', { total: 6, given: [null, 3, {}] }],
]) {
  test(`tags ${what} are left out`, () => assert.deepEqual(readTags(states(tags), WHOLE, []), []));
}

test('tags that name all points again and again are read as far as there is room', () => {
  const total = 300000;
  const given = Array.from({ length: 5000 }, (_, i) => ({ column: `c${i}`, value: 'v', rows: '0-6fhc' }));
  const { user } = process.cpuUsage();
  const found = readTags(
    Array(50).fill({ embviz: { tags: { total, given } } }),
    { total, n_points: total, rows: null },
    [],
  );
  assert.ok(found.length > 0 && found.length <= 32, String(found.length));
  assert.ok(process.cpuUsage().user - user < 10e6);
});
