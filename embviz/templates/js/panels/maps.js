import { h, setText } from '#js/dom.js';
import { createPair } from '#js/plot/pair.js';
import { LETTERS, sideNames } from '#js/state/sides.js';

/** @import { PlotListeners } from '#js/plot/types.js' */

const KEYS =
  'Arrow keys move, plus and minus zoom, 0 shows everything, Enter selects the point nearest the ' +
  'middle; with box or lasso in hand the arrow keys move a cross-hair and Space sets a corner.';

/**
 * Where the points are drawn: one map, or those of both sides of a comparison, each with its name above it.
 *
 * @param {PlotListeners} on
 */
export function createMaps(page, view, on) {
  const names = sideNames(page);
  const maps = (names ?? ['']).map((name, side) =>
    createMap(names ? `Map ${LETTERS[side]}, ${name}` : 'Points', () => view.set({ step: side })),
  );
  const plot = createPair(
    maps.map(({ host }) => host),
    on,
  );
  const element = h('div.maps', {}, ...maps.map((map) => map.element));
  return {
    element,
    plot,
    /** @param {string[]} titles of the maps that are shown @param {number} step of the page */
    render(titles, step) {
      element.classList.toggle('several', titles.length > 1);
      maps.forEach((map, at) => map.render(titles[at], step === at));
      plot.show(titles.length);
    },
  };
}

function createMap(label, choose) {
  const host = h('div.plot', {
    tabIndex: 0,
    attributes: { role: 'application', 'aria-roledescription': 'scatter plot' },
    aria: { label: `${label}. ${KEYS}` },
  });
  const name = h('button.map-name', { type: 'button', dir: 'auto', on: { click: choose } });
  const element = h('div.map', {}, host, name);
  return {
    element,
    host,
    /** @param {string | undefined} title @param {boolean} isChosen whether runs and figures are of this side */
    render(title, isChosen) {
      element.hidden = title === undefined;
      name.hidden = !title;
      setText(name, title ?? '');
      name.title = isChosen ? `${title}: runs and figures are of this side` : `Runs and figures of ${title}`;
      name.setAttribute('aria-pressed', String(isChosen));
    },
  };
}
