import { createTable } from '#js/data/table.js';
import { addPending, createTabs } from '#js/state/tabs.js';
import { createStore } from '#js/state/store.js';
import { createView, initialState } from '#js/state/view.js';

/** A page's state without a document, as main.js opens it. */

const PARTS = { columns: {}, components: 3, vectors: null, more: [], startWorker: () => assertNoWorker() };

function assertNoWorker() {
  throw new Error('no worker was expected');
}

/**
 * @param {object} parts
 * @param {number[][] | {data: Int8Array, n: number, d: number}} parts.rows the points
 * @param {Record<string, string[]>} [parts.columns] the first is the label
 * @param {Float32Array} [parts.pca] (n, components) of the file; zeros without it
 * @param {object[]} [parts.more] other projections of the file
 * @param {boolean} [parts.travels] whether the vectors are in the file
 * @returns {{page: object, view: object, store: object}}
 */
export function openView({ rows, pca, travels = true, ...given }) {
  const { columns, components, more, startWorker } = { ...PARTS, ...given };
  const stored = Array.isArray(rows)
    ? { data: Float32Array.from(rows.flat()), n: rows.length, d: rows[0].length }
    : rows;
  const { n, d } = stored;
  const names = Object.keys(columns);
  const space = travels
    ? { n_dims: d, vectors: { scale: 1 }, vectors_note: 'exact' }
    : { n_dims: d, vectors: null, vectors_note: 'left out: --vectors none' };
  const manifest = {
    n_points: n,
    total_points: n,
    columns: names.map((name) => ({ name, kind: 'text' })),
    label_by: names[0] ?? null,
    projections: [
      {
        key: 'pca',
        method: 'pca',
        title: 'PCA',
        kind: 'linear',
        n_components: components,
        axes: Array.from({ length: components }, (_, i) => `PC${i + 1}`),
        params: { normalize: 'none' },
        stats: {},
        data: pca ?? new Float32Array(n * components),
      },
      ...more,
    ],
    first: 'pca',
    dims: 2,
    selected: [],
    isolated: [],
    metric: 'cosine',
    spaces: [space],
    blocks: {},
  };
  const table = createTable(manifest, d);
  for (const name of names) table.columns.get(name).values = columns[name];
  const tabs = createTabs(manifest);
  addPending(tabs, manifest);
  const vectors = travels ? { ...stored, scales: null, scale: 1 } : null;
  const page = { manifest, space, table, tabs, vectors, carried: [], startWorker };
  const store = createStore(initialState(page));
  return { page, store, view: createView(page, store) };
}
