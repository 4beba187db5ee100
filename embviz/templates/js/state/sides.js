import { knownRanks } from '#js/data/changes.js';
import { ranksAmong } from '#js/numbers/ranks.js';

/**
 * @import { Page, State } from '#js/data/types.js'
 * @import { Memo } from '#js/state/memo.js'
 *
 * @typedef {'stayed' | 'left' | 'came'} Mark
 * @typedef {object} SideNeighbors the nearest of a point on one side, nearest first
 * @property {Int32Array} indices
 * @property {Float64Array} distances
 * @property {(number | null)[]} ranks of each on the other side, 1 for the nearest; null where that is not known
 * @property {Mark[]} marks what became of each
 * @property {string} error why there are none, or fewer
 */

/** Two states of the points as the two sides of a comparison: A is the first step, B the second. */

export const LETTERS = ['A', 'B'];

/** @param {Page} page @returns {string[] | null} what the sides are called; null where the page compares nothing */
export const sideNames = ({ steps }) => (steps?.kind === 'comparison' && steps.names.length === 2 ? steps.names : null);

/** @param {State} state @param {number} side @returns {State} with that side shown */
export const ofSide = (state, side) => ({ ...state, step: side });

/**
 * What is asked of both sides at once.
 *
 * @param {Page} page @param {() => State} get
 * @param {{memo: Memo, currentNeighbors: (state: State) => {indices: Int32Array, distances: Float64Array,
 *   error: string}}} parts
 */
export function createSides(page, get, { memo, currentNeighbors }) {
  const isCompared = sideNames(page) !== null;

  /** @returns {(number | null)[]} the ranks on the other side of a point's neighbors on one */
  function ranksOf(row, { indices }, side, { metric }) {
    const exact = exactRanks(page, row, side, metric);
    const missing = indices.filter((other) => !exact.has(other));
    const vectors = page.steps.vectors[1 - side];
    const counted = vectors && missing.length ? countedRanks(vectors, row, missing, metric) : null;
    const others = new Map(counted ? Array.from(missing, (other, i) => [other, counted[i]]) : []);
    return Array.from(indices, (other) => exact.get(other) ?? others.get(other) ?? null);
  }

  /** @returns {SideNeighbors[] | null} of the selected point, on A and B; null where there is not one, or one side */
  function sideNeighbors(state = get()) {
    if (!isCompared || state.selected.length !== 1) return null;
    const [row] = state.selected;
    const found = LETTERS.map((_, side) => currentNeighbors(ofSide(state, side)));
    return memo('sides', [row, state.metric, ...found.map(({ indices }) => indices)], () =>
      found.map((near, side) => {
        const ranks = near.indices.length ? ranksOf(row, near, side, state) : [];
        const there = new Set(found[1 - side].indices);
        const isIn = (other, i) => (ranks[i] === null ? there.has(other) : ranks[i] <= state.k);
        const marks = Array.from(near.indices, (other, i) =>
          isIn(other, i) ? 'stayed' : /** @type {Mark} */ (side === 0 ? 'left' : 'came'),
        );
        return { ...near, ranks, marks };
      }),
    );
  }

  /** @returns {Int32Array} the neighbors of the selected point, on both sides in a comparison */
  function around(state = get()) {
    const found = isCompared ? LETTERS.map((_, side) => ofSide(state, side)) : [state];
    return Int32Array.from(new Set(found.flatMap((each) => [...currentNeighbors(each).indices])));
  }

  return { sideNeighbors, around };
}

/** @returns {Map<number, number>} of the nearest that Python found, by point */
function exactRanks({ changes, steps }, row, side, metric) {
  const ranks = changes && metric === changes.metric ? knownRanks(changes, row, side) : null;
  if (!ranks || !steps.neighbors) return new Map();
  const { k, indices } = steps.neighbors;
  return new Map(Array.from(ranks, (rank, i) => [indices[side][row * k + i], rank]));
}

/** @returns {Int32Array | null} null where the point has no direction on that side */
function countedRanks(vectors, row, others, metric) {
  try {
    return ranksAmong(vectors, row, others, metric);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return null;
  }
}
