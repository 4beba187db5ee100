import { methodOf } from '#js/runs/methods.js';

/** TensorBoard's tabs: how a `State` stores what they show, and what it says of it (vz_projector/data.ts). */

/** The key of a State that holds what TensorBoard has no place for. */
export const OURS = 'embviz';

const isOurs3d = (state) => state[OURS]?.dims === 3;

/**
 * By `selectedProjection`, which is the method's name where it is one of these: the name of a point's i-th coordinate,
 * how many of them are stored, whether a State shows three, and our component numbers where the reader chooses them.
 */
const TABS = {
  pca: {
    key: (i) => `pca-${i}`,
    most: 10,
    is3d: (state) => (state.pcaComponentDimensions?.length ?? 3) === 3,
    chosen: (state) => state.pcaComponentDimensions ?? [0, 1, 2],
  },
  tsne: { key: (i) => `tsne-${i}`, most: 3, is3d: (state) => Boolean(state.tSNEis3d) },
  umap: { key: (i) => `umap-${i}`, most: 3, is3d: (state) => Boolean(state.umapIs3d) },
  custom: { key: (i) => `linear-${'xyz'[i]}`, most: 2, is3d: isOurs3d },
};
/** The tab of a State that names none, and the one that stores any coordinates. */
export const [USUAL, ANY] = ['pca', 'custom'];
export const NAMES = Object.keys(TABS);

/** @param {string | undefined} method @returns {string} the tab that stores its coordinates */
export const tabOf = (method) => (method !== undefined && Object.hasOwn(TABS, method) ? method : ANY);

/** @param {string} name @returns {{key: (i: number) => string, most: number, is3d: Function, chosen?: Function}} */
export const storedIn = (name) => TABS[name];

/** @returns {number} the dimensions that a State shows in a tab */
export const chosenDims = (state, name) => (TABS[name].is3d(state) ? 3 : 2);

/** @returns {string} a tab's title, as this page has it */
export const titleOf = (name) => methodOf(name)?.title ?? name;

/**
 * What TensorBoard's controls show of methods.
 *
 * @param {(method: string) => any} entryOf what is known of a method here
 * @param {{tab: string, dims: number, iteration: number | null}} shown the tab, and the iteration, null for the end
 * @returns {any} what `bookmarks/fields.js` writes
 */
export function controls(entryOf, { tab, dims, iteration }) {
  const [tsne, umap] = [entryOf('tsne'), entryOf('umap')];
  return {
    iteration: (tab === 'tsne' ? iteration : null) ?? tsne?.params.iterations ?? 0,
    perplexity: tsne?.params.perplexity ?? 30,
    tsne3d: (tab === 'tsne' ? dims : tsne?.n_components) === 3,
    neighbors: umap?.params.n_neighbors ?? 15,
    minDist: umap?.params.min_dist ?? 0.1,
    umap3d: (tab === 'umap' ? dims : umap?.n_components) === 3,
  };
}
