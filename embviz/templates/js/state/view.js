import { drawnAxes } from '#js/state/axes.js';
import { axisCoordinates } from '#js/numbers/axes.js';
import { createComputed } from '#js/state/computed.js';
import { createLooks } from '#js/state/looks.js';
import { createMemo } from '#js/state/memo.js';
import { listedNeighbors, listsSaid, recallSaid } from '#js/data/lists.js';
import { absence, pageAt, presenceAt, tableAt } from '#js/data/steps.js';
import { nearest } from '#js/numbers/neighbors.js';
import { match, QueryError } from '#js/data/query.js';
import { combined, MODES } from '#js/state/select.js';
import { createNames } from '#js/state/names.js';
import { createPointing } from '#js/state/pointing.js';
import { createScene } from '#js/state/scene.js';
import { createSettling } from '#js/state/settling.js';
import { createSides } from '#js/state/sides.js';
import { createDensity } from '#js/state/density.js';
import { createEstimates } from '#js/state/estimates.js';
import { createContours } from '#js/state/contours.js';
import { createTrails } from '#js/state/trails.js';
import { RULES } from '#js/state/keys.js';
import { tagged } from '#js/data/tags.js';

/** @import { Page, State, Store } from '#js/data/types.js' */

export { chosen } from '#js/state/scene.js';
export { initialState } from '#js/state/keys.js';

const NONE = new Int32Array(0);
const NO_DISTANCES = new Float64Array(0);

/** @typedef {ReturnType<typeof createView>} View */

/**
 * What can be asked of the page and changed in it. The panels and `window.embviz` use the same.
 *
 * @param {Page} page
 * @param {Store<State>} store
 */
export function createView(page, store) {
  const memo = createMemo();
  // The only place that changes the state: all others ask for it.
  const put = store.set;
  const computed = createComputed(page, store.get, put);
  const table = (state = store.get()) => tagged(tableAt(page, state), state.tags);
  const near = createNeighbors(page, store.get, memo);
  const pointing = createPointing(page, store.get, { memo, currentNeighbors: near.currentNeighbors });
  const there = (state) => presenceAt(page, state);
  const looks = createLooks(table, store.get, memo, there, pointing.colorByPointed);
  const scenes = createScene(page, store.get, {
    memo,
    computed,
    table,
    unfiltered: looks.unfiltered,
    visible: looks.visible,
  });
  const sides = createSides(page, store.get, {
    memo,
    scenes,
    entry: computed.entry,
    unfiltered: looks.unfiltered,
    visible: looks.visible,
    currentNeighbors: near.currentNeighbors,
  });
  const names = createNames(page, store.get, { memo, table, visible: looks.visible });
  const settle = createSettling(page, store.get, { computed, scenes: sides, search, table });

  function set(patch) {
    if ('tags' in patch) check('tags', patch.tags);
    const { tags } = { ...store.get(), ...patch };
    for (const [key, value] of Object.entries(patch)) check(key, value, tags);
    const next = { ...patch };
    for (const key of ['selected', 'isolated']) if (next[key]) next[key] = Int32Array.from(new Set(next[key]));
    settle(next);
    put(next);
  }

  /** @param {ArrayLike<number>} rows @param {'replace' | 'add' | 'remove' | 'intersect'} mode */
  function select(rows, mode = 'replace', patch = {}) {
    if (!MODES.includes(mode)) throw new Error(`mode: '${mode}' is not one of ${MODES.join(', ')}`);
    check('selected', rows);
    set({ ...patch, selected: combined(store.get().selected, rows, mode) });
  }

  /** Refuse a value of a key; columns are those of a list of tags. */
  function check(key, value, tags = store.get().tags) {
    const verdict = Object.hasOwn(RULES, key)
      ? RULES[key](value, { ...page, table: key === 'tags' ? page.table : tagged(page.table, tags) }, store.get())
      : `is not known; there are ${Object.keys(RULES).join(', ')}`;
    if (verdict !== true) throw new Error(`${key}: ${shortened(value)} ${verdict}`);
  }

  /** @returns {{rows: Int32Array, error: string}} */
  function search(text, column, state = store.get()) {
    return memo('search', [text, column, table(state)], () => {
      try {
        return { rows: match(table(state), text, column), error: '' };
      } catch (error) {
        if (!(error instanceof QueryError)) throw error;
        return { rows: NONE, error: error.message };
      }
    });
  }

  return {
    get: store.get,
    set,
    select,
    search,
    /** What the query of a state matches, kept apart from the many searches of axes. */
    found: (state = store.get()) =>
      state.query.trim() === ''
        ? { rows: NONE, error: '' }
        : memo('found', [state.query, state.column, table(state)], () => search(state.query, state.column, state)),
    computed,
    /** What comes after the first picture is there, or cannot be had. */
    arrive() {
      const state = store.get();
      const shown_axes = drawnAxes({ ...pageAt(page, state), table: table(state) }, state, state);
      put({ arrived: true, components_here: computed.ensure(state), shown_axes });
    },
    ...near,
    ...scenes,
    ...sides,
    ...looks,
    ...names,
    distances: pointing.distances,
    ...createContours(store.get, { memo, scene: sides.oneScene, looks }),
    ...createDensity(page, store.get, { entry: computed.entry, scene: scenes.scene }),
    ...createEstimates(page, {
      memo,
      classes: looks.classes,
      unfiltered: looks.unfiltered,
      numbers: (state) => table(state).column(state.color_by)?.numbers(),
    }),
    ...createTrails(page, store.get, { memo, scenes: { ...scenes, scene: sides.oneScene, placesOf: sides.placesOf } }),
    entry: computed.entry,
    /** The table as it is tagged. */
    table,
    axis: (from, to, column = store.get().column) =>
      axisCoordinates({ ...pageAt(page, store.get()), table: table() }, { from, to }, column),
    label: (row) => table().label(row, store.get().label_by),
  };
}

function createNeighbors(page, get, memo) {
  /** @returns {{indices: Int32Array, distances: Float64Array}} */
  function neighbors(row, k = get().k, metric = get().metric, state = get()) {
    const { vectors, space } = pageAt(page, state);
    if (!vectors && !page.lists) throw new Error(space.vectors_note);
    const absent = absence(page, state, row);
    if (absent) throw new RangeError(absent);
    return memo('neighbors', [row, k, metric, vectors, vectors ? 0 : Math.round(state.step)], () =>
      vectors ? nearest(vectors, row, k, metric) : listedNeighbors(page, state, row, k, metric),
    );
  }

  /** @returns {string} why no neighbors can be had, '' where they can */
  const neighborsProblem = () => (page.vectors || page.lists ? '' : page.space.vectors_note);

  /** The selected point's neighbors, empty where they cannot be had; `note` is what a reader should know of them. */
  function currentNeighbors(state = get()) {
    if (state.selected.length !== 1 || neighborsProblem())
      return { indices: NONE, distances: NO_DISTANCES, error: neighborsProblem(), note: '' };
    // What is listed may be fewer than are asked for, and is shown all the same.
    const lists = page.vectors ? null : page.lists;
    const most = lists ? Math.min(state.k, lists.k) : state.k;
    const note = lists ? [most < state.k ? fewer(lists) : '', recallSaid(lists)].filter(Boolean).join('. ') : '';
    try {
      return { ...neighbors(state.selected[0], most, state.metric, state), error: '', note };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { indices: NONE, distances: NO_DISTANCES, error: error.message, note: '' };
    }
  }

  const fewer = (lists) => `${listsSaid(lists)}. ${page.space.vectors_note}`;

  return { neighbors, currentNeighbors, neighborsProblem };
}

/** A value in an error's message: a list may be as long as the table. */
function shortened(value) {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
