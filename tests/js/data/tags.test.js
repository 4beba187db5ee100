import assert from 'node:assert/strict';
import { test } from 'node:test';
import { categories, createTable } from '#js/data/table.js';
import { isTags, metadataText, tagged } from '#js/data/tags.js';

function table() {
  const made = createTable({
    n_points: 3,
    n_dims: 2,
    label_by: 'word',
    columns: [
      { name: 'word', kind: 'text' },
      { name: 'size', kind: 'number' },
    ],
  });
  made.columns.get('word').values = ['a', 'b', 'c'];
  made.columns.get('size').values = ['1', '', '3'];
  return made;
}
const tag = (column, value, rows) => ({ column, value, rows });

test('tags go over the columns of the file and can be taken back', () => {
  const made = table();
  const original = made.columns.get('word');
  const tags = [tag('mine', 'x', [0, 2]), tag('word', 'z', [1]), tag('mine', 'y', [2])];
  const shown = tagged(made, tags);
  assert.deepEqual([...shown.columns.keys()], ['word', 'size', 'mine']);
  assert.deepEqual(shown.columns.get('mine').values, ['x', '', 'y']);
  assert.deepEqual(shown.columns.get('word').values, ['a', 'z', 'c']);
  assert.deepEqual(categories(shown.columns.get('word')).names, ['a', 'c', 'z']);
  assert.equal(shown.label(1), 'z');
  assert.equal(shown.n_points, 3);
  assert.equal(tagged(made, tags), shown, 'the same list gives the same table');
  assert.equal(made.label(1), 'b');
  assert.equal(tagged(made, []), made);
  assert.equal(made.columns.get('word'), original);
  assert.deepEqual(original.values, ['a', 'b', 'c']);
  assert.deepEqual([...made.columns.keys()], ['word', 'size']);
});

test('a column of numbers stays one while its tags are numbers', () => {
  const made = table();
  const { columns } = tagged(made, [tag('size', '2.5', [1]), tag('new', '7', [0])]);
  assert.equal(columns.get('size').kind, 'number');
  assert.deepEqual([...columns.get('size').numbers()], [1, 2.5, 3]);
  assert.equal(columns.get('new').kind, 'number');
  assert.equal(tagged(made, [tag('size', 'big', [1])]).columns.get('size').kind, 'text');
});

test('what is no list of tags is refused with what is wrong', () => {
  assert.equal(isTags([tag('a', '', [0, 2])], 3), true);
  assert.equal(isTags([], 3), true);
  for (const [odd, why] of [
    [null, /list/],
    [[null], /column/],
    [[tag('', 'x', [0])], /column/],
    [[tag('a\tb', 'x', [0])], /column/],
    [[tag('a', 'x\n', [0])], /value/],
    [[tag('a', 5, [0])], /value/],
    [[tag('a', 'x', [3])], /rows/],
    [[tag('a', 'x', '0')], /rows/],
    [[tag('a', 'x'.repeat(201), [0])], /value/],
  ]) {
    assert.match(isTags(odd, 3), why);
  }
});

test('odd column names do no harm', () => {
  const made = tagged(table(), [tag('__proto__', 'x', [0]), tag('constructor', 'y', [1])]);
  assert.deepEqual(made.columns.get('__proto__').values, ['x', '', '']);
  assert.equal({}.values, undefined);
});

test('the metadata is a header and a line a point, each ended', () => {
  const made = tagged(table(), [tag('mine', 'x', [2])]);
  assert.equal(metadataText(made), 'word\tsize\tmine\na\t1\t\nb\t\t\nc\t3\tx\n');
});

test('one column alone has no header, and breaks in values become spaces', () => {
  const made = createTable({ n_points: 2, n_dims: 2, label_by: 'w', columns: [{ name: 'w', kind: 'text' }] });
  made.columns.get('w').values = ['a\tb', 'c\r\nd'];
  assert.equal(metadataText(made), 'a b\nc d\n');
});
