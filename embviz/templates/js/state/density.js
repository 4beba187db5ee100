import { isAtEnd } from '#js/data/steps.js';
import { isLeading } from '#js/state/scene.js';
import { stepOf } from '#js/state/tabs.js';

/**
 * How densely all points lie under those of a sample: of which picture, and whether it is the one that is shown.
 *
 * @import { Grid, Page, State } from '#js/data/types.js'
 * @import { Computed } from '#js/state/computed.js'
 */

/**
 * @param {Page} page @param {() => State} get
 * @param {{entry: Computed['entry'], scene: (state: State) => {counts?: any}}} parts
 */
export function createDensity(page, get, { entry: entryOf, scene }) {
  const { manifest } = page;
  const entries = manifest.densities ?? [];

  /** @returns {string} why none is drawn under the points of a state, '' where one can be */
  function problem(state = get()) {
    const own = entries.find(({ of }) => of === state.projection);
    if (!own) return `The density of all points is of ${namesOf(page, entries)}, in 2D`;
    if (state.dims === 3) return 'The density of all points is drawn in 2D';
    const entry = entryOf(state);
    const role = page.tabs.get(state.projection).role;
    const isOther =
      state.placed ||
      stepOf(entry, state) !== null ||
      !manifest.projections.includes(entry) ||
      !isAtEnd(page, state) ||
      (role === 'components' && !isLeading(state)) ||
      (role === 'axes' && scene(state).counts !== undefined);
    if (isOther) return 'The density of all points is of the picture that the file came with';
    return page.densities.has(state.projection) ? '' : 'The density in this file is damaged';
  }

  return {
    densityProblem: problem,
    /** @returns {Grid | null} what is drawn under the points, null for nothing */
    density: (state = get()) =>
      entries.length && state.density && problem(state) === '' ? page.densities.get(state.projection) : null,
  };
}

const namesOf = (page, entries) => entries.map(({ of }) => page.tabs.get(of)?.title ?? of).join(' and ');
