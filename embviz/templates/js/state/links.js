import { mostTagged } from '#js/data/tags.js';

/**
 * @import { State } from '#js/data/types.js'
 * @import { Camera } from '#js/drawing/types.js'
 */

/**
 * The view in a URL's fragment: only what differs from the view that the page opens with, `p=tsne&d=3&s=4.9-3`.
 * A fragment is anybody's text: what is not understood is left out and told.
 */
const MOST_ROWS_TEXT = 6000;
const MOST_TEXT = 60000;
const MOST_QUERY = 1000;

// Half a surrogate pair, which no URL holds, becomes the mark of what cannot be shown.
const encode = (text) =>
  encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd')).replace(
    /[~'()*!.]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
const asText = {
  write: (value) => (value === null ? '' : encode(value)),
  read: (text) => limited(decodeURIComponent(text)),
};
const asColumn = { write: asText.write, read: (text) => (text === '' ? null : asText.read(text)) };
const asNumber = {
  write: (value) => (value === null ? '' : String(Number(value.toPrecision(6)))),
  read: (text) => (text === '' ? null : finite(text)),
};
const asFlag = { write: (value) => (value ? '1' : '0'), read: (text) => oneOf(text, { 1: true, 0: false }) };
const asNumbers = {
  write: (values) => values.join('.'),
  read: (text) => (text === '' ? [] : text.split('.').map(whole)),
};
const asAxes = {
  write: (axes) =>
    axes
      .flatMap(({ from, to }) => [encode(from), encode(to)])
      .join('~')
      .replace(/~+$/, ''),
  read(text) {
    const parts = text.split('~').map((part) => limited(decodeURIComponent(part)));
    if (parts.length > 6) throw new RangeError('more than three axes');
    return [0, 1, 2].map((i) => ({ from: parts[2 * i] ?? '', to: parts[2 * i + 1] ?? '' }));
  },
};

/**
 * Short name, key of the state, how it is written. Rows come last: they are the longest.
 *
 * @type {[string, string, {write: (value: any) => string, read: (text: string) => any}][]}
 */
const PARTS = [
  ['p', 'projection', asText],
  ['d', 'dims', asNumber],
  ['c', 'components', asNumbers],
  ['f', 'frame', asNumber],
  ['st', 'step', asNumber],
  ['tr', 'trail', asFlag],
  ['z', 'spherize', asFlag],
  ['a', 'axes', asAxes],
  ['in', 'column', asColumn],
  ['l', 'label_by', asColumn],
  ['k', 'color_by', asColumn],
  ['as', 'color_as', asText],
  ['h', 'hidden', asNumbers],
  ['o', 'pointed', asNumber],
  ['n', 'k', asNumber],
  ['m', 'metric', asText],
  ['t', 'thumbnails', asFlag],
  ['b', 'labels', asText],
  ['r', 'caption', asFlag],
  ['e', 'names', asFlag],
  ['co', 'contours', asFlag],
  ['de', 'density', asFlag],
  ['y', 'layout', asText],
  ['q', 'query', asText],
];
const ROWS = [
  ['i', 'isolated'],
  ['s', 'selected'],
];
const TAGS = 'g';
export const LINKED = Object.freeze([...PARTS.map(([, key]) => key), ...ROWS.map(([, key]) => key), 'tags']);

/**
 * @param {State} state @param {State} initial the state that the page opens with
 * @param {Camera | null} camera of the plot, null at home
 * @param {Int32Array | null} matches the rows that the query selects by itself
 * @returns {{fragment: string, left: string[]}} without `#`; left are the keys that are too long for a link
 */
export function writeLink(state, initial, camera, matches = null) {
  const out = [];
  const left = [];
  for (const [short, key, { write }] of PARTS) {
    if (!(key in initial)) continue;
    const text = write(state[key]);
    if (text !== write(initial[key])) out.push(`${short}=${text}`);
  }
  for (const [short, key] of ROWS) {
    const rows = state[key];
    if (sameRows(rows, initial[key]) || (key === 'selected' && matches && sameRows(rows, matches))) continue;
    const text = rows === null ? '' : writeRows(rows);
    if (text.length > MOST_ROWS_TEXT) left.push(key);
    else out.push(`${short}=${text}`);
  }
  const tags = writeTags(state.tags);
  if (tags.length > MOST_ROWS_TEXT) left.push('tags');
  else if (tags) out.push(`${TAGS}=${tags}`);
  if (camera) out.push(`v=${writeCamera(camera)}`);
  return { fragment: out.join('&'), left };
}

/**
 * @param {string} fragment with or without `#` @param {number} n_points
 * @returns {{patch: any, camera: object | null, odd: string[]}} patch is still to be checked against the page
 */
export function readLink(fragment, n_points) {
  const patch = {};
  const odd = [];
  const seen = new Set();
  let camera = null;
  const text = fragment.replace(/^#/, '');
  if (text.length > MOST_TEXT) return { patch, camera, odd: ['a text that is too long'] };
  for (const part of text.split('&').filter(Boolean)) {
    const at = part.indexOf('=');
    const [short, value] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
    const known = PARTS.find(([name]) => name === short);
    const rows = ROWS.find(([name]) => name === short);
    try {
      if (at < 0) throw new RangeError('no value');
      // Rows and tags that are there again and again would be made again and again.
      if (seen.has(short)) throw new RangeError('there twice');
      seen.add(short);
      if (short === 'v') camera = readCamera(value);
      else if (short === TAGS) patch.tags = readTags(value, n_points);
      else if (known) patch[known[1]] = known[2].read(value);
      else if (rows) patch[rows[1]] = value === '' && short === 'i' ? null : readRows(value, n_points);
      else throw new RangeError('unknown');
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof URIError)) throw error;
      odd.push(short.slice(0, 20));
    }
  }
  return { patch, camera, odd };
}

/** @param {ArrayLike<number>} rows @returns {string} ascending, as steps and runs in base 36 */
export function writeRows(rows) {
  const sorted = Int32Array.from(rows).sort();
  const out = [];
  let next = 0;
  for (let i = 0; i < sorted.length;) {
    let end = i + 1;
    while (end < sorted.length && sorted[end] === sorted[end - 1] + 1) end++;
    out.push((sorted[i] - next).toString(36) + (end - i > 1 ? `-${(end - i).toString(36)}` : ''));
    next = sorted[end - 1] + 1;
    i = end;
  }
  return out.join('.');
}

/** @returns {Int32Array} @throws {RangeError} */
export function readRows(text, n_points) {
  if (text === '') return new Int32Array(0);
  const out = [];
  let next = 0;
  for (const token of text.split('.')) {
    if (!/^[0-9a-z]{1,7}(-[0-9a-z]{1,7})?$/.test(token)) throw new RangeError('no rows');
    const [step, length = 1] = token.split('-').map((digits) => parseInt(digits, 36));
    if (next + step + length > n_points) throw new RangeError('rows beyond the table');
    for (let i = 0; i < length; i++) out.push(next + step + i);
    next += step + length;
  }
  return Int32Array.from(out);
}

/** Column, value and rows of each tag. */
const writeTags = (tags) =>
  tags.flatMap(({ column, value, rows }) => [encode(column), encode(value), writeRows(rows)]).join('~');

function readTags(text, n_points) {
  const parts = text.split('~');
  if (parts.length % 3) throw new RangeError('no tags');
  const out = [];
  let count = 0;
  for (let i = 0; i < parts.length; i += 3) {
    const [column, value] = [parts[i], parts[i + 1]].map((part) => limited(decodeURIComponent(part)));
    const rows = Array.from(readRows(parts[i + 2], n_points));
    count += rows.length;
    if (count > mostTagged(n_points)) throw new RangeError('too many');
    out.push({ column, value, rows });
  }
  return out;
}

/** Of what a camera sees, what its numbers may be off by: a hundredth of a pixel, more or less. */
const PRECISION = 1e-5;

/** @returns {string} the shortest decimal that is as near to x as `within` */
function near(x, within) {
  for (let digits = 1; digits < 17; digits++) {
    const rounded = Number(x.toPrecision(digits));
    if (Math.abs(rounded - x) <= within) return String(rounded);
  }
  return String(x);
}

const listed = (p, span) => [p.x, p.y, p.z].map((x) => near(x, span * PRECISION));

function writeCamera(view) {
  if (view.dims === 2) {
    const ends = [view.x, view.y].flatMap(([a, b]) => [a, b].map((x) => near(x, Math.abs(b - a) * PRECISION)));
    return [2, ...ends].join('_');
  }
  const distance = Math.hypot(view.eye.x - view.center.x, view.eye.y - view.center.y, view.eye.z - view.center.z);
  const upright = Math.hypot(view.up.x, view.up.y, view.up.z);
  return [
    3,
    ...listed(view.eye, distance),
    ...listed(view.center, distance),
    ...listed(view.up, upright),
    ...(view.projection?.type === 'orthographic' ? ['o'] : []),
  ].join('_');
}

function readCamera(text) {
  const parts = text.split('_');
  const isFlat = parts[0] === '2';
  const type = !isFlat && parts[10] === 'o' ? 'orthographic' : 'perspective';
  const numbers = parts.slice(1, isFlat ? undefined : 10).map(finite);
  const isKnown = isFlat ? numbers.length === 4 : parts[0] === '3' && numbers.length === 9 && parts.length <= 11;
  if (!isKnown || (parts.length === 11 && parts[10] !== 'o')) throw new RangeError('no camera');
  const [eye, center, up] = [0, 3, 6].map((at) => ({ x: numbers[at], y: numbers[at + 1], z: numbers[at + 2] }));
  const camera = isFlat
    ? { dims: 2, x: numbers.slice(0, 2), y: numbers.slice(2) }
    : { dims: 3, eye, center, up, projection: { type } };
  if (isEmpty(camera)) throw new RangeError('shows nothing');
  return camera;
}

/** @param {any} camera */
const isEmpty = ({ dims, x, y, eye, center }) =>
  dims === 2 ? [x, y].some(([low, high]) => low >= high) : ['x', 'y', 'z'].every((key) => eye[key] === center[key]);

function finite(text) {
  if (!/^-?\d{1,25}(\.\d{1,25})?(e[+-]?\d{1,3})?$/.test(text) || !Number.isFinite(Number(text)))
    throw new RangeError('no number');
  return Number(text);
}

function whole(text) {
  if (!/^-?\d{1,9}$/.test(text)) throw new RangeError('no number');
  return Number(text);
}

function limited(text) {
  if (text.length > MOST_QUERY) throw new RangeError('too long');
  return text;
}

function oneOf(text, values) {
  if (!Object.hasOwn(values, text)) throw new RangeError('neither 0 nor 1');
  return values[text];
}

function sameRows(a, b) {
  if (a === null || b === null) return a === b;
  if (a.length !== b.length) return false;
  const there = new Set(b);
  return Array.from(a).every((row) => there.has(row));
}
