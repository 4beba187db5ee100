import { project } from '#js/state/project.js';
import { RULES } from '#js/state/keys.js';

/**
 * @import { Page } from '#js/data/types.js'
 * @import { Pair } from '#js/plot/pair.js'
 * @import { View } from '#js/state/view.js'
 */

/** @returns {value is Int32Array | Float32Array} */
const isArray = (value) => ArrayBuffer.isView(value);

/**
 * `window.embviz`: the page for scripts in its host and for tests; docs/extending.md describes it.
 *
 * @param {Page} page
 * @param {View} view
 * @param {Pair} plot
 */
export function createApi(page, view, plot) {
  const { table } = page;
  const { computed } = view;
  function checkRow(row) {
    if (!Number.isInteger(row) || row < 0 || row >= table.n_points)
      throw new RangeError(`row ${row} is not in 0 .. ${table.n_points - 1}`);
  }

  /** Refuse a value that a key of the state could not have. */
  function check(key, value) {
    const verdict = RULES[key](value, page);
    if (verdict === true) return;
    const told = `${key}: ${JSON.stringify(value) ?? String(value)} ${verdict}`;
    throw key === 'k' ? new RangeError(told) : new Error(told);
  }

  return {
    table: Object.freeze({
      n_points: table.n_points,
      n_dims: table.n_dims,
      get columns() {
        return [...view.table().columns.keys()];
      },
    }),
    /** @returns {Record<string, any>} the current state; rows as plain arrays */
    view() {
      const { dark, hovered, highlight, walked, components_here, arrived, placed, shown_axes, ...state } = view.get();
      return JSON.parse(
        JSON.stringify({ ...state, placed: placed && { name: placed.name, dims: placed.dims } }, (key, value) =>
          isArray(value) ? Array.from(value) : value,
        ),
      );
    },
    /** @returns {string[]} the names of the points' states, in order; none where there is one only */
    steps: () => [...(page.steps?.names ?? [])],
    /** @param {Record<string, any>} patch keys of view(); @throws {Error} when a key or value is not known */
    set: (patch) => view.set(patch),
    /** @param {string} text @returns {Int32Array} the matching rows @throws {Error} when it is not understood */
    query(text, column = view.get().column) {
      const { rows, error } = view.search(text, column);
      if (error) throw new Error(error);
      return Int32Array.from(rows);
    },
    /** @returns {{indices: Int32Array, distances: Float64Array}} nearest first, in the original space */
    neighbors(row, k = view.get().k, metric = view.get().metric) {
      checkRow(row);
      check('k', k);
      check('metric', metric);
      const found = view.neighbors(row, k, metric);
      return { indices: found.indices.slice(), distances: found.distances.slice() };
    },
    /** @returns {Float64Array} the distance of every point from a row in the original space, of the step shown */
    distances(row, metric = view.get().metric) {
      checkRow(row);
      check('metric', metric);
      return view.distances(row, metric).slice();
    },
    /** @returns {Float32Array} (n_points, dims) row by row */
    coordinates(name, dims) {
      computed.prepare(name, dims);
      return Float32Array.from(view.coordinates(name, dims));
    },
    /** @returns {Float32Array} every point's coordinate on the axis between two queries */
    axis: (from, to) => view.axis(from, to),
    /** @param {ArrayLike<number>} rows @param {'replace' | 'add' | 'remove' | 'intersect'} mode */
    select: (rows, mode = 'replace') => view.select(rows, mode),
    /** @returns {Int32Array} the selected rows */
    selected: () => view.get().selected.slice(),
    /** @param {ArrayLike<number>} rows to show alone @returns {Promise<void>} when PCA is computed on them */
    isolate(rows) {
      view.set({ isolated: rows });
      return computed.settled();
    },
    /** @returns {Promise<void>} */
    showAll() {
      view.set({ isolated: null });
      return computed.settled();
    },
    /** @returns {Promise<{rows: Int32Array, coordinates: Float32Array, dims, axes, params, stats}>} see project.js */
    project: (name, options = {}) => project(page, view, name, options),
    /** @returns {Float32Array} (n_points, 2) CSS pixels from the corner of a side's map, NaN behind the camera */
    screenPositions: (side = 0) => plot.screenPositions(side),
    /** @returns {{text, column, value, size, title, box}[]} names of groups in a side's map, and the boxes they fill */
    names: (side = 0) =>
      plot.names(side).map(({ group: { text, column, value, size, title }, box }) => ({
        ...{ text, column, value, size, title },
        box: [...box],
      })),
  };
}
