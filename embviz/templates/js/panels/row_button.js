import { h } from '#js/dom.js';
import { modeOf } from '#js/state/select.js';

/** A point in a list: pointing at it marks it in the plot, a click selects it, with Shift or Alt as in the plot. */
export function rowButton(view, row, thumbnail, ...rest) {
  const name = view.label(row);
  return h(
    'button.row',
    {
      type: 'button',
      title: name,
      on: {
        click: (event) => view.select([row], modeOf(event)),
        mouseenter: () => view.set({ hovered: row }),
        mouseleave: () => view.set({ hovered: -1 }),
        focus: () => view.set({ hovered: row }),
        blur: () => view.set({ hovered: -1 }),
      },
    },
    thumbnail(row, 18),
    h('span.row-name', { dir: 'auto' }, name),
    ...rest,
  );
}
