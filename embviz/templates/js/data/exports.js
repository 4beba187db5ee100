import { shortest } from '#js/data/digits.js';

/** @import { Table } from '#js/data/types.js' */

/** Points and neighbors as tab-separated text: the escapes are those of `--save-coordinates`. */

/** @returns {string} a field without tabs and line ends */
export const field = (text) =>
  String(text).replace(/[\\\t\n\r]/g, (c) => ({ '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' })[c]);

// What a spreadsheet takes for a formula begins so, full-width too and in quotes, which it takes away, and says
// something.
const FORMULA = /^"*[=+\-@＝＋－＠][^]*[\p{L}\p{N}_]/u;
const WORD = /^(?:[+\-@＋－＠][\p{L}][\p{L}\p{N}_.'’-]*|[=＝]\p{L}+)$/u;
const NUMBER = /^[+\-＋－][\p{Nd}., ]*(?:[eE][+-]?\p{Nd}+)?%?$/u;

/** @returns {string} a field that no spreadsheet runs: a formula gets a backslash, words such as -ing do not */
export const cell = (text) => {
  const safe = field(text);
  if (!FORMULA.test(safe)) return safe;
  const bare = safe.replace(/^"+/, '').replace(/(?<!")"+$/, '');
  return WORD.test(bare) || NUMBER.test(bare) ? safe : `\\${safe}`;
};

const text = (lines) => `${lines.join('\n')}\n`;
const line = (values) => values.map(cell).join('\t');

/**
 * Points with their coordinates and metadata, a line each.
 *
 * @param {Table} table @param {Iterable<number>} rows
 * @param {{coordinates: Float32Array, dims: number, names: string[], step?: string, there?: Uint8Array | null}} scene
 *   what is shown, at a step where there are several; nothing stands where a point has no place
 * @returns {string}
 */
export function pointsText(table, rows, { coordinates, dims, names, step = '', there = null }) {
  const columns = [...table.columns.entries()];
  const own = step ? ['row', 'step', ...names] : ['row', ...names];
  const lines = [line([...ownNames(own, table.columns), ...columns.map(([name]) => name)])];
  for (const row of rows) {
    const isThere = !there || there[row] === 1;
    const places = Array.from({ length: dims }, (_, j) => (isThere ? number(coordinates[row * dims + j]) : ''));
    const head = step ? [table.rowNumber(row), cell(step)] : [table.rowNumber(row)];
    lines.push([...head, ...places, ...columns.map(([, { values }]) => cell(values[row]))].join('\t'));
  }
  return text(lines);
}

/** Names beside those of the metadata: one that a column has is told apart, as `embviz export` does it. */
function ownNames(names, columns) {
  const taken = new Set(columns.keys());
  return names.map((name) => {
    let free = name;
    for (let i = 1; taken.has(free); i++) free = i > 1 ? `${name} ${i}` : `${name} number`;
    taken.add(free);
    return free;
  });
}

const number = (x) => (x - x === 0 ? shortest(x) : '');

/**
 * @param {{row: number, side?: string, indices: Int32Array, distances: Float64Array}[]} found of each point, nearest
 *   first; of a side where there are two
 * @param {Table} table @param {(row: number) => string} label @param {string} metric
 */
export function neighborsText(found, table, label, metric) {
  const hasSides = Boolean(found[0]?.side);
  const own = ['row', 'label', ...(hasSides ? ['side'] : [])];
  const lines = [line([...own, 'rank', 'neighbor_row', 'neighbor_label', `${metric}_distance`])];
  for (const { row, side, indices, distances } of found) {
    const head = `${table.rowNumber(row)}\t${cell(label(row))}${hasSides ? `\t${side}` : ''}`;
    indices.forEach((other, i) =>
      lines.push(`${head}\t${i + 1}\t${table.rowNumber(other)}\t${cell(label(other))}\t${shortest(distances[i])}`),
    );
  }
  return text(lines);
}

const LONGEST_NAME = 80;

/** @returns {string} a name for a file, from a title and what it holds, which is not cut off */
export function fileName(title, what, extension) {
  const clean = (text) =>
    text
      .normalize('NFKC')
      .replace(/[^\p{L}\p{N}._-]+/gu, '-')
      .replace(/^[-.]+|[-.]+$/g, '');
  const held = clean(what).slice(0, LONGEST_NAME);
  // What a title says of its own file's kind is not true of this one.
  const of = clean(title.replace(/\.[a-z]\w{1,10}$/i, '')).slice(0, Math.max(0, LONGEST_NAME - held.length - 1));
  return `${[of.replace(/[-.]+$/, ''), held].filter(Boolean).join('-') || 'embviz'}.${extension}`;
}
