import { HANDS, KEYS, nameOf, READING, UNIT, worded, wordsOf } from '#js/data/words.js';
import { sampleWords } from '#js/data/sample_words.js';
import { POINTED } from '#js/data/pointed.js';
import { pageAt } from '#js/data/steps.js';
import { fill, format, h, iconButton } from '#js/dom.js';
import { standInOf } from '#js/state/captions.js';
import { ofWhichPoints } from '#js/state/figures.js';
import { compareWords } from '#js/state/change_words.js';
import { LETTERS, sideNames } from '#js/state/sides.js';
import { entryFor, isBeyondRuns } from '#js/state/tabs.js';

/** "How to read this picture": what is shown, its parameters, the command that makes it again, the keys. */
export function createHelp(page, view) {
  const body = h('div.help-body');
  const close = () => view.set({ help: false });
  const dialog = h(
    'dialog.help',
    {
      aria: { label: 'How to read this picture' },
      on: {
        // Escape cancels at once and closes later; in between a change of the view would open it again.
        cancel: close,
        close: () => {
          if (!dialog.open) close();
        },
        click: (event) => {
          if (event.target === dialog) close();
        },
      },
    },
    h('div.help-head', {}, h('h2', {}, 'How to read this picture'), iconButton('close', 'Close', close)),
    body,
  );
  return {
    element: dialog,
    render(state) {
      if (state.help && !dialog.open) {
        fill(body, ...content(page, view, state));
        dialog.showModal();
      } else if (!state.help && dialog.open) dialog.close();
    },
  };
}

const ROUNDED =
  'Coordinates in this page are rounded to 65,536 steps in what each component spans, from the fourth on to 16,384; ' +
  '--save-coordinates writes all digits.';

function content(page, view, state) {
  const { manifest } = page;
  const { space } = pageAt(page, state);
  const tab = page.tabs.get(state.projection);
  const entry = view.entry(state);
  const { params, stats } = view.facts(state);
  const { unit = 1, ...others } = params;
  const values = [...Object.entries(others), ...Object.entries(stats)]
    .filter(([key, value]) => typeof value !== 'object' && value !== undefined && key !== 'title')
    .map(([key, value]) => [nameOf(key), worded(key, value)]);
  if (unit !== 1) values.push([UNIT.label, unit]);
  const points = ofWhichPoints(page, state, entry);
  const data = [
    ['source', manifest.source],
    ['tensor', space.tensor],
    ...shapesOf(page, space).map(({ side, n_dims, dtype }) => [
      `shape${side}`,
      `${format(manifest.n_points)} × ${format(n_dims)}, ${dtype}`,
    ]),
  ];
  if (manifest.total_points !== manifest.n_points)
    data.push(['of', `${format(manifest.total_points)} points in the source`]);
  const made = madeHere(page, view, state);
  const command =
    manifest.command === ''
      ? []
      : [
          h('h3', {}, made ? 'The file was made with' : 'Made with'),
          made && h('p.hint', {}, made),
          commandBox(manifest.command),
        ];
  const instead = standInOf(page, view, state);
  return [
    instead && h('p', {}, h('strong', {}, `${instead}.`)),
    ...wordsOf(READING, tab).map((text) => h('p', {}, text)),
    h(
      'p',
      {},
      'Neighbors and their distances are those of the original space, whatever is shown. ',
      space.vectors_note,
      '.',
    ),
    ...sampleWords(manifest).map((text) => h('p', { dir: 'auto' }, text)),
    ...compareWords(page).map((text) => h('p', { dir: 'auto' }, text)),
    ...manifest.notes.map((text) => h('p', {}, text)),
    ...manifest.size.left_out.map((text) => h('p', { dir: 'auto' }, `Left out: ${text}.`)),
    values.length && h('h3', {}, `In force: ${entry.id === undefined ? tab.title : entry.title}`),
    list(values.map(([name, value]) => [name, typeof value === 'number' ? format(value) : String(value)])),
    ...(points ? [h('p.hint', {}, `Figures: ${points[0].toLowerCase()}${points.slice(1)}.`)] : []),
    ...(manifest.blocks[entry.coordinates]?.step ? [h('p.hint', {}, ROUNDED)] : []),
    h('h3', {}, 'Data'),
    list(data.filter(([, value]) => value)),
    ...command,
    h('h3', {}, 'Mouse and touch'),
    list(HANDS),
    h('h3', {}, 'Keys'),
    list(KEYS),
  ].filter(Boolean);
}

/** @returns {string} that the command does not make the picture that is shown, where it does not */
function madeHere(page, view, state) {
  const entry = view.entry(state);
  if (state.placed) return 'A bookmark has brought along the places of this picture; the command makes the file.';
  const isTyped = view.scene(state).counts !== undefined;
  if (entry.id === undefined && !isTyped) return '';
  return 'This picture was computed in the page, with what stands above under In force; the command makes the file.';
}

/** The space shown, or those of both sides. */
const shapesOf = (page, space) =>
  sideNames(page)
    ? page.steps.spaces.map((each, side) => ({ ...each, side: ` of ${LETTERS[side]}` }))
    : [{ ...space, side: '' }];

const list = (pairs) =>
  h('dl.pairs', {}, ...pairs.flatMap(([name, value]) => [h('dt', {}, name), h('dd', { dir: 'auto' }, value)]));

function commandBox(command) {
  const code = h('code', { tabIndex: 0 }, command);
  return h('pre.command', {}, code);
}

/** What the colors were before they were of distances. */
let before = { color_by: null, color_as: 'auto' };

/** Color by the distance from where the reader points, and back. */
function pointing(view) {
  const { color_by, color_as } = view.get();
  if (color_by === POINTED) view.set({ ...before });
  else if (view.table().column(POINTED)) {
    before = { color_by, color_as };
    view.set({ color_by: POINTED });
  }
}

/** Keys that work wherever no text is typed. */
export function handleKeys(
  page,
  view,
  { focusSearch, walkThrough, resetView, closeSheets, turnTheme, play = null, keys = {} },
) {
  const tabs = [...page.tabs.keys()];
  const turn = (by) =>
    view.set({ projection: tabs[(tabs.indexOf(view.get().projection) + by + tabs.length) % tabs.length] });
  const dims = (n) => {
    const { projection, isolated } = view.get();
    const tab = page.tabs.get(projection);
    if (entryFor(tab, n) && !isBeyondRuns(tab, n, isolated?.length ?? page.table.n_points)) view.set({ dims: n });
  };
  const actions = {
    '/': focusSearch,
    r: walkThrough,
    '?': () => view.set({ help: true }),
    Escape: () => {
      if (!closeSheets()) view.set({ query: '', selected: [] });
    },
    0: resetView,
    2: () => dims(2),
    3: () => dims(3),
    '[': () => turn(-1),
    ']': () => turn(1),
    l: () => view.set({ labels: { few: 'many', many: 'none', none: 'few' }[view.get().labels] }),
    n: () => view.set({ names: !view.get().names }),
    c: () => view.set({ caption: !view.get().caption }),
    w: () => pointing(view),
    t: () => view.set({ thumbnails: !view.get().thumbnails }),
    d: turnTheme,
    p: () => view.set({ tool: 'pan' }),
    b: () => view.set({ tool: 'box' }),
    o: () => view.set({ tool: 'lasso' }),
    s: () => {
      if (view.get().dims === 3) view.set({ tool: 'sphere' });
    },
    ...keys,
  };
  document.addEventListener('keydown', (event) => {
    const target = /** @type {Element} */ (event.target);
    const typing = target.closest('input:not([type="checkbox"], [type="range"]), select, textarea, dialog[open]');
    const isTyped = event.getModifierState('AltGraph'); // as [ is on many keyboards
    if (typing || event.metaKey || (event.ctrlKey && !isTyped)) return;
    if (event.key === ' ') {
      // What Space is for elsewhere stays so: buttons, boxes, what unfolds, links.
      if (target.closest('button, input, summary, a')) return;
      /** @type {HTMLElement | null} */
      const player = document.querySelector('.player:not([hidden]) button');
      if (play) play();
      else player?.click();
      event.preventDefault();
    } else if (Object.hasOwn(actions, event.key)) {
      actions[event.key]();
      event.preventDefault();
    }
  });
}
