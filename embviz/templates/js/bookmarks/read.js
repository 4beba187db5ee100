import { FIELDS, isIndices, isNumber, isObject } from '#js/bookmarks/fields.js';
import { chosenDims, OURS, storedIn, USUAL } from '#js/bookmarks/tensorboard.js';
import { fromTexts, MOST_POINTS } from '#js/bookmarks/write.js';

/**
 * Reads bookmark files: a JSON array of TensorBoard's `State` objects (tensorboard, vz_projector/data.ts), from 2017 to
 * now, ours with a further key `embviz`. Everything in them is checked before it is used; nothing is trusted.
 */
export const MOST_BYTES = 200 * 2 ** 20;
const MOST_BOOKMARKS = 1000;
/** Lists and objects within each other: TensorBoard's have four. */
const DEEPEST = 50;
/** Characters from which on a text is looked through before it becomes lists, which take twenty times its room. */
const LONG = 2 ** 20;

const [QUOTE, BACKSLASH, LIST, OBJECT] = [0x22, 0x5c, 0x5b, 0x7b];

/** What is wrong with a file, in a sentence for its reader. */
export class BookmarkError extends Error {}

/**
 * @param {string} text of the file
 * @param {{n_points: number, n_dims: number, total: number, rows: Int32Array | null}} data of the page
 * @returns {{label: string, state: object}[]}
 * @throws {BookmarkError} when it is damaged, or saved from other data
 */
export function readBookmarks(text, data) {
  let found;
  if (text.length > LONG && isDeep(text))
    throw new BookmarkError(`lists and objects more than ${DEEPEST} deep within each other`);
  try {
    found = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new BookmarkError(`not JSON: ${String(error.message).slice(0, 120)}`);
  }
  const states = isObject(found) && Object.hasOwn(found, 'projections') ? [found] : found;
  if (!Array.isArray(states)) throw new BookmarkError('not a list of saved views');
  if (states.length > MOST_BOOKMARKS)
    throw new BookmarkError(`${states.length} bookmarks, at most ${MOST_BOOKMARKS} are read`);
  return states.map((state, i) => checkBookmark(state, i + 1, data));
}

/** @param {string} text of JSON @returns {boolean} whether a view in it is nested deeper than is read */
function isDeep(text) {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      for (i++; i < text.length && text.charCodeAt(i) !== QUOTE; i++) if (text.charCodeAt(i) === BACKSLASH) i++;
    } else if (c === LIST || c === OBJECT) {
      if (++depth > DEEPEST + 2) return true; // within the list of views, and a view
    } else if (c === LIST + 2 || c === OBJECT + 2) depth--;
  }
  return false;
}

/** @returns {{label: string, state: object}} @throws {BookmarkError} */
export function checkBookmark(state, number, data) {
  const refuse = (why) => new BookmarkError(`bookmark ${number}: ${why}`);
  if (!isObject(state)) throw refuse('not a saved view');
  for (const [key, value] of Object.entries(state)) {
    const odd = unwritable(value);
    if (odd) throw refuse(`${key.slice(0, 60)} holds ${odd}`);
  }
  for (const [key, { fits, wanted, isStrict }] of FIELDS) {
    if (!Object.hasOwn(state, key) || (state[key] === null && !isStrict)) continue;
    if (!fits(state[key])) throw refuse(`${key} is ${shown(state[key])}, not ${wanted}`);
  }
  if (!Object.hasOwn(state, 'projections') && !Object.hasOwn(state, 'selectedProjection'))
    throw refuse('not a saved view: neither projections nor selectedProjection');
  checkData(state, data, refuse);
  return { label: state.label || `bookmark ${number}`, state };
}

/** @returns {string} what of a value of JSON could not be written again as it is, '' where all could */
function unwritable(value) {
  let level = [[value]];
  for (let depth = 0; level.length; depth++) {
    if (depth > DEEPEST) return `lists and objects more than ${DEEPEST} deep within each other`;
    const next = [];
    for (const holder of level) {
      for (const each of Array.isArray(holder) ? holder : Object.values(holder)) {
        if (typeof each === 'object' && each !== null) next.push(each);
        else if (each === Infinity || each === -Infinity) return 'a number that is too large, such as 1e999';
      }
    }
    level = next;
  }
  return '';
}

const shown = (value) => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
};

/** Refuse a view of other data: by its shape and by the rows that it names. */
function checkData(state, data, refuse) {
  const { n_points: n, n_dims: d, total } = data;
  const filtered = state.filteredPoints?.length ? state.filteredPoints : null;
  const whole = filtered ? null : state.dataSetDimensions?.[0];
  const saved = state.dataSetDimensions;
  const here = n === total ? `${n} × ${d}` : `${n} of ${total} × ${d}`;
  if (
    saved &&
    (saved[1] !== d ||
      (whole !== null && whole !== n && whole !== total && !(whole === MOST_POINTS && total > MOST_POINTS)))
  )
    throw refuse(`saved from data of ${saved[0]} × ${saved[1]}, this is ${here}`);
  if (saved && filtered && saved[0] !== filtered.length)
    throw refuse(`dataSetDimensions says ${saved[0]} points, filteredPoints names ${filtered.length}`);
  const most = Math.max(n, total);
  const beyond = filtered?.find((row) => row >= most);
  if (beyond !== undefined) throw refuse(`names row ${beyond}, the data here has ${most} rows`);
  const count = filtered ? filtered.length : (whole ?? most);
  const outside = state.selectedPoints?.find((place) => place >= count);
  if (outside !== undefined) throw refuse(`selectedPoints names point ${outside} of ${count}`);
  if ((state.projections?.length ?? 0) > count)
    throw refuse(`coordinates of ${state.projections.length} points where ${count} are shown`);
}

/**
 * What a saved view says, in our terms. Which of it fits the page is for the caller to check, key by key.
 *
 * @param {any} state checked @param {{n_points, n_dims, total, rows}} data
 * @returns {{patch: any, ours: any, camera: any, ourCamera: any,
 *   placed: {name: string, dims: number, data: Float32Array} | null, missing: number}} missing points are not here
 */
export function fromState(state, data) {
  const filtered = state.filteredPoints?.length ? state.filteredPoints : null;
  const mine = isObject(state[OURS]) ? state[OURS] : {};
  const index = indexer(state, mine, filtered, data);
  const count = filtered ? filtered.length : (state.dataSetDimensions?.[0] ?? data.n_points);
  const rows = Int32Array.from({ length: count }, (_, i) => index(filtered ? filtered[i] : i));
  const there = rows.filter((row) => row >= 0);
  const name = state.selectedProjection ?? USUAL;
  const dims = chosenDims(state, name);
  const isAll = !filtered && (there.length === data.n_points || mine.n_points === data.n_points);
  const selected = isIndices(mine.selected)
    ? Int32Array.from(mine.selected).filter((row) => row < data.n_points)
    : Int32Array.from(state.selectedPoints ?? [], (place) => rows[place]).filter((row) => row >= 0);
  /** @type {any} */
  const patch = { projection: name, dims, isolated: isAll ? null : there, selected, ...fromTexts(state) };
  if (storedIn(name).chosen && state.pcaComponentDimensions) patch.components = state.pcaComponentDimensions;
  return {
    patch,
    ours: isObject(mine.view) ? mine.view : {},
    camera: state.cameraDef ?? null,
    ourCamera: isObject(mine.camera) ? mine.camera : null,
    placed: placedBy(state, name, dims, rows, data.n_points),
    missing: count - there.length,
  };
}

/** Rows of the file to rows of the page: the same where both show the same, else by the row numbers of the source. */
function indexer(state, mine, filtered, { n_points: n, total, rows }) {
  const own = rows === null || n === total;
  const whole = filtered ? (mine.n_points ?? (own ? n : total)) : (state.dataSetDimensions?.[0] ?? n);
  if (own || whole === n) return (row) => (row < n ? row : -1);
  const places = new Map(Array.from(rows, (row, i) => [row, i]));
  return (row) => places.get(row) ?? -1;
}

/** The file's own coordinates of what it shows, NaN elsewhere; null where it has none. */
function placedBy(state, name, dims, rows, n_points) {
  const mine = isObject(state[OURS]) ? state[OURS] : {};
  const { key: keyOf, chosen } = storedIn(name);
  const keys = (chosen?.(state) ?? Array.from({ length: dims }, (_, i) => i)).map(keyOf);
  const points = state.projections ?? [];
  const out = new Float32Array(n_points * dims).fill(NaN);
  let found = 0;
  points.forEach((point, i) => {
    const values = keys.map((key) => (Object.hasOwn(point, key) ? point[key] : null));
    if (rows[i] < 0 || !values.every(isNumber)) return;
    found += 1;
    out.set(values, rows[i] * dims);
  });
  return found
    ? { name: typeof mine.projection === 'string' ? mine.projection.slice(0, 100) : name, dims, data: out }
    : null;
}
