import { absence, pageAt } from '#js/data/steps.js';
import { colorByDistance, colorNearest } from '#js/drawing/distance.js';
import { distancesFrom } from '#js/numbers/neighbors.js';
import { inSafeUnit } from '#js/numbers/unit.js';

/**
 * Colors by the distance in the original space to one point, the one that the reader points at.
 *
 * @import { Page, State } from '#js/data/types.js'
 * @import { Legend } from '#js/drawing/types.js'
 * @import { Memo } from '#js/state/memo.js'
 */

const NONE = { indices: new Int32Array(0), distances: new Float64Array(0), error: '' };

/**
 * @param {Page} page @param {() => State} get
 * @param {{memo: Memo, currentNeighbors: (state: State) =>
 *   {indices: Int32Array, distances: Float64Array, error: string, note: string}}} parts
 */
export function createPointing(page, get, { memo, currentNeighbors }) {
  /**
   * @returns {Float64Array} the distance of each point from one, at the step shown; Infinity where a point is not there
   * @throws {Error} where the page has no vectors @throws {RangeError} where there are none from this point
   */
  function distances(row, metric = get().metric, state = get()) {
    const { vectors, space } = pageAt(page, state);
    if (!vectors) throw new Error(space.vectors_note || 'The vectors are not in this page');
    const absent = absence(page, state, row);
    if (absent) throw new RangeError(absent);
    return memo('distances', [row, metric, vectors], () => {
      const found = distancesFrom(vectors, row, metric);
      const { unit } = inSafeUnit(vectors);
      return metric === 'cosine' || unit === 1 ? found : found.map((x) => x * unit);
    });
  }

  /**
   * @param {State} state @param {Int32Array | null} rows that are shown, null for all
   * @returns {{colors: Uint8Array, legend: Legend}}
   */
  function colorByPointed(state, rows) {
    const { pointed: row, metric, dark, color_as } = state;
    const { vectors, space } = pageAt(page, state);
    const inputs = [row, metric, dark, color_as, vectors, rows, vectors ? 0 : state.arrived, vectors ? 0 : state.step];
    return memo('pointed', inputs, () => {
      const n = page.table.n_points;
      const none = (told) => {
        const { colors, legend } = colorNearest(NONE, { n, row: -1, dark });
        return { colors, legend: { ...legend, row, told } };
      };
      if (row < 0) return none('Point at a point, or select one.');
      if (!vectors && space.vectors) return none('The vectors are still being read.');
      if (!vectors) {
        const found = currentNeighbors({ ...state, selected: Int32Array.of(row), k: page.lists?.k ?? 1 });
        if (!found.indices.length) return none(`${found.error}.`);
        const { colors, legend } = colorNearest(found, { n, row, dark });
        const gray = `Only the ${found.indices.length} nearest of each point are in this page: the others are gray.`;
        const told = found.note ? `${gray} ${found.note}.` : gray;
        return { colors, legend: { ...legend, told } };
      }
      try {
        const by = color_as === 'log' ? 'rank' : 'distance';
        const { colors, legend } = colorByDistance(distances(row, metric, state), { row, rows, by, dark });
        const told = space.vectors?.exact === false ? `${space.vectors_note}.` : undefined;
        return { colors, legend: { ...legend, told } };
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return none(`${error.message}.`);
      }
    });
  }

  return { distances, colorByPointed };
}

/**
 * Which point the colors are of: the last that was pointed at or selected.
 *
 * @param {Partial<State>} patch completed in place @param {State} state as it will be @param {boolean} isOn
 */
export function settlePointed(patch, state, isOn) {
  if ('pointed' in patch) return;
  if (!isOn) {
    if (state.pointed !== -1) patch.pointed = -1;
  } else if (patch.hovered >= 0) patch.pointed = patch.hovered;
  else if (patch.selected?.length === 1) [patch.pointed] = patch.selected;
  else if (state.pointed < 0 && state.selected.length === 1) [patch.pointed] = state.selected;
}
