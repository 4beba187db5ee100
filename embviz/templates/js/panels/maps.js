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
export function createMaps(page, on) {
  const names = sideNames(page);
  const maps = (names ?? ['']).map((name, side) => createMap(names ? `Map ${LETTERS[side]}, ${name}` : 'Points'));
  const plot = createPair(
    maps.map(({ host }) => host),
    on,
  );
  const element = h('div.maps', {}, ...maps.map((map) => map.element));
  return {
    element,
    plot,
    /** @param {(string | null)[]} titles of the maps that are shown @returns {void} */
    render(titles) {
      element.classList.toggle('several', titles.length > 1);
      maps.forEach((map, at) => map.render(titles[at]));
      plot.show(titles.length);
    },
  };
}

function createMap(label) {
  const host = h('div.plot', {
    tabIndex: 0,
    attributes: { role: 'application', 'aria-roledescription': 'scatter plot' },
    aria: { label: `${label}. ${KEYS}` },
  });
  const name = h('p.map-name', { dir: 'auto' });
  const element = h('div.map', {}, host, name);
  return {
    element,
    host,
    render(title) {
      element.hidden = title === undefined;
      name.hidden = !title;
      setText(name, title ?? '');
      name.title = title ?? '';
    },
  };
}
