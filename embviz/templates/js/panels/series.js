import { SIDE_BY_SIDE } from '#js/data/words.js';
import { fill, h } from '#js/dom.js';
import { seriesOf } from '#js/state/series.js';

/**
 * @import { Page } from '#js/data/types.js'
 * @import { View } from '#js/state/view.js'
 */

/**
 * The tabs of one method side by side: a row a tab, with its figures; a click on one shows it.
 *
 * @param {Page} page @param {View} view
 */
export function createSeries(page, view) {
  const element = h('div.series');
  let shown = '';

  function row({ key, label, title, isShown, figures }) {
    const show = () => view.set({ projection: key });
    const button = h('button.link', { type: 'button', title, aria: { pressed: String(isShown) } }, label);
    return h(
      'tr',
      { on: { click: show }, className: isShown ? 'shown' : '' },
      h('th', { scope: 'row' }, button),
      ...figures.map((figure) => h('td', {}, figure)),
    );
  }

  return {
    element,
    render(state) {
      const found = seriesOf(page, state);
      const key = JSON.stringify(found);
      if (key === shown) return;
      shown = key;
      element.hidden = found === null;
      if (!found) return;
      const focused = [...element.querySelectorAll('button')].indexOf(/** @type {any} */ (document.activeElement));
      const heads = [{ name: found.name, title: '' }, ...found.columns];
      fill(
        element,
        h(
          'table',
          { aria: { label: SIDE_BY_SIDE.name(found.method) } },
          h('thead', {}, h('tr', {}, ...heads.map(({ name, title }) => h('th', { scope: 'col', title }, name)))),
          h('tbody', {}, ...found.rows.map(row)),
        ),
        h('p.hint', {}, SIDE_BY_SIDE.hint, found.remark && ` ${found.remark}.`),
      );
      if (focused >= 0) element.querySelectorAll('button')[focused]?.focus();
    },
  };
}
