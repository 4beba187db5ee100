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

/** @returns {number} milliseconds of the processor that a query took, answered or refused by a QueryError */
function cost(values, query) {
  const { user } = process.cpuUsage();
  try {
    count(values, query);
  } catch (error) {
    assert.ok(error instanceof QueryError && error.message.length < 450, String(error));
  }
  return (process.cpuUsage().user - user) / 1000;
}

test('nothing takes no time, however often it is repeated', () => {
  for (const source of ['(((){1000}){1000}){1000}', '(?:(?:(?:){1000}){1000}){1000}x', '((a{0}){1000}){1000}'])
    assert.ok(cost(['a', ''], `/${source}/`) < 500, source);
  assert.equal(count(['a', ''], '/^(((){1000}){1000}){1000}$/'), 1);
  assert.equal(count(['ab', 'b'], '/^(()a(){3}){1}(b{0}){9}b$/'), 1);
});

test('many atoms for many characters are refused before they take long', () => {
  const han = Array.from({ length: 20000 }, (_, i) => String.fromCodePoint(0x4e00 + i));
  for (const join of ['|', '']) {
    const query = `/${han.slice(0, 4900).join(join)}/`;
    assert.ok(cost([han.join('')], query) < 8000, join);
    assert.throws(() => count([han.slice(5000).join('')], query), /takes too long on these values/);
  }
  assert.equal(count(han, `/${han.slice(0, 40).join('|')}/`), 40);
});

test('a long text is searched for in the time of its values', () => {
  const values = ['a'.repeat(1e6), `${'b'.repeat(5e5)}${'a'.repeat(999)}B`];
  assert.ok(cost(values, `${'a'.repeat(999)}b`) < 4000);
  assert.equal(count(values, `${'A'.repeat(999)}b`), 1);
  assert.equal(count([`x${'é'.repeat(90)}ſ`, 'é'.repeat(91)], `${'É'.repeat(90)}s`), 1);
  assert.equal(count([`1${'.'.repeat(80)}`, '.'.repeat(80)], '.'.repeat(80)), 2);
  assert.ok(cost(['aaa'], 'q'.repeat(3e6)) < 500, 'no value is as long');
  assert.throws(() => count(['q'.repeat(3e6)], 'q'.repeat(2e6)), /it is longer than 10,000 characters/);
});

test('expressions that are made at random are answered or refused in time', () => {
  const random = createRandom(5);
  const pieces = [
    'a',
    '.',
    'w',
    '\\w',
    '[^a]',
    '(?:',
    '(',
    '(?=',
    '(?!',
    ')',
    '|',
    '*',
    '+',
    '{1000}',
    '{0,1000}',
    '()',
  ];
  const values = ['a'.repeat(3e4), 'The quick brown fox', '\u4e00\u4e8c'.repeat(1e4), ...Array(500).fill('w17')];
  let slowest = 0;
  for (let i = 0; i < 1500; i++) {
    const length = [4, 12, 60][i % 3];
    const text = Array.from({ length }, () => pieces[Math.floor(random() * pieces.length)]).join('');
    const open = text.split('(').length - text.split(')').length;
    slowest = Math.max(slowest, cost(values, `/${text}${')'.repeat(Math.max(0, open))}/`));
  }
  assert.ok(slowest < 6000, `${slowest} ms`);
});
