import { knownRanks } from '#js/data/changes.js';
import { nearestStep, stepName } from '#js/data/steps.js';
import { bounds, together } from '#js/numbers/coordinates.js';
import { laidOn } from '#js/numbers/laid.js';
import { rowsInSphere } from '#js/drawing/sphere.js';
import { ranksAmong } from '#js/numbers/ranks.js';

/**
 * @import { Entry, Page, State } from '#js/data/types.js'
 * @import { Memo } from '#js/state/memo.js'
 * @import { Scene, Scenes } from '#js/state/scene.js'
 *
 * @typedef {'stayed' | 'left' | 'came'} Mark
 * @typedef {object} SideNeighbors the nearest of a point on one side, nearest first
 * @property {Int32Array} indices
 * @property {Float64Array} distances
 * @property {(number | null)[]} ranks of each on the other side, 1 for the nearest; null where that is not known
 * @property {Mark[]} marks what became of each
 * @property {string} error why there are none
 * @property {string} note what is to be known of them
 */

/** Two states of the points as the two sides of a comparison: A is the first step, B the second. */

export const LETTERS = ['A', 'B'];

/** @param {Page} page @returns {string[] | null} what the sides are called; null where the page compares nothing */
export const sideNames = ({ steps }) => (steps?.kind === 'comparison' && steps.names.length === 2 ? steps.names : null);

/** @param {State} state @param {number} side @returns {State} with that side shown */
export const ofSide = (state, side) => ({ ...state, step: side });

/** @param {Page} page @param {State} state @returns {State[]} what the maps on screen show */
export const shownStates = (page, state) =>
  sideNames(page) && state.layout === 'side' ? LETTERS.map((_, side) => ofSide(state, side)) : [state];

/** @param {Page} page @param {State} state @returns {string} the step shown, '' where all are */
export const shownName = (page, state) => (shownStates(page, state).length > 1 ? '' : stepName(page, state));

/**
 * What is asked of both sides at once.
 *
 * @param {Page} page @param {() => State} get
 * @param {{memo: Memo, scenes: Scenes, entry: (state: State) => Entry | undefined,
 *   unfiltered: (state: State) => Int32Array | null, visible: (state: State) => Uint8Array | null,
 *   currentNeighbors: (state: State) =>
 *     {indices: Int32Array, distances: Float64Array, error: string, note: string}}} parts
 */
export function createSides(page, get, { memo, scenes, entry, unfiltered, visible, currentNeighbors }) {
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
    return memo('sides', [row, state.metric, ...found.flatMap(({ indices, note }) => [indices, note])], () =>
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

  /** @returns {Scene[]} what both maps show, B where it can be compared with A */
  function sideScenes(state = get()) {
    const [a, b] = LETTERS.map((_, side) => scenes.scene(ofSide(state, side)));
    if (!isLaid(state)) return [a, b];
    const rows = unfiltered(state) ?? Int32Array.from({ length: page.table.n_points }, (_, i) => i);
    return memo('side scenes', [a, b, state.isolated], () => {
      const turns = isMade(state);
      const { coordinates, factor } = laidOn(a.coordinates, b.coordinates, a.dims, rows, turns);
      if (coordinates === b.coordinates) return [a, b];
      const said = factor === 1 ? '' : `B is drawn at ${Number(factor.toPrecision(2))} of its own scale.`;
      const note = [b.note, said].filter(Boolean).join(' ');
      // Where B was by itself is no part of what is to be seen.
      const around = (places) => bounds(places, a.dims, rows);
      return [
        { ...a, ranges: around(a.coordinates) },
        { ...b, coordinates, ranges: around(coordinates), note },
      ];
    });
  }

  /** @returns {Scene} what one map shows: of a comparison, what lies between what both maps would */
  function oneScene(state = get()) {
    if (!isCompared || !isLaid(state)) return scenes.scene(state);
    const [a, b] = sideScenes(state);
    if (a.key === b.key && b === scenes.scene(ofSide(state, 1))) return scenes.scene(state);
    const { step } = state;
    return memo('one scene', [a, b, step], () => {
      const near = step < 0.5 ? a : b;
      const between = () => a.coordinates.map((x, i) => x + (b.coordinates[i] - x) * step);
      return {
        ...near,
        coordinates: step === 0 || step === 1 ? near.coordinates : between(),
        ranges: together([a.ranges, b.ranges]),
        key: `${a.key} ${b.key}`,
      };
    });
  }

  /** @returns {Scene[]} what the maps on screen show */
  const shownScenes = (state = get()) => (shownStates(page, state).length > 1 ? sideScenes(state) : [oneScene(state)]);

  const roleOf = ({ projection }) => page.tabs.get(projection)?.role;
  /** Whether coordinates are in the unit of each side's vectors; maps lie on each other as they are. */
  const isLaid = (state) => !state.placed && ['axes', 'components'].includes(roleOf(state));
  /** Whether a side's components were computed here, each with axes of its own. */
  const isMade = (state) =>
    roleOf(state) === 'components' && LETTERS.some((_, side) => isApart(entry(ofSide(state, side))));

  const isApart = (found) => found?.id !== undefined && !found.isOfSteps;

  /** @returns {((step: number, row: number) => number[]) | null} where a point is at a step, as the maps have it */
  function placesOf(state) {
    if (!isCompared || !isLaid(state)) return scenes.placesOf(state);
    const both = sideScenes(state);
    const { dims } = both[0];
    return (step, row) => [...both[step].coordinates.subarray(row * dims, (row + 1) * dims)];
  }

  /** @returns {Int32Array} the points shown within {row, radius} of a map as it is drawn */
  function inSphere(sphere, state = get()) {
    if (!isCompared) return scenes.rowsInSphere(sphere, state);
    const both = shownScenes(state);
    const own = both[both.length > 1 ? nearestStep(page, state) : 0];
    const drawn = { ...own, ranges: together(both.map(({ ranges }) => ranges)) };
    return rowsInSphere(drawn, sphere.row, sphere.radius, visible(state));
  }

  return { sideNeighbors, around, oneScene, sideScenes, shownScenes, placesOf, rowsInSphere: inSphere };
}

/** @returns {Map<number, number>} of the nearest that Python found, by point */
function exactRanks({ changes, lists }, row, side, metric) {
  const ranks = changes && metric === changes.metric ? knownRanks(changes, row, side) : null;
  if (!ranks || !lists) return new Map();
  const { k, indices } = lists;
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
