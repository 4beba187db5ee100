import { FIELDS } from '#js/bookmarks/fields.js';
import { ANY } from '#js/bookmarks/tensorboard.js';
import { shortest } from '#js/data/digits.js';
import { splitColumn } from '#js/data/query.js';

/** @import { Table } from '#js/data/types.js' */

/** Writes views as TensorBoard's `State` objects, and knows how the two name things. */

const NO_COLOR = 'No color map';
const INDEX = '__index__';
const MOST_COLORS = 50;
/** TensorBoard shows the first so many rows; a view of more is an error there. */
export const MOST_POINTS = 100000;
/** What belongs to the session and not to a view; `tags` are edits of the data. */
export const SESSION = new Set([
  'hovered',
  'highlight',
  'walked',
  'sphere',
  'playing',
  'stepping',
  'speed',
  'loop',
  'run',
  'tags',
  'tool',
  'theme',
  'dark',
  'help',
]);
/** What has its own place in a State besides. */
const PLACED = new Set(['selected', 'isolated', 'placed']);

const escaped = (text) => text.replace(/[\^$\\.*+?()[\]{}|/]/g, '\\$&');

/** @returns {{text: string, regex: boolean}} one of our queries as TensorBoard's fields have it */
export function toField(query, table) {
  const { query: plain } = splitColumn(table, query);
  if (plain.startsWith('=')) return { text: plain.length > 1 ? `^${escaped(plain.slice(1))}$` : '', regex: true };
  if (plain.length > 2 && plain.startsWith('/') && plain.endsWith('/'))
    return { text: plain.slice(1, -1), regex: true };
  return { text: plain, regex: false };
}

/**
 * The ends of axes as TensorBoard's fields, which all search one column: that of the first end that is given.
 *
 * @param {{from: string, to: string}[]} axes @param {string | null} column searched where a query names none
 * @returns {{column: string, ends: {text: string, regex: boolean}[], lost: string[]}} ends: left, right, down, up;
 *   lost: queries of another column, whose fields stay empty
 */
export function searchFields(axes, table, column) {
  const queries = [0, 1].flatMap((i) => [axes[i]?.from ?? '', axes[i]?.to ?? '']);
  const place = (query) => {
    const { name } = splitColumn(table, query, column);
    return table.columns.has(name) ? name : INDEX;
  };
  const asked = queries.filter((query) => query !== '');
  const searched = asked.length ? place(asked[0]) : (column ?? INDEX);
  const lost = asked.filter((query) => place(query) !== searched);
  return { column: searched, ends: queries.map((query) => toField(lost.includes(query) ? '' : query, table)), lost };
}

/** @param {any[]} items see list.js @returns {string[]} what TensorBoard will not do with saved views, in sentences */
export function limits(items, table) {
  const isolated = items.find(({ kept, state }) => (kept ? kept.state.isolated : state.filteredPoints)?.length);
  const told = isolated ? [uploadRefused(isolated.label)] : [];
  for (const { label, kept } of items) {
    if (!kept || kept.tab !== ANY) continue;
    const { column, lost } = searchFields(kept.state.axes, table, kept.state.column);
    if (lost.length) told.push(endsLeftOut(label, column === INDEX ? 'row numbers' : column, lost));
  }
  return told;
}

const uploadRefused = (label) =>
  `TensorBoard's own upload refuses a file with isolated points (“${label}”) as of a wrong dataset; ` +
  'it reads one that its config names: embviz export --bookmark';
const endsLeftOut = (label, column, lost) =>
  `TensorBoard searches one column for all ends of axes, in “${label}” ${column}: ` +
  `its fields leave out ${lost.join(' and ')}; the coordinates are saved`;

/** @returns {string} a field of TensorBoard as our query */
export function fromField(text, regex) {
  if (!text) return '';
  if (regex) return `/${text}/`;
  return /^[=/]|:|^\s|\s$/.test(text) ? `/${escaped(text)}/` : text;
}

/** @returns {any} color, label, column and axes of a State, as far as it says */
export function fromTexts(state) {
  const patch = {};
  const color = state.selectedColorOptionName;
  if (typeof color === 'string') {
    patch.color_by = color === NO_COLOR ? null : color;
    patch.color_as = state.forceCategoricalColoring ? 'categories' : 'auto';
  }
  if (typeof state.selectedLabelOption === 'string' && state.selectedLabelOption !== INDEX)
    patch.label_by = state.selectedLabelOption;
  const column = state.customSelectedSearchByMetadataOption;
  if (typeof column === 'string' && column !== INDEX) patch.column = column;
  const field = (name) => fromField(state[`custom${name}Text`] ?? '', Boolean(state[`custom${name}Regex`]));
  if (state.selectedProjection === ANY) {
    patch.axes = [
      { from: field('XLeft'), to: field('XRight') },
      { from: field('YDown'), to: field('YUp') },
      { from: '', to: '' },
    ];
  }
  return patch;
}

/**
 * A view that has been kept: the state, the camera and references to the coordinates there were.
 *
 * @typedef {{label?: string, state: any, shown: Float32Array, name: string, title: string, tab: string, dims: number,
 *   camera: any, ranges: any,
 *   hasAxes: boolean, components: number[], arrays: {keys: string[], data: Float32Array, stride: number}[],
 *   params: object}} Kept `tab` is TensorBoard's; `params` see `controls` in tensorboard.js
 */

/**
 * @param {Kept} kept see keepView
 * @param {Table} table @param {object} [tags] see tags.js
 * @returns {string} one State as JSON, with coordinates of the points shown
 */
export function stateText(kept, table, tags) {
  const view = viewOf(kept, table, tags);
  const state = Object.fromEntries(FIELDS.filter(([, , write]) => write).map(([key, , write]) => [key, write(view)]));
  const head = JSON.stringify(state);
  const at = head.indexOf('"projections":[]') + '"projections":['.length;
  const places = projectionsText(kept.arrays, kept.state.isolated ?? null, view.shape[0]);
  return `${head.slice(0, at)}${places}${head.slice(at)}`;
}

/** A kept view in TensorBoard's terms, for `FIELDS`. */
function viewOf(kept, table, tags) {
  const { state } = kept;
  const rows = state.isolated ?? null;
  const n = rows ? rows.length : Math.min(table.n_points, MOST_POINTS);
  const place = rows ? new Map(Array.from(rows, (row, i) => [row, i])) : null;
  const selected = Array.from(state.selected, (row) => (place ? place.get(row) : row));
  return {
    ...kept,
    ...searchFields(kept.tab === ANY ? state.axes : [], table, state.column),
    shape: [n, table.n_dims],
    selected: selected.filter((i) => i !== undefined && i < n),
    filtered: rows ? Array.from(rows) : null,
    colorName: colorName(state, table),
    labelName: state.label_by ?? INDEX,
    ours: { ...ourFields(kept, table, n), ...(tags ? { tags } : {}) },
  };
}

/** What TensorBoard has no place for. */
function ourFields({ state, dims, camera }, table, n) {
  const isCut = n < table.n_points && !state.isolated;
  return {
    version: 1,
    n_points: table.n_points,
    projection: state.projection,
    dims,
    camera,
    ...(isCut ? { selected: Array.from(state.selected) } : {}),
    view: Object.fromEntries(Object.entries(state).filter(([key]) => !SESSION.has(key) && !PLACED.has(key))),
  };
}

/** TensorBoard does not color by a text column of more than fifty values. */
function colorName(state, table) {
  const column = state.color_by === null ? undefined : table.columns.get(state.color_by);
  if (!column || (column.kind !== 'number' && new Set(column.values).size > MOST_COLORS)) return NO_COLOR;
  return state.color_by;
}

function projectionsText(arrays, rows, n) {
  const out = new Array(n);
  const heads = arrays.map(({ keys }) => keys.map((key) => `${JSON.stringify(key)}:`));
  for (let i = 0; i < n; i++) {
    const row = rows ? rows[i] : i;
    const parts = [];
    arrays.forEach(({ data, stride }, a) => {
      heads[a].forEach((head, j) => {
        const value = data[row * stride + j];
        if (value - value === 0) parts.push(head + shortest(value));
      });
    });
    out[i] = `{${parts.join(',')}}`;
  }
  return out.join(',');
}
