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

/**
 * @param {Float32Array} data (n, n_components), row by row
 * @param {number} n_components @param {number[]} components which are wanted
 * @returns {Float32Array} (n, components.length), row by row
 */
export function pick(data, n_components, components) {
  const k = components.length;
  if (k === n_components && components.every((c, i) => c === i)) return data;
  const n = data.length / n_components;
  const out = new Float32Array(n * k);
  for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) out[i * k + j] = data[i * n_components + components[j]];
  return out;
}

/**
 * The coordinates between two recorded frames.
 *
 * @param {Float32Array} frames (m, n, k) @param {number} size n * k
 * @param {number} at 0 .. m - 1, fractions in between
 * @returns {Float32Array} (n, k)
 */
export function frameAt(frames, size, at) {
  const last = frames.length / size - 1;
  const low = Math.max(0, Math.min(last, Math.floor(at)));
  const part = Math.min(1, at - low);
  const from = frames.subarray(low * size, (low + 1) * size);
  if (part <= 0 || low >= last) return from;
  const to = frames.subarray((low + 1) * size, (low + 2) * size);
  const out = new Float32Array(size);
  for (let i = 0; i < size; i++) out[i] = from[i] + (to[i] - from[i]) * part;
  return out;
}

/** @returns {{min: number[], max: number[]}} the box of some points; all where rows is null */
export function bounds(coordinates, k, rows = null) {
  const min = new Array(k).fill(Infinity);
  const max = new Array(k).fill(-Infinity);
  const grow = (i) => {
    for (let j = 0; j < k; j++) {
      const x = coordinates[i * k + j];
      if (x < min[j]) min[j] = x;
      if (x > max[j]) max[j] = x;
    }
  };
  if (rows) for (const row of rows) grow(row);
  else for (let i = 0; i < coordinates.length / k; i++) grow(i);
  return { min, max };
}
