import { motionWords } from '#js/data/words.js';
import { h, setText } from '#js/dom.js';
import { motionOf } from '#js/state/figures.js';

/**
 * @import { Page } from '#js/data/types.js'
 * @import { View } from '#js/state/view.js'
 */

/**
 * Whether what moves in the picture has changed: a sentence, of the projection that is shown.
 *
 * @param {Page} page @param {View} view
 * @param {(state: any) => boolean} [isPlace] whether it is said here in a state
 */
export function createMotion(page, view, isPlace = () => true) {
  /** Of two steps there is one pair, which is all. */
  const measured = (state) => {
    const found = motionOf(page, view, state);
    return found && page.steps.names.length === 2 ? { ...found, pair: null } : found;
  };
  const element = h('p.steps-motion', { attributes: { role: 'note' } });
  return {
    element,
    render(state) {
      const found = motionWords(measured(state));
      element.hidden = found === null || !isPlace(state);
      if (!found) return;
      setText(element, found.text);
      element.title = found.title;
      element.dataset.rule = found.rule;
    },
  };
}
