import { h, iconButton, setText } from '#js/dom.js';
import { createMaps } from '#js/panels/maps.js';
import { createSphere } from '#js/panels/sphere.js';
import { captionOf, standInOf } from '#js/state/captions.js';
import { LETTERS, shownStates, sideNames } from '#js/state/sides.js';

/** @import { Chrome } from '#js/plot/types.js' */

/** The middle of the page: the plot, its tools, and the sentence below it. */
export function createStage(page, view, on = {}) {
  const names = sideNames(page);
  const tools = new Map(
    [
      ['pan', 'move', 'Move and turn'],
      ['box', 'box', 'Select a box'],
      ['lasso', 'lasso', 'Select with a lasso'],
      ['sphere', 'sphere', 'Select a sphere around a point, in 3D'],
    ].map(([tool, name, label]) => [
      tool,
      iconButton(name, label, () => view.set({ tool: /** @type {any} */ (tool) })),
    ]),
  );
  const tiles = iconButton('tiles', 'Thumbnails', () => view.set({ thumbnails: !view.get().thumbnails }));
  const letters = iconButton('letter', 'Labels', () =>
    view.set({ labels: { few: 'many', many: 'none', none: 'few' }[view.get().labels] }),
  );
  const reading = iconButton('caption', 'What may be read, in the picture (c)', () =>
    view.set({ caption: !view.get().caption }),
  );
  const layouts = new Map(
    (names
      ? [
          ['side', 'columns', 'Both maps'],
          ['one', 'frame', 'One map that slides from A to B'],
        ]
      : []
    ).map(([layout, name, label]) => [
      layout,
      iconButton(name, label, () => view.set({ layout: /** @type {any} */ (layout) })),
    ]),
  );
  const fit = iconButton('fit', 'Show everything (0)', () => plot.resetView());
  const note = h('span');
  let unsupported = '';
  let drawn = [];
  const sphere = createSphere(page, view);
  const help = h(
    'button.link',
    { type: 'button', on: { click: () => view.set({ help: true }) } },
    'How to read this picture',
  );
  const maps = createMaps(page, view, {
    hover: (row) => view.set({ hovered: row }),
    click(row, mode, side) {
      const { tool, dims } = view.get();
      if (row >= 0 && tool === 'sphere' && dims === 3) {
        if (shownStates(page, view.get()).length > 1) view.set({ step: side });
        sphere.click(row, mode);
      } else if (row >= 0) view.select([row], mode);
      else if (mode === 'replace') view.set({ query: '', selected: [] });
    },
    select: (rows, mode) => view.select(rows, mode),
    name(group, mode) {
      const { tool, dims } = view.get();
      if (tool === 'sphere' && dims === 3) return false;
      return view.select(view.rowsOfGroup(group), mode);
    },
    camera: (camera, settled) => {
      if (settled) on.moved?.();
    },
    unsupported(message) {
      unsupported = message;
      setText(note, message);
    },
  });
  const { plot } = maps;
  const standIn = h('p.stand-in', { attributes: { role: 'status' } });
  const element = h(
    'main.stage',
    { aria: { label: 'Plot' } },
    maps.element,
    standIn,
    h('div.tools.left', { attributes: { role: 'group' }, aria: { label: 'Tools' } }, ...tools.values(), sphere.element),
    h(
      'div.tools.right',
      { attributes: { role: 'group' }, aria: { label: 'Display' } },
      ...layouts.values(),
      page.manifest.sprite ? tiles : null,
      letters,
      reading,
      fit,
    ),
    h('p.caption', {}, note, ' ', help),
  );

  function styleOf(state, name, isChosen, captions, side) {
    const near = view.currentNeighbors(state);
    return {
      colors: view.shades(state),
      oneColor: state.color_by === null,
      visible: view.visible(state),
      selected: state.selected,
      // Where the colors are of distances from the one selected, the others are what is looked at.
      fades: view.coloring(state).legend.row === undefined || state.selected.length > 1,
      neighbors: near.indices,
      distances: near.distances,
      // What distances are from is seen also while the pointer is elsewhere.
      hovered: state.hovered < 0 ? (view.coloring(state).legend.row ?? -1) : state.hovered,
      label: view.label,
      labelled: state.labels,
      name,
      caption: captions[side],
      captions: captions.join('\n'),
      sprite: page.sprite,
      thumbnails: state.thumbnails,
      sphere: isChosen ? state.sphere : null,
      paths: view.paths(state),
      trails: view.trails(state),
      contours: view.contours(state),
      density: view.density(state),
      groups: view.namesOf(state),
      dark: state.dark,
      chrome: chromeColors(),
    };
  }

  function draw(scenes) {
    if (drawn.length === scenes.length && scenes.every((scene, at) => scene === drawn[at])) return;
    plot.setPoints(
      scenes.map((scene, at) => ({
        coordinates: scene.coordinates,
        n: page.table.n_points,
        dims: scene.dims,
        axes: scene.axes,
        grain: scene.grain,
        keepView: (drawn[at] ?? drawn[0])?.key === scene.key,
        ranges: scene.ranges,
        run: drawn[0]?.live ? (scene.live ? 'live' : 'done') : null,
      })),
    );
    drawn = scenes;
  }

  return {
    element,
    plot,
    render(state) {
      // First of all, while nothing has a style yet that a button could fade from.
      sphere.render(state);
      tools.get('sphere').hidden = state.dims !== 3;
      const inHand = state.tool === 'sphere' && state.dims === 2 ? 'pan' : state.tool;
      for (const [tool, button] of tools) button.setAttribute('aria-pressed', String(tool === inHand));
      for (const [layout, button] of layouts) button.setAttribute('aria-pressed', String(layout === state.layout));
      tiles.setAttribute('aria-pressed', String(state.thumbnails));
      reading.setAttribute('aria-pressed', String(state.caption));
      letters.setAttribute('aria-pressed', String(state.labels !== 'none'));
      letters.title = {
        few: 'Labels: the selected and its neighbors',
        many: 'Labels: as many as fit',
        none: 'Labels: none',
      }[state.labels];
      const states = shownStates(page, state);
      const titles = states.map((_, side) => (states.length > 1 ? `${LETTERS[side]} · ${names[side]}` : ''));
      const captions = states.map((each) => captionOf(page, view, each));
      const instead = standInOf(page, view, state);
      setText(standIn, instead);
      standIn.hidden = instead === '';
      maps.render(titles, state.step, captions);
      const scenes = view.shownScenes(state);
      // Which points are shown, and how large, says what room they need.
      const called = titles.map((title) => [title, instead].filter(Boolean).join(' · '));
      plot.setStyle(states.map((each, side) => styleOf(each, called[side], each.step === state.step, captions, side)));
      draw(scenes);
      plot.setTool(state.tool === 'sphere' ? 'pan' : state.tool);
      const said = scenes.map(({ error, note: own }) => error ?? own ?? '');
      const told = (state.dims === 3 && unsupported) || (said[0] === (said[1] ?? said[0]) ? said[0] : bothSaid(said));
      setText(note, told);
      note.hidden = told === '';
      note.title = told;
    },
  };
}

/** What is said of each map, where that differs. */
const bothSaid = (said) => said.map((text, side) => `${LETTERS[side]}: ${text}`).join(' ');

/** @returns {Chrome} */
function chromeColors() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    background: color('background'),
    grid: color('grid'),
    text: color('text'),
    muted: color('muted'),
    accent: color('accent'),
  };
}
