/**
 * `window.embviz`: the page for scripts in its host and for tests; docs/extending.md describes it.
 *
 * @param {object} page {table}
 * @param {object} view see view.js
 */
export function createApi(page, view) {
  const { table } = page;
  return {
    table: Object.freeze({ n_points: table.n_points, n_dims: table.n_dims, columns: [...table.columns.keys()] }),
    /** @returns {object} the current state; rows as plain arrays */
    view() {
      const { dark, hovered, ...state } = view.get();
      return JSON.parse(JSON.stringify(state, (key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value)));
    },
    /** @param {object} patch keys of view(); @throws {Error} when a key or value is not known */
    set: (patch) => view.set(patch),
    /** @param {string} text @returns {Int32Array} the matching rows @throws {Error} when it is not understood */
    query(text, column = view.get().column) {
      const { rows, error } = view.search(text, column);
      if (error) throw new Error(error);
      return Int32Array.from(rows);
    },
    /** @returns {{indices: Int32Array, distances: Float32Array}} nearest first, in the original space */
    neighbors(row, k, metric) {
      if (!Number.isInteger(row) || row < 0 || row >= table.n_points) throw new RangeError(`row ${row} is not in 0 .. ${table.n_points - 1}`);
      const found = view.neighbors(row, k, metric);
      return { indices: found.indices.slice(), distances: found.distances.slice() };
    },
    /** @returns {Float32Array} (n_points, dims) row by row */
    coordinates: (name, dims) => Float32Array.from(view.coordinates(name, dims)),
    /** @returns {Float32Array} every point's coordinate on the axis between two queries */
    axis: (from, to) => view.axis(from, to),
  };
}
