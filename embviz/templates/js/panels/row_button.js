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

/**
 * The arrow keys in a list of such buttons: up and down, Home and End; up from the first goes back to where the list
 * is of.
 *
 * @param {KeyboardEvent} event @param {() => void} [back] what is above the list
 */
export function arrowKeys(event, back) {
  const list = /** @type {HTMLElement} */ (event.currentTarget);
  const buttons = Array.from(list.querySelectorAll('button'));
  const at = buttons.findIndex((button) => button === document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (at < 0 || to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  if (to < 0 && back) back();
  else buttons[Math.min(Math.max(to, 0), buttons.length - 1)].focus();
  event.preventDefault();
}
