import { isAtEnd } from '#js/data/steps.js';
import { filled, wordsOf } from '#js/data/words.js';
import { shownComponents } from '#js/state/scene.js';
import { ownTab } from '#js/state/tabs.js';

/**
 * @import { Page, State } from '#js/data/types.js'
 * @import { View } from '#js/state/view.js'
 */

/**
 * What may be read from the picture of a state, and what not; Python has the words (embviz/pictures/captions.py).
 *
 * @param {Page} page @param {View} view @param {State} state
 * @returns {string} '' where they are not to be seen
 */
export function captionOf(page, view, state) {
  if (!state.caption) return '';
  const { steps, sample } = page.manifest;
  return [captionOfPicture(page, view, state), steps?.caption, sample?.caption, captionOfAll(page, view, state)]
    .filter(Boolean)
    .join(' ');
}

/** What is said of all points, where they were placed in the picture. */
function captionOfAll({ manifest }, view, state) {
  const own = manifest.densities?.find(({ of }) => of === state.projection);
  if (!own || !state.density) return '';
  if (state.dims === 3) return own.caption_3d;
  return view.density(state) ? own.caption : '';
}

/** Whether a view along axes has none that was typed, so that it shows components. */
const isWithoutAxes = ({ role }, { shown_axes: axes, dims }) =>
  role === 'axes' && axes.slice(0, dims).every(({ from, to }) => from.trim() === '' && to.trim() === '');

/**
 * @param {Page} page @param {View} view @param {State} state
 * @returns {string} what is shown in the place of what the tab is called; '' where it shows that
 */
export function standInOf(page, view, state) {
  const tab = page.tabs.get(state.projection);
  const isStandIn = !state.placed && tab.role === 'run' && view.entry(state).pending;
  return isStandIn ? `PCA: ${view.entry(state).title} in ${state.dims}D has not been run here` : '';
}

function captionOfPicture(page, view, state) {
  const {
    manifest: { captions },
    tabs,
  } = page;
  const tab = tabs.get(state.projection);
  if (state.placed) {
    // Where another program has put the points, its axes may be of other vectors.
    const named = tabs.get(state.placed.name);
    return named?.kind === 'map' ? wordsOf(captions, named) : captions.map;
  }
  const entry = view.entry(state);
  if (entry.isOfSteps && /laid/.test(entry.params.directions ?? '') && !isAtEnd(page, state))
    return page.manifest.steps.caption_laid;
  // Until it is run the points lie as in PCA.
  const isElsewhere = (tab.role === 'run' && entry.pending) || isWithoutAxes(tab, state);
  const shown = isElsewhere ? ownTab(tabs, 'components') : tab;
  const components = shown.role === 'components' && !isElsewhere ? shownComponents(entry, state) : [0, 1, 2];
  const { stats, params } = isElsewhere ? shown.entries[0] : entry;
  // Directions that fill in are of the raw vectors, as PCA in the file may not be.
  const isMeasured = isElsewhere && view.scene(state).counts !== undefined;
  if (isMeasured && params.normalize === 'sphere') return filled(wordsOf(captions, shown), null, false);
  const shares = components.slice(0, state.dims).map((c) => stats.variance_shares?.[c]);
  const isKnown = shares.every(Number.isFinite);
  return filled(
    wordsOf(captions, shown),
    isKnown ? shares.reduce((sum, x) => sum + x, 0) : null,
    params.normalize === 'sphere',
  );
}
