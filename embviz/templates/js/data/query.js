import { createExpression, ExpressionError } from '#js/data/expression.js';

/** @import { Table } from '#js/data/types.js' */

/**
 * The query language that the command line knows too (embviz/queries.py; tests/data/queries.json
 * holds the cases of both): `best` is a case-insensitive substring, `=best` the whole label,
 * `/^best$/` a regular expression, case-insensitive and unanchored, `column:query` another column.
 */

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
  const found = [];
  try {
    const test = predicate(query);
    for (let i = 0; i < table.n_points; i++) if (test(values(i))) found.push(i);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw refuse(searched, query, error.message);
  }
  return Int32Array.from(found);
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

/** @returns {{name: string | null, query: string}} the column asked for and the query without it */
export function splitColumn(table, text, column = table.labelColumn) {
  let best = null;
  for (const name of [...table.columns.keys(), ...(table.columns.has('row') ? [] : ['row'])]) {
    if (name !== '' && text.startsWith(`${name}:`) && (best === null || name.length > best.length)) best = name;
  }
  return best === null ? { name: column, query: text } : { name: best, query: text.slice(best.length + 1) };
}

function columnValues(table, name) {
  const column = name === null ? undefined : table.columns.get(name);
  if (column) return (i) => column.values[i];
  return (i) => String(table.rowNumber(i));
}

/** @param {string} query without a column @returns {(value: string) => boolean} */
export function predicate(query) {
  if (query.startsWith('=')) {
    const whole = query.slice(1);
    return (value) => value === whole;
  }
  if (query.length >= 2 && query.startsWith('/') && query.endsWith('/')) {
    const expression = compile(query.slice(1, -1));
    return (value) => expression.test(value);
  }
  // The flags fold case a character at a time, by Unicode's simple folding, as the command line does.
  const part = new RegExp(query.replace(/[\^$\\.*+?()[\]{}|/]/g, '\\$&'), 'iu');
  return (value) => part.test(value);
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
