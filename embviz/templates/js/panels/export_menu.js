import { presenceAt, stepName } from '#js/data/steps.js';
import { fill, format, h, iconButton } from '#js/dom.js';
import { fileName, neighborsText, pointsText } from '#js/data/exports.js';
import { download } from '#js/panels/download.js';
import { copyText, hasAddress } from '#js/panels/host.js';
import { toldOf } from '#js/panels/picture_words.js';
import { showToCopy } from '#js/panels/shown.js';
import { pictureCanvas, pictureText } from '#js/plot/picture.js';
import { inWords } from '#js/state/key_words.js';
import { LETTERS, ofSide, shownName, sideNames } from '#js/state/sides.js';

/**
 * @import { Page } from '#js/data/types.js'
 * @import { Pair } from '#js/plot/pair.js'
 * @import { View } from '#js/state/view.js'
 */

const SCALE = 2;
const MOST_QUERIES = 2000;
const SLICE_MS = 40;

/** @returns {string} the points as TSV: `rows`, or else the selected, or else all that are shown */
export function exportPoints(page, view, rows = null) {
  const state = view.get();
  const scene = view.scene(state);
  const all = () => view.unfiltered(state) ?? Int32Array.from({ length: page.table.n_points }, (_, i) => i);
  const name = state.placed?.name ?? state.projection;
  const isChosen = page.tabs.get(name)?.role === 'components';
  const parts = isChosen ? state.components.map((c) => c + 1) : [1, 2, 3];
  const names = Array.from({ length: scene.dims }, (_, j) => `${name}_${scene.dims}:${parts[j] ?? j + 1}`);
  const chosen = rows ?? (state.selected.length ? state.selected : all());
  if (sideNames(page))
    return pointsText(
      view.table(),
      chosen,
      bothSides(view.scene(ofSide(state, 0)), view.scene(ofSide(state, 1)), names),
    );
  return pointsText(view.table(), chosen, {
    coordinates: scene.coordinates,
    dims: scene.dims,
    names,
    step: stepName(page, state),
    there: presenceAt(page, state),
  });
}

/** The places of both sides in one row, A's first. */
function bothSides(a, b, names) {
  const { dims } = a;
  const coordinates = new Float32Array(2 * a.coordinates.length);
  for (let i = 0, at = 0; i < a.coordinates.length; i += dims, at += 2 * dims) {
    coordinates.set(a.coordinates.subarray(i, i + dims), at);
    coordinates.set(b.coordinates.subarray(i, i + dims), at + dims);
  }
  return { coordinates, dims: 2 * dims, names: LETTERS.flatMap((side) => names.map((name) => `${side} ${name}`)) };
}

/** Neighbors of many points, a slice of time after another. @returns {Promise<string>} */
async function exportNeighbors(page, view, progress) {
  const state = view.get();
  const { selected, k, metric } = state;
  const sides = sideNames(page) ? LETTERS : [''];
  const found = [];
  let since = performance.now();
  for (const row of selected) {
    sides.forEach((side, i) => {
      const { indices, distances } = view.neighbors(row, k, metric, side ? ofSide(state, i) : state);
      found.push({ row, side, indices: indices.slice(), distances: distances.slice() });
    });
    if (performance.now() - since > SLICE_MS) {
      progress(`Neighbors of ${format(found.length / sides.length)} of ${format(selected.length)} points …`);
      await new Promise((resolve) => {
        setTimeout(resolve);
      });
      since = performance.now();
    }
  }
  return neighborsText(found, page.table, view.label, metric);
}

/**
 * The menu that saves what is seen.
 *
 * @param {Page} page @param {View} view
 * @param {{plot: () => Pair, link: () => {url: string, left: string[], isPlaced: boolean},
 *   say: (text: string) => void}} to
 */
export function createExportMenu(page, view, to) {
  const name = (what, extension) =>
    fileName(page.manifest.title, `${what} ${shownName(page, view.get())}`.trim(), extension);
  const tab = () => view.get().projection;
  const savePoints = (rows, what) =>
    download(exportPoints(page, view, rows), name(what, 'tsv'), 'text/tab-separated-values');
  const everything = () => view.unfiltered() ?? Int32Array.from({ length: page.table.n_points }, (_, i) => i);

  async function savePng() {
    const canvas = pictureCanvas(to.plot().onScreen(), SCALE * (window.devicePixelRatio || 1), toldOf(page, view));
    const blob = await new Promise((resolve) => {
      canvas.toBlob(resolve, 'image/png');
    });
    if (blob) download(blob, name(tab(), 'png'));
    else to.say('This browser cannot make a picture of that size; make the window smaller');
  }

  async function saveNeighbors() {
    const { selected, k } = view.get();
    if (selected.length > MOST_QUERIES)
      return to.say(
        `Neighbors of at most ${format(MOST_QUERIES)} points are saved at once, ` +
          `${format(selected.length)} are selected`,
      );
    try {
      const text = await exportNeighbors(page, view, to.say);
      const isSaved = download(text, name('neighbors', 'tsv'), 'text/tab-separated-values');
      const what = `the ${k} nearest neighbors of ${format(selected.length)} points`;
      return to.say(isSaved ? `Saved ${what}` : '');
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return to.say(error.message);
    }
  }

  async function copyLink() {
    const { url, left, isPlaced } = to.link();
    const what =
      (left.length ? `; ${inWords(left)} are too many for a link, a bookmark holds them` : '') +
      (isPlaced ? '; it does not hold where the points lie now, a bookmark does' : '');
    const fragment = url.slice(url.indexOf('#'));
    if (!hasAddress())
      return fragment === '#'
        ? to.say('This page has no address here, and it opens with this view')
        : showToCopy('A link to this view', {
            reason: `This page has no address here. Add this to the address of its file, wherever that is kept${what}:`,
            text: fragment,
          });
    if (await copyText(url)) return to.say(`Copied the link${what}`);
    return showToCopy('A link to this view', { reason: `This is the link${what}:`, text: url });
  }

  const items = () => {
    const { selected } = view.get();
    const none = selected.length ? '' : 'Select points first';
    const noVectors = view.neighborsProblem() || none;
    return [
      ['Picture, PNG', savePng, ''],
      [
        'Picture, SVG',
        () => download(pictureText(to.plot().onScreen(), toldOf(page, view)), name(tab(), 'svg'), 'image/svg+xml'),
        '',
      ],
      [`Points shown, TSV (${format(everything().length)})`, () => savePoints(everything(), 'points'), ''],
      [`Selected points, TSV (${format(selected.length)})`, () => savePoints(selected, 'selection'), none],
      ['Neighbors of the selected, TSV', saveNeighbors, noVectors],
      ['Copy a link to this view', copyLink, ''],
    ];
  };
  return createMenu(items);
}

/** @returns {HTMLButtonElement[]} */
const buttonsOf = (menu) => Array.from(menu.querySelectorAll('button'));

/** A button and the menu below it, as https://www.w3.org/WAI/ARIA/apg/patterns/menu-button/ has it. */
function createMenu(items) {
  const menu = h('div.menu', { hidden: true, attributes: { role: 'menu' }, aria: { label: 'Save' } });
  const button = iconButton('download', 'Save pictures and points', () => (menu.hidden ? open() : close(true)), {
    aria: { haspopup: 'menu', expanded: 'false' },
  });
  const element = h(
    'div.menu-anchor',
    {
      on: {
        keydown: onKey,
        focusout: (event) => {
          if (!element.contains(event.relatedTarget)) close(false);
        },
      },
    },
    button,
    menu,
  );
  const enabled = () => buttonsOf(menu).filter((item) => item.getAttribute('aria-disabled') !== 'true');

  function open() {
    fill(
      menu,
      ...items().map(([text, run, reason]) =>
        h(
          'button.menu-item',
          {
            type: 'button',
            tabIndex: -1,
            title: reason,
            attributes: { role: 'menuitem' },
            aria: { disabled: String(reason !== '') },
            on: {
              click: () => {
                if (!reason) {
                  close(true);
                  void run();
                }
              },
            },
          },
          text,
        ),
      ),
    );
    menu.hidden = false;
    button.setAttribute('aria-expanded', 'true');
    enabled()[0]?.focus();
  }

  function close(takeFocus) {
    if (menu.hidden) return;
    menu.hidden = true;
    button.setAttribute('aria-expanded', 'false');
    if (takeFocus) button.focus();
  }

  function onKey(event) {
    if (menu.hidden) {
      if (event.key !== 'ArrowDown') return;
      open();
    } else {
      const list = buttonsOf(menu);
      const at = list.findIndex((item) => item === document.activeElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: list.length - 1 }[event.key];
      if (event.key === 'Escape') close(true);
      else if (event.key === 'Tab') return close(false);
      else if (to !== undefined) list[(to + list.length) % list.length].focus();
      else if (event.key !== 'Enter' && event.key !== ' ') return event.stopPropagation();
      else return event.stopPropagation();
    }
    event.preventDefault();
    return event.stopPropagation();
  }
  return { element, render() {} };
}
