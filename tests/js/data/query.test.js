import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { byCloseness, match, QueryError, splitColumn } from '#js/data/query.js';

const fixture = JSON.parse(readFileSync(new URL('../../data/queries.json', import.meta.url), 'utf8'));
const names = Object.keys(fixture.columns);
const table = {
  n_points: fixture.columns[names[0]].length,
  labelColumn: 'word',
  rowNumber: (i) => i,
  columns: new Map(names.map((name) => [name, { values: fixture.columns[name] }])),
};

for (const { query, column, rows, error } of fixture.cases) {
  const claim = error ? 'is refused' : 'matches the rows that the command line matches';
  test(`${JSON.stringify(query)}${column ? ` in ${column}` : ''} ${claim}`, () => {
    if (error) assert.throws(() => match(table, query, column ?? 'word'), QueryError);
    else assert.deepEqual([...match(table, query, column ?? 'word')], rows);
  });
}

for (const { query, rows } of fixture.own_row.cases) {
  test(`${query} searches a column named row, and not the numbers`, () => {
    const columns = new Map(Object.entries(fixture.own_row.columns).map(([name, values]) => [name, { values }]));
    assert.deepEqual([...match({ n_points: 4, labelColumn: 'row', rowNumber: (i) => i, columns }, query)], rows);
  });
}

test('a column of the longest matching name is searched', () => {
  const longer = {
    ...table,
    columns: new Map([
      ['a', {}],
      ['a:b', {}],
    ]),
  };
  assert.deepEqual(splitColumn(longer, 'a:b:c'), { name: 'a:b', query: 'c' });
  assert.deepEqual(splitColumn(longer, 'a:c'), { name: 'a', query: 'c' });
  assert.deepEqual(splitColumn(longer, 'x:c', 'a'), { name: 'a', query: 'x:c' });
});

test('points without columns are searched by row number', () => {
  const bare = { n_points: 12, labelColumn: null, rowNumber: (i) => i + 5, columns: new Map() };
  assert.deepEqual([...match(bare, '=7')], [2]);
});

for (const { query, rows } of fixture.listed.cases) {
  test(`what ${JSON.stringify(query)} finds is listed with the nearest to it first`, () => {
    assert.deepEqual([...byCloseness(table, query, 'word', match(table, query, 'word'))], rows);
  });
}

test('a search for signs that a replacement would read is listed as any other', () => {
  const signs = { ...table, n_points: 3, columns: new Map([['word', { values: ['a$&', '$&b', '$&'] }]]) };
  assert.deepEqual([...byCloseness(signs, '$&', 'word', match(signs, '$&', 'word'))], [2, 1, 0]);
});
