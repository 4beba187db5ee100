import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, match, QueryError } from '#js/data/query.js';
import { createRandom } from '#js/numbers/random.js';

const table = (values) => ({
  n_points: values.length,
  columns: new Map([['w', { values }]]),
  labelColumn: 'w',
  rowNumber: (i) => i,
});
const count = (values, query) => match(table(values), query).length;

const PIECES = [
  ...['a', 'b', 'A', 'ß', 'ſ', 'k', '😀', '.', ' ', '[ab]', '[^a]', '[\\w-]', '\\w', '\\W', '\\d', '\\s', '\\.'],
  ...['(?:', '(', ')', '|', '(?=', '(?!', '*', '+', '?', '+?', 'c{1,2}', '{2}', '{0,3}', '{2,}', '^', '$', '\\b'],
  ...['\\B', '\\x61', '\\u0062', '\\u{1F600}'],
];
const LETTERS = ['a', 'b', 'c', 'A', 'B', 'ß', 's', 'S', 'ſ', 'k', 'K', '😀', '\ud83d', ' ', '.', '1', '\n', '_', 'aa'];

test('an expression finds what that of the browser finds', () => {
  const random = createRandom(11);
  const some = (from, most) =>
    Array.from({ length: Math.floor(random() * most) }, () => from[Math.floor(random() * from.length)]).join('');
  let compared = 0;
  for (let attempt = 0; attempt < 8000; attempt++) {
    const source = `a${some(PIECES, 8)}`.slice(attempt % 2);
    let [theirs, ours] = [null, null];
    try {
      theirs = new RegExp(source, 'iu');
      ours = compile(source);
    } catch {
      continue;
    }
    for (let i = 0; i < 5; i++) {
      const text = some(LETTERS, 7);
      // V8 also searches within the pair of a character, where \B holds.
      if (source.includes('\\B') && text.includes('😀')) continue;
      assert.equal(ours.test(text), theirs.test(text), `/${source}/ in ${JSON.stringify(text)}`);
      compared++;
    }
  }
  assert.ok(compared > 8000, String(compared));
});

test('expressions on which others hang take the time of their values', () => {
  const values = Array.from({ length: 300000 }, (_, i) => `${'a'.repeat(20 + (i % 20))}!`);
  const long = ['x'.repeat(131000), `${'x'.repeat(131000)}y`];
  const { user } = process.cpuUsage();
  for (const query of ['/(a+)+$/', '/(a|aa)+$/', '/(a*)*b/', '/^(a|a?)+$/', '/(.*)*x/'])
    assert.equal(count(values, query), 0);
  assert.equal(count(values, '/(a+)+!$/'), 300000);
  assert.equal(count(long, '/x.*y/'), 1);
  assert.equal(count(long, '/(x+x+)+y/'), 1);
  assert.equal(count(long, '/(?:(?=.*y)x)+/'), 1);
  assert.ok(process.cpuUsage().user - user < 8e6);
});

test('what is too large, too deep or too long is refused, and so is what takes too long', () => {
  for (const [query, why] of [
    ['/(.{0,1000}){1000}/', /cannot be searched for: it is too large/],
    [`/${'('.repeat(300)}a${')'.repeat(300)}/`, /its groups are nested too deep/],
    [`/${'a'.repeat(10001)}/`, /it is longer than 10,000 characters/],
  ]) {
    assert.throws(
      () => count(['a'], query),
      (error) => {
        assert.ok(error instanceof QueryError && why.test(error.message) && error.message.length < 350);
        return true;
      },
    );
  }
  const random = createRandom(2);
  const mixed = Array.from({ length: 131000 }, () => (random() < 0.5 ? 'a' : 'b')).join('');
  const { user } = process.cpuUsage();
  assert.throws(() => count([mixed], '/c.{1000}b/'), /it takes too long on these values; simplify it/);
  assert.ok(process.cpuUsage().user - user < 8e6);
  const asked = table([mixed]);
  assert.throws(() => match(asked, '/c.{1000}b/'), QueryError);
  const again = process.cpuUsage().user;
  assert.throws(() => match(asked, '/c.{1000}b/'), /takes too long/);
  assert.ok(process.cpuUsage().user - again < 1e5);
});

test('more states than are kept at once are made anew', () => {
  const random = createRandom(3);
  const mixed = Array.from({ length: 5000 }, () => (random() < 0.5 ? 'a' : 'b')).join('');
  assert.equal(count([`c${'b'.repeat(301)}${mixed}`, mixed], '/c.{300}b/'), 1);
});
