import { format, h } from '#js/dom.js';
import { STEPS } from '#js/drawing/faults.js';

/** @import { Legend, LegendEntry } from '#js/drawing/types.js' */

const SAID = 'False: near in this picture only. Missing: near in the data only.';

/**
 * The legend of false and missing neighbors: a square of colors whose sides are the two faults. Each of its cells is a
 * button; the arrow keys go from one to the next.
 *
 * @param {Legend} legend
 * @param {(tag: 'button.fault', entry: LegendEntry) => HTMLButtonElement} classButton
 * @returns {{element: HTMLElement, cells: HTMLButtonElement[]}} cells by code
 */
export function drawFaults({ entries, high }, classButton) {
  const cells = entries.slice(0, STEPS * STEPS).map((entry) => {
    const cell = classButton('button.fault', entry);
    cell.style.setProperty('--swatch', entry.color);
    cell.tabIndex = entry.code === 0 ? 0 : -1;
    return cell;
  });

  function onKey(event) {
    const at = cells.indexOf(event.target);
    const [right, up] =
      { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
    if (at < 0 || right === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const [x, y] = [(at % STEPS) + right, Math.floor(at / STEPS) + up];
    if (Math.min(x, y) < 0 || Math.max(x, y) >= STEPS) return;
    for (const cell of cells) cell.tabIndex = -1;
    const next = cells[STEPS * y + x];
    next.tabIndex = 0;
    next.focus();
  }

  // From above: most missing neighbors first.
  const inOrder = Array.from({ length: STEPS }, (_, y) => cells.slice(STEPS * (STEPS - 1 - y), STEPS * (STEPS - y)));
  const square = h(
    'div.fault-cells',
    {
      attributes: { role: 'group' },
      aria: { label: 'Legend: false neighbors to the right, missing ones upwards' },
      on: { keydown: onKey },
    },
    ...inOrder.flat(),
  );
  const end = `${format(Number(((high * (STEPS - 1)) / STEPS).toPrecision(3)))}+`;
  const element = h(
    'div.faults',
    {},
    h('span.fault-up', { aria: { hidden: 'true' } }, h('span', {}, '0'), h('span', {}, 'missing'), h('span', {}, end)),
    square,
    h('span.fault-on', { aria: { hidden: 'true' } }, h('span', {}, '0'), h('span', {}, 'false'), h('span', {}, end)),
    h('p.hint', {}, SAID),
  );
  return { element, cells };
}
