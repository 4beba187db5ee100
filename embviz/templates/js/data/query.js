import { createExpression, ExpressionError } from '#js/data/expression.js';

/** @import { Table } from '#js/data/types.js' */

/**
 * The query language that the command line knows too (embviz/queries.py; tests/data/queries.json
 * holds the cases of both): `best` is a case-insensitive substring, `=best` the whole label,
 * `/^best$/` a regular expression, case-insensitive and unanchored, `column:query` another column.
 */

/* Blanks around a query are not part of it; after `=` those of the label are, as tokens begin and end in such. */

/** Of an expression, in characters; of what a message repeats of it. */
const LONGEST = 10000;
const MOST_SHOWN = 200;

/** A query that cannot be understood; its message is shown beside the field. */
export class QueryError extends Error {}

/**
 * @param {Table} table
 * @param {string} text
 * @param {string | null} [column] the column searched where the query names none
 * @returns {Int32Array} indices of the matching points, ascending
 * @throws {QueryError} when a regular expression is not understood or takes too long, or nothing is asked
 */
export function match(table, text, column = table.labelColumn) {
  const { name, query } = splitColumn(table, text, column);
  if (query === '') throw new QueryError('Type something to search for');
  const searched = table.columns.get(name)?.values ?? table;
  const known = refused.get(searched)?.get(query);
  if (known) throw known;
  const values = columnValues(table, name);
  const rowsThat = (test) => {
    const found = [];
    for (let i = 0; i < table.n_points; i++) if (test(values(i))) found.push(i);
    return found;
  };
  try {
    const found = rowsThat(predicate(query));
    const bare = query.trimEnd();
    const isTyped = found.length === 0 && bare !== query && bare !== '=';
    return Int32Array.from(isTyped ? rowsThat(predicate(bare)) : found);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw refuse(searched, query, error.message);
  }
}

/**
 * What a search found as it is listed: labels that are the text first, then those that are it but for case, then those
 * that begin so, then the rest, each in the order of their rows; of `=best` and of regular expressions by row.
 *
 * @param {Table} table @param {string} text @param {string | null} column searched where the query names none
 * @param {Int32Array} rows that match @returns {Int32Array}
 */
export function byCloseness(table, text, column, rows) {
  const { name, query } = splitColumn(table, text, column);
  if (kindOf(query) !== 'substring') return rows;
  const values = columnValues(table, name);
  const [whole, start] = ['$', ''].map((end) => new RegExp(`^${escaped(query)}${end}`, 'iu'));
  const ranks = [[], [], [], []];
  for (const row of rows) {
    const value = values(row);
    ranks[value === query ? 0 : whole.test(value) ? 1 : start.test(value) ? 2 : 3].push(row);
  }
  return Int32Array.from(ranks.flat());
}

/** What was found to be too much for some values, so that no time is lost on it again: values -> query -> error. */
const refused = new WeakMap();

function refuse(values, query, why) {
  const error = new QueryError(`${shortened(query)} cannot be searched for: ${why}`);
  if (!refused.has(values)) refused.set(values, new Map());
  refused.get(values).set(query, error);
  return error;
}

const shortened = (text) => (text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text);

/** @returns {{name: string | null, query: string}} the column asked for and the query without it, and without blanks */
export function splitColumn(table, text, column = table.labelColumn) {
  const names = [...table.columns.keys(), ...(table.columns.has('row') ? [] : ['row'])];
  for (const typed of [text, text.trimStart()]) {
    const named = names.filter((name) => name !== '' && typed.startsWith(`${name}:`));
    if (!named.length) continue;
    const longest = named.reduce((best, name) => (name.length > best.length ? name : best));
    return { name: longest, query: withoutBlanks(typed.slice(longest.length + 1)) };
  }
  return { name: column, query: withoutBlanks(text) };
}

/** A query without the blanks around it; those after `=` may be the label's. */
const withoutBlanks = (query) => (query.trimStart().startsWith('=') ? query.trimStart() : query.trim());

function columnValues(table, name) {
  const column = name === null ? undefined : table.columns.get(name);
  if (column) return (i) => column.values[i];
  return (i) => String(table.rowNumber(i));
}

const escaped = (text) => text.replace(/[\^$\\.*+?()[\]{}|/]/g, '\\$&');

/** @param {string} query without a column @returns {'whole' | 'regex' | 'substring'} */
function kindOf(query) {
  if (query.startsWith('=')) return 'whole';
  return query.length >= 2 && query.startsWith('/') && query.endsWith('/') ? 'regex' : 'substring';
}

/** @param {string} query without a column @returns {(value: string) => boolean} */
export function predicate(query) {
  const kind = kindOf(query);
  if (kind === 'whole') {
    const whole = query.slice(1);
    return (value) => value === whole;
  }
  if (kind === 'regex') {
    const expression = compile(query.slice(1, -1));
    return (value) => expression.test(value);
  }
  return containing(query);
}

/** Up to so many characters a text is tried at each place of a value, and in a value of up to twice as many. */
const SHORT = 32;

/** @returns {(value: string) => boolean} whether a text is in a value, in a time that grows with its length only */
function containing(query) {
  // The flags fold case a character at a time, by Unicode's simple folding, as the command line does.
  const part = query.length <= LONGEST ? new RegExp(escaped(query), 'iu') : null;
  let long = null;
  return (value) => {
    if (value.length < query.length) return false;
    if (part === null) throw new ExpressionError(`it is longer than ${LONGEST.toLocaleString('en')} characters`);
    if (query.length <= SHORT || value.length <= 2 * SHORT) return part.test(value);
    long ??= createExpression(escaped(query));
    return long.test(value);
  };
}

/**
 * What JavaScript knows and the shared dialect leaves out (embviz/regexes.py).
 *
 * @type {[RegExp, string][]}
 */
const LEFT_OUT = [
  [/\(\?(?![:=!])/u, 'only (?:, (?= and (?! may follow “(”'],
  [/\\(?:[1-9kpPc]|0\d)/u, 'back references, \\p and \\c are not supported'],
  [/\[\^?\]/u, 'a class is empty'],
  [
    /\{(?:\d+,)?0*(?:1\d{2}[1-9]|1\d[1-9]\d|1[1-9]\d{2}|[2-9]\d{3}|[1-9]\d{4,})\D/u,
    'more than 1000 repeats are not supported',
  ],
  [/\\u[dD][89a-fA-F]/u, 'half of a surrogate pair; write \\u{…}'],
  [/\[[^\]]*\\b/u, 'the escape \\b is not supported in a class'],
];

/**
 * @param {string} source what stands between the slashes
 * @returns {{test: (value: string) => boolean}} without regard to case, anywhere in a value, see expression.js
 * @throws {QueryError} when it is not understood @throws {ExpressionError} when it is too large
 */
export function compile(source) {
  const refuse = (why) => new QueryError(`/${shortened(source)}/ is no regular expression here: ${why}`);
  if (source === '') throw refuse('it is empty');
  if (source.length > LONGEST) throw refuse(`it is longer than ${LONGEST.toLocaleString('en')} characters`);
  const bare = source.replace(/\\[\\[\](){}]/gu, 'x');
  const wrong = LEFT_OUT.find(([pattern]) => pattern.test(bare));
  if (wrong) throw refuse(wrong[1]);
  try {
    // The browser judges the syntax only: its own search may take longer than anyone waits.
    RegExp(source, 'iu');
  } catch (error) {
    throw refuse(String(error.message).split(': ').pop().toLowerCase());
  }
  return createExpression(source);
}
