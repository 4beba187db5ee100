import { pick } from '#js/numbers/coordinates.js';
import { FEWEST_POINTS } from '#js/runs/options.js';

/**
 * The projections of the page as tabs.
 *
 * @param {object} manifest
 * @returns {Map<string, {name: string, title: string, entries: object[]}>} in the order shown, PCA first
 */
export function createTabs(manifest) {
  const tabs = new Map();
  for (const entry of manifest.projections) {
    if (!tabs.has(entry.name)) tabs.set(entry.name, { name: entry.name, title: entry.title, entries: [] });
    tabs.get(entry.name).entries.push(entry);
  }
  return tabs;
}

/** PCA, axes and given coordinates can leave components out; t-SNE and UMAP are made for one number. */
const FREE = new Set(['pca', 'custom', 'none']);

/** @returns {object | undefined} the entry that shows a tab in 2 or 3 dimensions */
export function entryFor(tab, dims) {
  const exact = tab?.entries.find((entry) => entry.n_components === dims);
  if (exact) return exact;
  return FREE.has(tab?.name) ? tab.entries.find((entry) => entry.n_components >= dims) : undefined;
}

/**
 * @param {object} tab @param {boolean} [all] also those that are still to be computed in the page
 * @returns {number[]} the numbers of dimensions that a tab can be shown in
 */
export function dimsOf(tab, all = true) {
  const there = [2, 3].filter((dims) => entryFor(tab, dims));
  const finished = there.filter((dims) => !entryFor(tab, dims).pending);
  return all || !finished.length ? there : finished;
}

/**
 * Add what the page can compute when it is asked to, where its vectors travel: t-SNE, UMAP and axes. Until then the
 * points lie as PCA has them.
 */
export function addPending(tabs, manifest) {
  const pca = entryFor(tabs.get('pca'), 2);
  if (!pca || !manifest.vectors) return;
  for (const [name, title, least] of [
    ['tsne', 't-SNE', FEWEST_POINTS],
    ['umap', 'UMAP', FEWEST_POINTS],
    ['custom', 'Axes', 2],
  ]) {
    if (manifest.n_points < least) continue;
    const tab = tabs.get(name) ?? { name, title, entries: [] };
    for (const dims of [2, 3]) {
      if (entryFor(tab, dims) || pca.n_components < dims) continue;
      tab.entries.push({
        name,
        title,
        n_components: dims,
        axes: [],
        params: {},
        stats: {},
        pending: true,
        note: name === 'custom' ? undefined : `${title} has not been run here yet: the points lie as in PCA.`,
        get data() {
          return pick(
            pca.data,
            pca.n_components,
            Array.from({ length: dims }, (_, i) => i),
          );
        },
      });
    }
    if (tab.entries.length) tabs.set(name, tab);
  }
  // Axes come last, whether they came with the file or not.
  const axes = tabs.get('custom');
  if (tabs.delete('custom')) tabs.set('custom', axes);
}
