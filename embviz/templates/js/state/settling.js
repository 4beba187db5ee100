import { drawnAxes } from '#js/state/axes.js';
import { pageAt } from '#js/data/steps.js';
import { settlePointed } from '#js/state/pointing.js';
import { dimsOf } from '#js/state/tabs.js';

/**
 * @import { Page, State, Table } from '#js/data/types.js'
 * @import { Computed } from '#js/state/computed.js'
 * @import { Scenes } from '#js/state/scene.js'
 */

const NONE = new Int32Array(0);
/** What moves the points, so that a sphere among them and the places of a bookmark are no longer right. */
const PLACES = ['projection', 'dims', 'components', 'frame', 'step', 'axes', 'run', 'isolated'];

/**
 * Changes that follow from others: a tab's own dimensions, a query's matches.
 *
 * @param {Page} page @param {() => State} get
 * @param {{computed: Computed, scenes: Pick<Scenes, 'rowsInSphere'>,
 *   search: (text: string, column: string | null, state: State) => {rows: Int32Array, error: string},
 *   table: (state: State) => Table}} parts
 * @returns {(patch: Partial<State>) => void} completes a patch in place, @throws {Error} where it cannot be
 */
export function createSettling(page, get, { computed, scenes, search, table }) {
  const { tabs } = page;
  return (patch) => {
    const before = get();
    const state = { ...before, ...patch };
    settleDims(patch, state, tabs);
    if ('isolated' in patch && sameRows(patch.isolated, before.isolated)) patch.isolated = before.isolated;
    if ('axes' in patch) patch.axes = [0, 1, 2].map((i) => ({ from: '', to: '', ...patch.axes[i] }));
    if (patch.placed && !patch.placed.data) patch.placed = before.placed;
    if (patch.run === null) computed.runs.drop();
    if ('projection' in patch || 'dims' in patch) {
      patch.run = computed.runs.status(state.projection, patch.dims ?? state.dims);
      Object.assign(patch, { frame: patch.frame ?? null, playing: patch.playing ?? false });
    }
    patch.components_here = computed.ensure({ ...before, ...patch });
    settleColumns(patch, state, table(state));
    const colored = { ...state, ...patch };
    settlePointed(patch, colored, Boolean(table(colored).column(colored.color_by)?.isPointed));
    if (['axes', 'column', 'tags'].some((key) => key in patch))
      patch.shown_axes = drawnAxes({ ...pageAt(page, state), table: table(state) }, { ...before, ...patch }, before);
    settleSphere(patch, state, scenes);
    if (!('placed' in patch) && ('spherize' in patch || PLACES.some((key) => key in patch))) patch.placed = null;
    if ('query' in patch && !('selected' in patch)) {
      const found = search(patch.query, state.column, state);
      if (patch.query.trim() === '') patch.selected = NONE;
      else if (!found.error) patch.selected = found.rows;
    }
  };
}

function settleDims(patch, state, tabs) {
  const available = dimsOf(tabs.get(state.projection), 'dims' in patch || 'run' in patch);
  if (available.includes(state.dims)) return;
  if ('dims' in patch)
    throw new Error(`dims: ${state.projection} is in this page in ${available.join(' and ')} dimensions only`);
  patch.dims = available[0];
}

function settleSphere(patch, state, scenes) {
  if (PLACES.some((key) => key in patch) && !patch.sphere) patch.sphere = null;
  if (patch.sphere && (patch.dims ?? state.dims) !== 3) throw new Error('sphere: is for three dimensions');
  if (patch.sphere && !('selected' in patch))
    patch.selected = scenes.rowsInSphere(patch.sphere, { ...state, ...patch });
  else if (('selected' in patch || 'query' in patch) && !('sphere' in patch)) patch.sphere = null;
}

/** Columns come and go with tags; what is said of colors is said of one column. */
function settleColumns(patch, state, table) {
  for (const key of ['label_by', 'color_by', 'column']) {
    const isThere = key === 'color_by' ? table.column(state[key]) : table.columns.has(state[key]);
    if (state[key] !== null && !isThere) patch[key] = key === 'column' ? table.labelColumn : null;
  }
  if (!('color_by' in patch)) return;
  if (!('hidden' in patch)) patch.hidden = [];
  if (!('color_as' in patch)) patch.color_as = 'auto';
  if (!('highlight' in patch)) patch.highlight = null;
}

const sameRows = (a, b) => a === b || Boolean(a && b && a.length === b.length && a.every((row, i) => row === b[i]));
