import { checkFewest, FEWEST_POINTS } from '#js/runs/options.js';
import { RULES } from '#js/state/keys.js';

/**
 * Compute a projection in the page and show it: `pca`, `tsne`, `umap` or `custom`.
 *
 * @param {object} page @param {object} view see view.js @param {string} name
 * @param {{rows?: ArrayLike<number> | null, dims?: 2 | 3, spherize?: boolean, perplexity?: number,
 *   learning_rate?: number | null, iterations?: number, seed?: number, supervise?: {column, factor, ignore?},
 *   neighbors?: number, min_distance?: number, epochs?: number, axes?: {from: string, to: string}[], column?: string}} options
 *   `rows` are isolated first, null shows all; without it the points shown are meant
 * @returns {Promise<{name, rows: Int32Array, coordinates: Float32Array, dims, axes: string[], params, stats}>} coordinates
 *   (rows.length, dims) row by row
 * @throws {Error} when an option is not known or does not fit
 * @throws {RangeError} when there are too few points
 */
export async function project(page, view, name, options = {}) {
  const known = KNOWN[name];
  if (!known) throw new Error(`'${name}' cannot be computed in the page; ${Object.keys(KNOWN).join(', ')} can`);
  if (!page.vectors) throw new Error(page.manifest.vectors_note);
  const odd = Object.keys(options).find((key) => !known.includes(key));
  if (odd !== undefined) throw new Error(`${odd} is no option of ${name}; there are ${known.join(', ')}`);
  checkCount(page, view.get(), name, options.rows);
  const { rows, dims, spherize, axes, column, ...rest } = options;
  const patch = {};
  if (rows !== undefined) patch.isolated = rows;
  if (spherize !== undefined) patch.spherize = spherize;
  const isRun = name === 'tsne' || name === 'umap';
  if (!isRun) patch.projection = name;
  if (dims !== undefined && !isRun) patch.dims = dims;
  if (axes !== undefined)
    patch.axes = [...axes, { from: '', to: '' }, { from: '', to: '' }, { from: '', to: '' }].slice(0, 3);
  if (column !== undefined) patch.column = column;
  view.set(patch);
  if (isRun) await view.computed.runs.start(name, { ...rest, ...(dims === undefined ? {} : { dims }) });
  else await view.computed.settled();
  return shown(page, view);
}

const KNOWN = {
  pca: ['rows', 'dims', 'spherize'],
  tsne: ['rows', 'dims', 'spherize', 'perplexity', 'learning_rate', 'iterations', 'seed', 'supervise'],
  umap: ['rows', 'dims', 'spherize', 'neighbors', 'min_distance', 'learning_rate', 'epochs', 'seed'],
  custom: ['rows', 'dims', 'axes', 'column'],
};

const FEWEST = {
  pca: { title: 'PCA', least: 2 },
  tsne: { title: 't-SNE', least: FEWEST_POINTS },
  umap: { title: 'UMAP', least: FEWEST_POINTS },
  custom: { title: 'a view along axes', least: 1 },
};

/** Without enough points nothing is computed, and nothing is isolated. */
function checkCount(page, state, name, rows = state.isolated) {
  if (RULES.isolated(rows, page) !== true) return;
  const { title, least } = FEWEST[name];
  checkFewest(rows === null ? page.table.n_points : new Set(rows).size, title, least);
}

/** What the plot shows now, of the points that are shown. */
function shown(page, view) {
  const state = view.get();
  const scene = view.scene(state);
  if (scene.error) throw new Error(scene.error);
  const { failed } = view.entry(state);
  if (failed !== undefined) throw new Error(`PCA could not be computed: ${failed}`);
  const rows = state.isolated ?? Int32Array.from({ length: page.table.n_points }, (_, i) => i);
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
