import { dimsOf, entryFor } from '#js/state/tabs.js';
import { RULES } from '#js/state/keys.js';
import { isTags, tagged } from '#js/data/tags.js';

/** @import { Page, State } from '#js/data/types.js' */

/** What means something only beside another key: where that one does not fit, these are left out with it. */
export const DEPENDENT = { projection: ['frame'], color_by: ['color_as', 'hidden', 'pointed'], column: ['query'] };

/**
 * What of a patch that comes from a link or a file fits this page; nothing in it is trusted.
 *
 * @param {Record<string, any>} patch keys of the state @param {Page} page @param {State} state the current one
 * @returns {{patch: Partial<State>, odd: string[]}} odd are the keys that do not fit
 */
export function fitting(patch, page, state) {
  /** @type {Partial<State>} */
  const out = {};
  const odd = [];
  const tags = isTags(patch.tags, page.table.n_points) === true ? patch.tags : state.tags;
  const here = { ...page, table: tagged(page.table, tags) };
  for (const [key, value] of Object.entries(patch)) {
    if (Object.hasOwn(RULES, key) && RULES[key](value, here, state) === true) out[key] = value;
    else odd.push(key);
  }
  for (const key of odd) for (const other of Object.hasOwn(DEPENDENT, key) ? DEPENDENT[key] : []) delete out[other];
  const tab = page.tabs.get(out.projection ?? state.projection);
  if ('dims' in out && !dimsOf(tab).includes(out.dims)) {
    delete out.dims;
    odd.push('dims');
  }
  return { patch: out, odd };
}

/** @returns {boolean} whether the file has the recorded step that a state names, where it has the picture at all */
export function hasFrame(page, { projection, dims, frame }) {
  const entry = entryFor(page.tabs.get(projection), dims);
  if (frame === null || !entry || entry.pending) return true;
  return Boolean(entry.frames) && !entry.isOfSteps && frame <= entry.frames.steps.length - 1;
}
