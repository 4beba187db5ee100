import { METHODS, methodOf } from '#js/runs/methods.js';
import { checkFewest } from '#js/runs/options.js';
import { RULES } from '#js/state/keys.js';
import { tabFor } from '#js/state/tabs.js';

/**
 * @import { Page } from '#js/data/types.js'
 * @import { View } from '#js/state/view.js'
 */

/**
 * Compute a projection in the page and show it.
 *
 * @param {Page} page @param {View} view
 * @param {string} name the method, or the key of a tab where the page computes it
 * @param {{rows?: ArrayLike<number> | null, dims?: 2 | 3, spherize?: boolean, perplexity?: number,
 *   learning_rate?: number | null, iterations?: number, seed?: number, supervise?: {column, factor, ignore?},
 *   neighbors?: number, min_distance?: number, epochs?: number, axes?: {from: string, to: string}[],
 *   column?: string}} options
 *   `rows` are isolated first, null shows all; without it the points shown are meant
 * @returns {Promise<{name, rows: Int32Array, coordinates: Float32Array, dims, axes: string[], params, stats}>}
 *   coordinates (rows.length, dims) row by row
 * @throws {Error} when an option is not known or does not fit
 * @throws {RangeError} when there are too few points
 */
export async function project(page, view, name, options = {}) {
  const tab = tabFor(page.tabs, name);
  const method = methodOf(tab?.method ?? name);
  if (!method) throw new Error(`'${name}' cannot be computed in the page; ${Object.keys(METHODS).join(', ')} can`);
  if (!page.vectors) throw new Error(page.space.vectors_note);
  const odd = Object.keys(options).find((key) => !method.options.includes(key));
  if (odd !== undefined) throw new Error(`${odd} is no option of ${name}; there are ${method.options.join(', ')}`);
  checkCount(page, view.get(), method, options.rows);
  const { rows, dims, spherize, axes, column, ...rest } = options;
  const patch = {};
  if (rows !== undefined) patch.isolated = rows;
  if (spherize !== undefined) patch.spherize = spherize;
  const isRun = method.role === 'run';
  const key = tab?.key ?? name;
  if (!isRun) patch.projection = key;
  if (dims !== undefined && !isRun) patch.dims = dims;
  if (axes !== undefined)
    patch.axes = [...axes, { from: '', to: '' }, { from: '', to: '' }, { from: '', to: '' }].slice(0, 3);
  if (column !== undefined) patch.column = column;
  view.set(patch);
  if (isRun) await view.computed.runs.start(key, { ...rest, ...(dims === undefined ? {} : { dims }) });
  else await view.computed.settled();
  return shown(page, view);
}

/** Without enough points nothing is computed, and nothing is isolated. */
function checkCount(page, state, { title, called = title, least }, rows = state.isolated) {
  if (RULES.isolated(rows, page) !== true) return;
  checkFewest(rows === null ? page.table.n_points : new Set(rows).size, called, least);
}

/** What the plot shows now, of the points that are shown. */
function shown(page, view) {
  const state = view.get();
  const scene = view.scene(state);
  if (scene.error) throw new Error(scene.error);
  const { failed } = view.entry(state);
  if (failed !== undefined) throw new Error(`PCA could not be computed: ${failed}`);
  const rows = view.unfiltered(state) ?? Int32Array.from({ length: page.table.n_points }, (_, i) => i);
  const { dims } = state;
  const coordinates = new Float32Array(rows.length * dims);
  rows.forEach((row, i) => {
    for (let c = 0; c < dims; c++) coordinates[i * dims + c] = scene.coordinates[row * dims + c];
  });
  return {
    name: state.projection,
    rows: rows.slice(),
    coordinates,
    dims,
    axes: (scene.axes ?? []).map((axis) => axis.title),
    ...view.facts(state),
  };
}
