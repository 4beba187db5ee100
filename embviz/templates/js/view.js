import { axisCoordinates } from '#js/axes.js';
import { createComputed } from '#js/computed.js';
import { createLooks } from '#js/looks.js';
import { createMemo } from '#js/memo.js';
import { nearest } from '#js/neighbors.js';
import { dimsOf } from '#js/projections.js';
import { match, QueryError } from '#js/query.js';
import { combined, MODES } from '#js/select.js';
import { createScene } from '#js/scene.js';
import { RULES } from '#js/state.js';
import { retag } from '#js/tags.js';

export { chosen } from '#js/scene.js';
export { initialState } from '#js/state.js';

const NONE = new Int32Array(0);

/**
 * What can be asked of the page and changed in it. The panels and `window.embviz` use the same.
 *
 * @param {object} page {manifest, table, tabs, vectors, carried, startWorker}
 * @param {object} store see store.js
 */
export function createView(page, store) {
  const memo = createMemo();
  const computed = createComputed(page, store);
  const { table, tabs } = page;
  const looks = createLooks(table, store.get, memo);
  const scenes = createScene(page, store.get, { memo, computed, visible: looks.visible });

  function set(patch) {
    if ('tags' in patch) check('tags', patch.tags);
    const before = store.get().tags;
    if ('tags' in patch) retag(table, patch.tags);
    try {
      for (const [key, value] of Object.entries(patch)) check(key, value);
      const next = { ...patch };
      for (const key of ['selected', 'isolated']) if (next[key]) next[key] = Int32Array.from(new Set(next[key]));
      settle(next);
      store.set(next);
    } catch (error) {
      if ('tags' in patch) retag(table, before);
      throw error;
    }
  }

  /** @param {ArrayLike<number>} rows @param {'replace' | 'add' | 'remove' | 'intersect'} mode */
  function select(rows, mode = 'replace', patch = {}) {
    if (!MODES.includes(mode)) throw new Error(`mode: '${mode}' is not one of ${MODES.join(', ')}`);
    check('selected', rows);
    set({ ...patch, selected: combined(store.get().selected, rows, mode) });
  }

  function check(key, value) {
    const verdict = Object.hasOwn(RULES, key) ? RULES[key](value, page, store.get()) : `is not known; there are ${Object.keys(RULES).join(', ')}`;
    if (verdict !== true) throw new Error(`${key}: ${JSON.stringify(value)} ${verdict}`);
  }

  /** Changes that follow from others: a tab's own dimensions, a query's matches. */
  function settle(patch) {
    const state = { ...store.get(), ...patch };
    const available = dimsOf(tabs.get(state.projection), 'dims' in patch || 'run' in patch);
    if (!available.includes(state.dims)) {
      if ('dims' in patch) throw new Error(`dims: ${state.projection} is in this page in ${available.join(' and ')} dimensions only`);
      patch.dims = available[0];
    }
    if ('isolated' in patch && sameRows(patch.isolated, store.get().isolated)) patch.isolated = store.get().isolated;
    if ('axes' in patch) patch.axes = [0, 1, 2].map((i) => ({ from: '', to: '', ...patch.axes[i] }));
    if (patch.run === null) computed.drop();
    if (['projection', 'dims', 'isolated', 'components', 'axes', 'frame', 'run'].some((key) => key in patch) && !patch.sphere) patch.sphere = null;
    if (patch.sphere && (patch.dims ?? state.dims) !== 3) throw new Error('sphere: is for three dimensions');
    if (patch.sphere && !('selected' in patch)) patch.selected = scenes.rowsInSphere(patch.sphere, { ...state, ...patch });
    else if (('selected' in patch || 'query' in patch) && !('sphere' in patch)) patch.sphere = null;
    if (!('placed' in patch) && ['projection', 'dims', 'components', 'frame', 'axes', 'run', 'spherize', 'isolated'].some((key) => key in patch)) patch.placed = null;
    for (const key of ['label_by', 'color_by', 'column']) if (state[key] !== null && !table.columns.has(state[key])) patch[key] = key === 'column' ? table.labelColumn : null;
    if ('projection' in patch || 'dims' in patch) Object.assign(patch, { frame: patch.frame ?? null, playing: patch.playing ?? false });
    if ('color_by' in patch && !('hidden' in patch)) patch.hidden = [];
    if ('color_by' in patch && !('color_as' in patch)) patch.color_as = 'auto';
    if ('color_by' in patch && !('highlight' in patch)) patch.highlight = null;
    if ('query' in patch && !('selected' in patch)) {
      if (patch.query.trim() === '') patch.selected = NONE;
      else if (!search(patch.query, state.column).error) patch.selected = search(patch.query, state.column).rows;
    }
  }

  /** @returns {{rows: Int32Array, error: string}} */
  const search = (text, column) => memo('search', [text, column, table.tagged], () => {
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

  return {
    get: store.get, set, select, search, neighbors, currentNeighbors, computed, ...scenes, ...looks,
    entry: computed.entry,
    axis: (from, to, column = store.get().column) => axisCoordinates(page, { from, to }, column),
    label: (row) => table.label(row, store.get().label_by),
  };
}

const sameRows = (a, b) => a === b || Boolean(a && b && a.length === b.length && a.every((row, i) => row === b[i]));
