import { colorPoints } from '#js/color.js';
import { axisCoordinates, axisTitle, customView } from '#js/axes.js';
import { nearest } from '#js/neighbors.js';
import { bounds, dimsOf, entryFor, frameAt, pick } from '#js/projections.js';
import { match, QueryError } from '#js/query.js';
import { categories } from '#js/table.js';

const NONE = new Int32Array(0);

/**
 * The state that a page opens with.
 *
 * @param {object} page {manifest, table, tabs, vectors}
 */
export function initialState(page) {
  const { manifest, tabs } = page;
  const first = tabs.get(manifest.first) ?? [...tabs.values()][0];
  const dims = dimsOf(first);
  const carried = page.carried.map(({ from, to }) => ({ from, to }));
  return {
    projection: first.name,
    dims: dims.includes(manifest.dims) ? manifest.dims : dims[0],
    components: [0, 1, 2],
    frame: null,
    playing: false,
    axes: [0, 1, 2].map((i) => carried[i] ?? { from: '', to: '' }),
    label_by: manifest.label_by,
    color_by: manifest.color_by ?? defaultColor(page),
    color_as: 'auto',
    hidden: [],
    query: '',
    column: manifest.label_by,
    selected: Int32Array.from(manifest.selected),
    isolated: manifest.isolated.length ? Int32Array.from(manifest.isolated) : null,
    hovered: -1,
    k: Math.min(10, Math.max(1, manifest.n_points - 1)),
    metric: manifest.metric,
    thumbnails: Boolean(manifest.sprite),
    labels: manifest.n_points <= 300 ? 'many' : 'few',
    tool: 'pan',
    theme: 'system',
    dark: false,
    help: false,
  };
}

/** The label column, or else the first, that has a few values only: it says something at first sight. */
function defaultColor({ manifest, table }) {
  const names = [manifest.label_by, ...table.columns.keys()].filter((name) => name !== null);
  return names.find((name) => {
    const distinct = categories(table.columns.get(name)).names.length;
    return distinct >= 2 && distinct <= Math.min(50, table.n_points / 3);
  }) ?? null;
}

const isOneOf = (...values) => (value) => values.includes(value) || `is not one of ${values.map((v) => `'${v}'`).join(', ')}`;
const isBoolean = isOneOf(true, false);
const isText = (value) => typeof value === 'string' || 'is not a text';

/** What each key of the state may be: a function of the value and the page, true or what is wrong. */
const RULES = {
  projection: (value, page) => isOneOf(...page.tabs.keys())(value),
  dims: isOneOf(2, 3),
  components: (value, page) => (Array.isArray(value) && value.length >= 2 && value.length <= 3
    && value.every((c) => Number.isInteger(c) && c >= 0 && c < (page.tabs.get('pca')?.entries[0].n_components ?? 0))) || 'is not two or three component numbers',
  frame: (value) => value === null || (Number.isFinite(value) && value >= 0) || 'is neither null nor a frame number',
  playing: isBoolean,
  axes: (value) => (Array.isArray(value) && value.length >= 1 && value.length <= 3
    && value.every((axis) => typeof axis?.from === 'string' && typeof axis?.to === 'string')) || 'is not one to three {from, to}',
  label_by: (value, page) => value === null || isOneOf(...page.table.columns.keys())(value),
  color_by: (value, page) => value === null || isOneOf(...page.table.columns.keys())(value),
  color_as: isOneOf('auto', 'categories', 'gradient'),
  hidden: (value) => (Array.isArray(value) && value.every(Number.isInteger)) || 'is not a list of legend codes',
  query: isText,
  column: (value, page) => value === null || isOneOf(...page.table.columns.keys())(value),
  selected: isRows,
  isolated: (value, page) => value === null || isRows(value, page),
  hovered: (value, page) => (Number.isInteger(value) && value >= -1 && value < page.table.n_points) || 'is not a row',
  k: (value, page) => (Number.isInteger(value) && value >= 1 && value < Math.max(2, page.table.n_points)) || `is not in 1 .. ${page.table.n_points - 1}`,
  metric: isOneOf('cosine', 'euclidean'),
  thumbnails: isBoolean,
  labels: isOneOf('few', 'many', 'none'),
  tool: isOneOf('pan', 'box', 'lasso'),
  theme: isOneOf('system', 'light', 'dark'),
  dark: isBoolean,
  help: isBoolean,
};

function isRows(value, page) {
  const rows = Array.isArray(value) || ArrayBuffer.isView(value);
  return (rows && Array.from(value).every((r) => Number.isInteger(r) && r >= 0 && r < page.table.n_points)) || 'is not a list of rows';
}

/**
 * What can be asked of the page and changed in it. The panels and `window.embviz` use the same.
 *
 * @param {object} page {manifest, table, tabs, vectors, carried}
 * @param {object} store see store.js
 */
export function createView(page, store) {
  const memo = createMemo();
  const { table, tabs } = page;

  function set(patch) {
    for (const [key, value] of Object.entries(patch)) {
      const verdict = Object.hasOwn(RULES, key) ? RULES[key](value, page) : `is not known; there are ${Object.keys(RULES).join(', ')}`;
      if (verdict !== true) throw new Error(`${key}: ${JSON.stringify(value)} ${verdict}`);
    }
    const next = { ...patch };
    for (const key of ['selected', 'isolated']) if (next[key]) next[key] = Int32Array.from(new Set(next[key]));
    store.set(settle(next));
  }

  /** Changes that follow from others: a tab's own dimensions, a query's matches. */
  function settle(patch) {
    const state = { ...store.get(), ...patch };
    const available = dimsOf(tabs.get(state.projection));
    if (!available.includes(state.dims)) {
      if ('dims' in patch) throw new Error(`dims: ${state.projection} is in this page in ${available.join(' and ')} dimensions only`);
      patch.dims = available[0];
    }
    if ('projection' in patch || 'dims' in patch) Object.assign(patch, { frame: patch.frame ?? null, playing: patch.playing ?? false });
    if ('color_by' in patch && !('hidden' in patch)) patch.hidden = [];
    if ('color_by' in patch && !('color_as' in patch)) patch.color_as = 'auto';
    if ('query' in patch && !('selected' in patch)) {
      if (patch.query.trim() === '') patch.selected = NONE;
      else if (!search(patch.query, state.column).error) patch.selected = search(patch.query, state.column).rows;
    }
    return patch;
  }

  /** @returns {{rows: Int32Array, error: string}} */
  const search = (text, column) => memo('search', [text, column], () => {
    try {
      return { rows: match(table, text, column), error: '' };
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      return { rows: NONE, error: error.message };
    }
  });

  /** @returns {{indices: Int32Array, distances: Float32Array}} */
  function neighbors(row, k = store.get().k, metric = store.get().metric) {
    if (!page.vectors) throw new Error(page.manifest.vectors_note);
    return memo('neighbors', [row, k, metric], () => nearest(page.vectors, row, k, metric));
  }

  /** The selected point's neighbors, empty where they cannot be had. */
  function currentNeighbors(state = store.get()) {
    if (state.selected.length !== 1 || !page.vectors) return { indices: NONE, distances: new Float32Array(0), error: page.vectors ? '' : page.manifest.vectors_note };
    try {
      return { ...neighbors(state.selected[0], state.k, state.metric), error: '' };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { indices: NONE, distances: new Float32Array(0), error: error.message };
    }
  }

  /** @returns {Float32Array} (n_points, dims) row by row, of the finished projection */
  function coordinates(name, dims) {
    const entry = entryFor(tabs.get(name), dims);
    if (!entry) throw new Error(`${name} is not in this page in ${dims} dimensions`);
    return pick(entry.data, entry.n_components, Array.from({ length: dims }, (_, i) => i));
  }

  /** What the plot shows: {coordinates, dims, axes | null, ranges, error, key} */
  function scene(state = store.get()) {
    const { projection, dims, components, frame, axes, isolated, column } = state;
    const inputs = [projection, dims, projection === 'pca' ? components.join() : '', frame, projection === 'custom' ? JSON.stringify(axes) + column : '', isolated];
    return memo('scene', inputs, () => {
      const shown = placed(state);
      return { ...shown, dims, key: inputs.slice(0, 3).join(' ') + inputs[4], ranges: bounds(shown.extent ?? shown.coordinates, dims, isolated) };
    });
  }

  function placed({ projection, dims, components, frame, axes, column }) {
    const entry = entryFor(tabs.get(projection), dims);
    if (projection === 'custom' && page.vectors && !sameAxes(axes, entry, dims)) {
      try {
        return customView(page, axes.slice(0, dims), column);
      } catch (error) {
        if (!(error instanceof QueryError)) throw error;
        return { ...finished(entry, dims), error: error.message };
      }
    }
    if (frame !== null && entry.frameData) {
      return { coordinates: frameAt(entry.frameData, table.n_points * dims, frame), extent: entry.data, axes: null };
    }
    return finished(entry, dims, projection === 'pca' ? chosen(components, dims) : undefined);
  }

  function finished(entry, dims, which = Array.from({ length: dims }, (_, i) => i)) {
    const axes = entry.axes.length ? which.map((c) => entryAxis(entry, c)) : null;
    return { coordinates: pick(entry.data, entry.n_components, which), axes };
  }

  const sameAxes = (axes, entry, dims) => (entry.params.axes ?? []).slice(0, dims).every((given, i) => {
    const typed = axes[i] ?? { from: '', to: '' };
    return typed.from === (given.from ?? '') && typed.to === (given.to ?? '');
  });

  /** @returns {{colors: Uint8Array, legend: object}} */
  const coloringOf = (state = store.get()) => memo('colors', [state.color_by, state.color_as, state.dark], () => colorPoints(
    state.color_by === null ? null : table.columns.get(state.color_by), { n: table.n_points, as: state.color_as, dark: state.dark }));

  /** @returns {Uint8Array | null} 1 where a point is shown, by isolating and the legend's filter */
  const visible = (state = store.get()) => memo('visible', [state.isolated, state.hidden, state.color_by, state.color_as], () => {
    if (!state.isolated && !state.hidden.length) return null;
    const out = new Uint8Array(table.n_points).fill(state.isolated ? 0 : 1);
    if (state.isolated) for (const row of state.isolated) out[row] = 1;
    if (state.hidden.length && state.color_by !== null) {
      const { codes, names } = categories(table.columns.get(state.color_by));
      const most = coloringOf(state).legend.entries?.find((entry) => entry.rest && entry.code >= 0)?.code ?? names.length;
      const hidden = new Set(state.hidden);
      for (let i = 0; i < out.length; i++) if (hidden.has(Math.min(codes[i], most))) out[i] = 0;
    }
    return out;
  });

  return {
    get: store.get, set, search, neighbors, currentNeighbors, coordinates, scene, coloring: coloringOf, visible,
    axis: (from, to, column = store.get().column) => axisCoordinates(page, { from, to }, column),
    label: (row) => table.label(row, store.get().label_by),
  };
}

/** @returns {number[]} the components of a 2D or 3D view */
export function chosen(components, dims) {
  const out = components.slice(0, dims);
  for (let c = 0; out.length < dims; c++) if (!out.includes(c)) out.push(c);
  return out;
}

function entryAxis(entry, c) {
  const given = entry.params.axes?.[c];
  return given?.from !== undefined ? axisTitle(given) : { title: entry.axes[c] ?? '', low: '', high: '' };
}

/** Keep the last result of each kind while its inputs stay the same objects. */
function createMemo() {
  const kept = new Map();
  return (kind, inputs, compute) => {
    const last = kept.get(kind);
    if (last && last.inputs.every((input, i) => Object.is(input, inputs[i]))) return last.value;
    const value = compute();
    kept.set(kind, { inputs, value });
    return value;
  };
}
