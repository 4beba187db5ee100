import { CAPTIONS, wordsOf } from '#js/data/words.js';
import { h, iconButton, setText } from '#js/dom.js';
import { createPlot } from '#js/plot/plot.js';
import { createSphere } from '#js/panels/sphere.js';

/** @import { Chrome } from '#js/plot/types.js' */

/** The middle of the page: the plot, its tools, and the sentence below it. */
export function createStage(page, view, on = {}) {
  const host = h('div.plot', {
    tabIndex: 0,
    attributes: { role: 'application', 'aria-roledescription': 'scatter plot' },
    aria: {
      label:
        'Points. Arrow keys move, plus and minus zoom, 0 shows everything, Enter selects the point nearest the ' +
        'middle; with box or lasso in hand the arrow keys move a cross-hair and Space sets a corner.',
    },
  });
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
  const fit = iconButton('fit', 'Show everything (0)', () => plot.resetView());
  const note = h('span');
  let unsupported = '';
  let drawn = null;
  const sphere = createSphere(page, view);
  const help = h(
    'button.link',
    { type: 'button', on: { click: () => view.set({ help: true }) } },
    'How to read this picture',
  );
  const element = h(
    'main.stage',
    { aria: { label: 'Plot' } },
    host,
    h('div.tools.left', { attributes: { role: 'group' }, aria: { label: 'Tools' } }, ...tools.values(), sphere.element),
    h(
      'div.tools.right',
      { attributes: { role: 'group' }, aria: { label: 'Display' } },
      page.manifest.sprite ? tiles : null,
      letters,
      fit,
    ),
    h('p.caption', {}, note, ' ', help),
  );
  const plot = createPlot(host, {
    hover: (row) => view.set({ hovered: row }),
    click(row, mode) {
      const { tool, dims } = view.get();
      if (row >= 0 && tool === 'sphere' && dims === 3) sphere.click(row, mode);
      else if (row >= 0) view.select([row], mode);
      else if (mode === 'replace') view.set({ query: '', selected: [] });
    },
    select: (rows, mode) => view.select(rows, mode),
    camera: (camera, settled) => {
      if (settled) on.moved?.();
    },
    unsupported(message) {
      unsupported = message;
      setText(note, message);
    },
  });

  function style(state) {
    const near = view.currentNeighbors(state);
    plot.setStyle({
      colors: view.shades(state),
      oneColor: state.color_by === null,
      visible: view.visible(state),
      selected: state.selected,
      neighbors: near.indices,
      distances: near.distances,
      hovered: state.hovered,
      label: view.label,
      labelled: state.labels,
      sprite: page.sprite,
      thumbnails: state.thumbnails,
      sphere: state.sphere,
      paths: view.paths(state),
      dark: state.dark,
      chrome: chromeColors(),
    });
  }

  return {
    element,
    plot,
    render(state, before) {
      // First of all, while nothing has a style yet that a button could fade from.
      sphere.render(state);
      tools.get('sphere').hidden = state.dims !== 3;
      const inHand = state.tool === 'sphere' && state.dims === 2 ? 'pan' : state.tool;
      for (const [tool, button] of tools) button.setAttribute('aria-pressed', String(tool === inHand));
      tiles.setAttribute('aria-pressed', String(state.thumbnails));
      letters.setAttribute('aria-pressed', String(state.labels !== 'none'));
      letters.title = {
        few: 'Labels: the selected and its neighbors',
        many: 'Labels: as many as fit',
        none: 'Labels: none',
      }[state.labels];
      const scene = view.scene(state);
      if (!before || scene !== drawn) {
        plot.setPoints({
          coordinates: scene.coordinates,
          n: page.table.n_points,
          dims: scene.dims,
          axes: scene.axes,
          keepView: drawn?.key === scene.key,
          ranges: scene.ranges,
          run: drawn?.live ? (scene.live ? 'live' : 'done') : null,
        });
        drawn = scene;
      }
      plot.setTool(state.tool === 'sphere' ? 'pan' : state.tool);
      style(state);
      const told =
        (state.dims === 3 && unsupported) ||
        (scene.error ?? scene.note ?? wordsOf(CAPTIONS, page.tabs.get(state.projection)));
      setText(note, told);
      note.title = told;
    },
  };
}

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
