import { presenceAt } from '#js/data/steps.js';

/**
 * @import { Page, State } from '#js/data/types.js'
 * @import { Memo } from '#js/state/memo.js'
 * @import { Scenes } from '#js/state/scene.js'
 * @typedef {{row: number, places: Float32Array}} Trail a selected point's places at the steps before, and where it is
 */

/** The trails of more points than these would be a tangle: the first of the selected have theirs. */
export const MOST_TRAILS = 300;

/**
 * Where selected points were at the steps before the one shown.
 *
 * @param {Page} page @param {() => State} get @param {{memo: Memo, scenes: Scenes}} parts
 */
export function createTrails(page, get, { memo, scenes }) {
  /** @returns {Trail[] | null} null where none are shown */
  function trails(state = get()) {
    if (!state.trail || !page.steps || !state.selected.length) return null;
    const shown = scenes.scene(state);
    return memo('trails', [shown, state.selected], () => {
      const placeAt = scenes.placesOf(state);
      if (!placeAt) return null;
      const rows = state.selected.subarray(0, MOST_TRAILS);
      return Array.from(rows, (row) => ({ row, places: trailOf(state, row, placeAt, shown) }));
    });
  }

  /** Steps at which the point is not there are passed over. */
  function trailOf({ step }, row, placeAt, { coordinates, dims }) {
    const places = [];
    for (let i = 0; i < step; i++) {
      const there = presenceAt(page, { step: i });
      if (!there || there[row]) places.push(...placeAt(i, row));
    }
    places.push(...coordinates.subarray(row * dims, (row + 1) * dims));
    return Float32Array.from(places);
  }

  return { trails };
}
