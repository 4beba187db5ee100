import { format, h, iconButton, setText } from '#js/dom.js';

/**
 * @import { Page } from '#js/data/types.js'
 * @import { View } from '#js/state/view.js'
 */

/**
 * On a narrow screen, where the inspector is a sheet over the plot, one line below the plot that says what is selected
 * and opens the inspector: a press on a point covers nothing by itself.
 *
 * @param {Page} page @param {View} view @param {() => void} openInspector
 */
export function createPeek(page, view, openInspector) {
  const name = h('strong', { dir: 'auto' });
  const element = h(
    'section.peek',
    { aria: { label: 'Selected' } },
    name,
    h('button', { type: 'button', on: { click: openInspector } }, 'Details'),
    iconButton('close', 'Clear the selection', () => view.set({ query: '', selected: [] })),
  );
  return {
    element,
    render({ selected }) {
      element.hidden = selected.length === 0;
      if (element.hidden) return;
      const text = selected.length === 1 ? view.label(selected[0]) : `${format(selected.length)} selected`;
      setText(name, text);
      name.title = text;
    },
  };
}
