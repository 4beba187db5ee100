import { h, setText } from '#js/dom.js';
import { createPair } from '#js/plot/pair.js';
import { LETTERS, sideNames } from '#js/state/sides.js';

/** @import { PlotListeners } from '#js/plot/types.js' */

const KEYS =
  'Arrow keys move, plus and minus zoom, 0 shows everything, Enter selects the point nearest the ' +
  'middle; with box or lasso in hand the arrow keys move a cross-hair and Space sets a corner.';

const OVER_CELLS = 'Over the density of all points the cross-hair tells the count below it.';

/**
 * Where the points are drawn: one map, or those of both sides of a comparison, each with its name above it.
 *
 * @param {PlotListeners} on
 */
export function createMaps(page, view, on) {
  const names = sideNames(page);
  const keys = page.manifest.densities?.length ? `${KEYS} ${OVER_CELLS}` : KEYS;
  const maps = (names ?? ['']).map((name, side) =>
    createMap(side, `${names ? `Map ${LETTERS[side]}, ${name}` : 'Points'}. ${keys}`, () => view.set({ step: side })),
  );
  const plot = createPair(
    maps.map(({ host }) => host),
    { ...on, told: (text) => setText(told, text) },
  );
  const told = h('p.told', { attributes: { role: 'status' } });
  const element = h('div.maps', {}, ...maps.map((map) => map.element), told);
  return {
    element,
    plot,
    /**
     * @param {string[]} titles of the maps that are shown @param {number} step of the page
     * @param {string[]} captions what may be read from each
     */
    render(titles, step, captions) {
      element.classList.toggle('several', titles.length > 1);
      maps.forEach((map, at) => map.render(titles[at], step === at, captions[at]));
      plot.show(titles.length);
    },
  };
}

function createMap(side, label, choose) {
  const caption = h('p', { id: `caption-${side}`, hidden: true });
  const host = h('div.plot', {
    tabIndex: 0,
    attributes: { role: 'application', 'aria-roledescription': 'scatter plot' },
    aria: { label, describedby: caption.id },
  });
  const name = h('button.map-name', { type: 'button', dir: 'auto', on: { click: choose } });
  const element = h('div.map', {}, host, name, caption);
  return {
    element,
    host,
    /**
     * @param {string | undefined} title @param {boolean} isChosen whether runs and figures are of this side
     * @param {string} [said] what may be read from it; the canvas has it for those who see it
     */
    render(title, isChosen, said = '') {
      setText(caption, said);
      element.hidden = title === undefined;
      name.hidden = !title;
      setText(name, title ?? '');
      name.title = isChosen ? `${title}: runs and figures are of this side` : `Runs and figures of ${title}`;
      name.setAttribute('aria-pressed', String(isChosen));
    },
  };
}
