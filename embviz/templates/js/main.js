import { createApi } from '#js/api.js';
import { createBookmarkList } from '#js/bookmarks/list.js';
import { h, iconButton, setText } from '#js/dom.js';
import { createAddress } from '#js/panels/address.js';
import { createBookmarksPanel } from '#js/panels/bookmarks.js';
import { createChangesPanel } from '#js/panels/changes.js';
import { createDataPanel, createHeader } from '#js/panels/data.js';
import { createExportMenu, exportPoints } from '#js/panels/export_menu.js';
import { guarded, spared, tellFailures } from '#js/panels/failures.js';
import { createFolds } from '#js/panels/folds.js';
import { createHelp, handleKeys } from '#js/panels/help.js';
import { createInspector } from '#js/panels/inspector.js';
import { askBeforeLeaving } from '#js/panels/leaving.js';
import { followLinks } from '#js/panels/links.js';
import { createMessage } from '#js/panels/message.js';
import { createOutlinePanel } from '#js/panels/outline.js';
import { createPeek } from '#js/panels/peek.js';
import { prepareAxes } from '#js/panels/preparation.js';
import { createProjectionPanel } from '#js/panels/projection.js';
import { createSlidePanel } from '#js/panels/slide.js';
import { createStepsPanel } from '#js/panels/steps.js';
import { createStage } from '#js/panels/stage.js';
import { createSkipLink, createTheme } from '#js/panels/theme.js';
import { createThumbnail, openSprite, sheetNames } from '#js/plot/thumbnail.js';
import { openGrid } from '#js/drawing/cells.js';
import { openLists } from '#js/data/lists.js';
import { createSteps, isAtEnd, spreadVectors } from '#js/data/steps.js';
import { changeColumns, openChanges } from '#js/data/changes.js';
import { faultColumns } from '#js/data/faults.js';
import { pointedColumn } from '#js/data/pointed.js';
import { openPayload } from '#js/data/payload.js';
import { sideNames } from '#js/state/sides.js';
import { addPending, createTabs } from '#js/state/tabs.js';
import { createStore } from '#js/state/store.js';
import { createColumn, createTable, measuredColumn, withColumns } from '#js/data/table.js';
import { createView, initialState } from '#js/state/view.js';
import { bundle } from '#js/runs/worker_source.js';

/** @import { Page } from '#js/data/types.js' */

/** What other scripts put there, or find there. @type {Window & {Plotly?: any, embviz?: any}} */
const shared = window;
const status = document.getElementById('status');
const systemDark = window.matchMedia('(prefers-color-scheme: dark)');

/** The text of an element, taken out of the page so that it is held once. */
function takeText(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`this file is incomplete, ${id} is missing`);
  const text = element.textContent;
  if (id !== 'manifest') element.remove();
  return text;
}

/** The document is read to its end by then, data and all. @returns {Promise<void>} */
const readToEnd = () =>
  new Promise((resolve) => {
    if (document.readyState !== 'loading') resolve();
    else document.addEventListener('DOMContentLoaded', () => resolve(), { once: true });
  });

async function open() {
  await readToEnd();
  if (!document.getElementById('end'))
    throw new Error('this file is incomplete, its end is missing. Copy or download it again');
  const payload = openPayload(takeText);
  const { manifest, block } = payload;
  /** @type {Page} */
  const page = {
    manifest,
    space: manifest.spaces[0],
    table: createTable(manifest, manifest.spaces[0].n_dims),
    tabs: createTabs(manifest),
    vectors: null,
    steps: createSteps(manifest),
    lists: null,
    changes: null,
    sprite: null,
    densities: new Map(),
    carried: [],
    isWide: !window.matchMedia('(max-width: 800px)').matches,
    partial: manifest.total_points !== manifest.n_points,
    startWorker,
  };
  addPending(page.tabs, manifest);
  await Promise.all([
    ...manifest.projections.map((entry) => loadProjection(page, entry, block)),
    loadColumns(page, block),
    loadPresence(page, block),
    loadChanges(page, block),
  ]);
  performance.mark('embviz-data');
  const store = createStore({ ...initialState(page), dark: systemDark.matches });
  const view = createView(page, store);
  const message = createMessage();
  const { say } = message;
  tellFailures(say);
  const address = createAddress(page, view, store, message.say);
  address.restore();
  // Both sides of a comparison are seen at once.
  const later = page.steps?.kind === 'run' && store.get().isolated === null && isAtEnd(page, store.get());
  if (!later) await loadSteps(page, block);
  const bookmarks = createBookmarkList(page, view, () => stage.plot);
  mount(page, view, store, { message, address, bookmarks });
  address.follow(stage.plot);
  performance.mark('embviz-drawn');
  await afterPaint();
  const [hasVectors] = await Promise.all([
    spared(loadVectors(page, block), 'neighbors and new axes cannot be had', say),
    spared(loadSprite(page, block), 'the points have no thumbnails', say),
    spared(loadLists(page, block), 'neighbors cannot be listed', say),
    spared(later ? loadSteps(page, block) : null, 'the steps cannot be shown', say),
    spared(loadDensities(page, block), 'the density of all points is not drawn', say),
  ]);
  if (!hasVectors) {
    page.vectors = null;
    for (const space of manifest.spaces)
      Object.assign(space, { vectors: null, vectors_note: 'The vectors in this file are damaged' });
    page.steps?.vectors.fill(null);
  }
  if (page.vectors || page.lists || page.sprite || !hasVectors || page.steps || page.densities.size) view.arrive();
  address.settle();
  if (manifest.blocks.bookmarks) await spared(loadBookmarks(bookmarks, block, say), 'its bookmarks are left out', say);
  performance.mark('embviz-loaded');
  void quiet()
    .then(() => spared(loadPlotly(payload), 'the points are moved without it', say))
    .then(() => {
      performance.mark('embviz-plotly');
      prepareAxes(page);
    });
  return { page, view, bookmarks };
}

function startWorker() {
  const { imports } = JSON.parse(document.querySelector('script[type="importmap"]').textContent);
  return new Worker(bundle(imports, '#js/runs/worker.js'), { type: 'module' });
}

async function loadProjection(page, entry, block) {
  entry.data = await block(entry.coordinates);
  entry.grain = page.manifest.blocks[entry.coordinates].step;
  if (entry.frames && !entry.isOfSteps) entry.frameData = await block(entry.frames.block);
  if (!entry.directions) return;
  const directions = await block(entry.directions);
  const d = page.space.n_dims;
  (entry.params.axes ?? []).forEach((axis, i) => {
    if (axis.from === undefined || page.carried.some((known) => known.from === axis.from && known.to === axis.to))
      return;
    page.carried.push({ ...axis, space: entry.space, direction: directions.subarray(i * d, (i + 1) * d) });
  });
}

async function loadColumns(page, block) {
  if (page.manifest.blocks.rows) page.table.rows = await block('rows');
  await Promise.all(
    page.manifest.columns.map(async ({ name, block: id }) => {
      page.table.columns.get(name).values = await block(id);
    }),
  );
  const measured = page.manifest.projections.flatMap((entry) => entry.per_point ?? []);
  await Promise.all(
    measured.map(async ({ name, block: id, about }) =>
      page.table.measured.set(name, Object.assign(measuredColumn(name, await block(id)), { about })),
    ),
  );
  const made = [...faultColumns(page.table.measured), pointedColumn(page.manifest)].filter(Boolean);
  for (const column of made) page.table.measured.set(column.name, column);
}

async function loadVectors(page, block) {
  const { steps, space } = page;
  if (!steps) page.vectors = await readVectors(space, page.manifest.n_points, block);
  else {
    const found = await Promise.all(
      steps.spaces.map(async (each, i) => readVectors(each, page.manifest.n_points, block, steps.present[i])),
    );
    steps.vectors = found;
    page.vectors = found.at(-1);
  }
}

/** @returns {Promise<import('#js/data/types.js').Vectors | null>} */
async function readVectors({ vectors, blocks, n_dims: d }, n, block, present = null) {
  if (!vectors) return null;
  const [data, scales = null] = await Promise.all(blocks.map(block));
  return spreadVectors({ data, n, d, scales, scale: vectors.scale }, present);
}

async function loadChanges(page, block) {
  page.changes = await openChanges(page.manifest, block);
  for (const [name, column] of page.changes ? changeColumns(page.changes, page.table.n_points) : [])
    page.table.measured.set(name, column);
}

/** The places and columns at all steps: the picture of the last one, which is shown first, does without. */
async function loadSteps({ manifest, steps, table }, block) {
  if (!steps) return;
  const columns = manifest.steps.columns ?? [];
  steps.tables = await Promise.all(steps.names.map((_, i) => readTable(table, columns[i] ?? [], block)));
  const entries = manifest.projections.filter((entry) => entry.isOfSteps);
  const found = await Promise.all(entries.map((entry) => block(entry.frames.block)));
  entries.forEach((entry, i) => Object.assign(entry, { frameData: found[i] }));
  steps.isLoaded = true;
}

/** @returns {Promise<import('#js/data/types.js').Table | null>} with a step's own columns; null where it has none */
async function readTable(table, entries, block) {
  if (!entries.length) return null;
  const columns = new Map(table.columns);
  await Promise.all(
    entries.map(async ({ name, kind, block: id }) =>
      columns.set(name, Object.assign(createColumn(name, kind), { values: await block(id) })),
    ),
  );
  return withColumns(table, columns);
}

async function loadPresence({ manifest, steps }, block) {
  if (!manifest.steps?.present) return;
  const found = await block(manifest.steps.present);
  const n = manifest.n_points;
  steps.present = steps.names.map((_, i) => {
    const there = found.subarray(i * n, (i + 1) * n);
    return there.every((x) => x === 1) ? null : there;
  });
}

async function loadLists(page, block) {
  page.lists = await openLists(page.manifest, block);
}

async function loadSprite(page, block) {
  const entry = page.manifest.sprite;
  if (entry) page.sprite = await openSprite(entry, await Promise.all(sheetNames(entry).map(block)), page.table);
  if (page.manifest.blocks.image_links) page.imageLinks = await block('image_links');
}

async function loadDensities({ manifest, densities }, block) {
  for (const entry of manifest.densities ?? []) densities.set(entry.of, openGrid(entry, await block(entry.counts)));
}

async function loadBookmarks(bookmarks, block, say) {
  const told = bookmarks.take(await block('bookmarks')).join('. ');
  if (told) say(told);
}

async function loadPlotly(payload) {
  const url = URL.createObjectURL(new Blob([await payload.text('plotly')], { type: 'text/javascript' }));
  const script = h('script', { src: url });
  /** @type {Promise<void>} */
  const ran = new Promise((resolve, reject) => {
    // Text that is no script loads as well, and defines nothing.
    script.addEventListener('load', () =>
      shared.Plotly ? resolve() : reject(new Error('Plotly’s script did not run')),
    );
    script.addEventListener('error', () => reject(new Error('Plotly’s script did not run')));
    document.head.append(script);
  });
  await ran;
  URL.revokeObjectURL(url);
  stage.plot.setPlotly(shared.Plotly);
}

let stage;

/** Build the panels and draw them at every change of the state. */
function mount(page, view, store, { message, address, bookmarks }) {
  const app = document.getElementById('app');
  const exporting = createExportMenu(page, view, { plot: () => stage.plot, link: address.link, say: message.say });
  const left = h('aside.side.left', { aria: { label: 'Data and projection' } });
  const right = h('div.right-column');
  const folds = createFolds(app, {
    left: { panel: left, label: 'Data and projection panel' },
    right: { panel: right, label: 'Inspector panel' },
  });
  const theme = createTheme(view, () => systemDark.matches, message.say);
  const header = createHeader(page, view, [
    exporting.element,
    ...folds.buttons,
    theme.element,
    iconButton('help', 'How to read this picture (?)', () => view.set({ help: true })),
  ]);
  stage = createStage(page, view, { moved: address.moved });
  stage.element.append(message.element);
  const marks = createBookmarksPanel(bookmarks, page.manifest.title, message.say);
  const thumbnail = createThumbnail(page, () => view.get().dark);
  const inspector = createInspector(page, view, thumbnail);
  const changes = createChangesPanel(page, view, thumbnail);
  const data = createDataPanel(page, view);
  const projection = createProjectionPanel(page, view);
  const outline = createOutlinePanel(page, view, { plot: () => stage.plot, open: () => folds.open('left') });
  const help = createHelp(page, view);
  const steps = sideNames(page) ? createSlidePanel(page, view) : createStepsPanel(page, view);
  const peek = createPeek(page, view, () => folds.open('right'));
  left.append(...[changes.element, data.element, projection.element, outline.element].filter(Boolean));
  right.append(inspector.element, marks.element);
  app.append(
    createSkipLink(() => stage.element.querySelector('.plot')),
    header.element,
    left,
    stage.element,
    ...(steps ? [steps.element] : []),
    peek.element,
    right,
    help.element,
  );
  app.hidden = false;
  status.hidden = true;
  const panels = [header, changes, data, projection, stage, ...(steps ? [steps] : []), peek, inspector, help, outline];
  const render = (state = store.get(), before = null) => {
    const dark = state.theme === 'system' ? systemDark.matches : state.theme === 'dark';
    if (dark !== state.dark) return view.set({ dark });
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    for (const panel of panels) guarded(() => panel.render(state, before));
    return undefined;
  };
  store.subscribe(render);
  systemDark.addEventListener('change', () => render());
  followLinks();
  askBeforeLeaving(view, bookmarks);
  handleKeys(page, view, {
    focusSearch() {
      folds.open('right');
      inspector.focusSearch();
    },
    walkThrough: outline.focus,
    resetView: () => stage.plot.resetView(),
    closeSheets: folds.closeSheets,
    turnTheme: theme.turn,
    play: steps?.play ?? null,
    keys: { ...marks.keys, ...steps?.keys },
  });
  render();
}

const afterPaint = () =>
  new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
  });

const QUIET_MS = 900;

/** Wait until the reader's hand rests: a second of Plotly's script is not noticed then, and nothing needs it before. */
/** @returns {Promise<void>} */
function quiet() {
  const events = ['pointerdown', 'pointermove', 'wheel', 'keydown'];
  return new Promise((resolve) => {
    let timer = 0;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(done, QUIET_MS);
    };
    const done = () => {
      for (const event of events) window.removeEventListener(event, wait, true);
      resolve();
    };
    for (const event of events) window.addEventListener(event, wait, { capture: true, passive: true });
    wait();
  });
}

/** What `window.embviz` knows of bookmarks and exports. */
const bookmarkApi = (page, view, bookmarks) => ({
  /** @returns {{label: string, projection: string, title: string, dims: number, isolated: number | null}[]} */
  bookmarks: () => bookmarks.summaries(),
  /** @param {number} index @returns {string[]} what could not be restored */
  apply: (index) => bookmarks.apply(index),
  /** @returns {number} the index of the new one */
  addBookmark: (label) => bookmarks.add(label),
  /** @returns {string} a file that TensorBoard opens too */
  exportBookmarks: () => bookmarks.text(),
  /** @param {string} text of such a file @returns {number} how many it held @throws {Error} with the reason */
  loadBookmarks: (text) => bookmarks.read(text),
  /** @returns {string} the selected points, or else those shown, as TSV */
  exportPoints: () => exportPoints(page, view),
});

/** Resolves when all is there; `window.embviz`, which the page itself makes, waits for it. @type {Promise<void>} */
export const ready = open().then(
  ({ page, view, bookmarks }) => {
    Object.freeze(Object.assign(shared.embviz, createApi(page, view, stage.plot), bookmarkApi(page, view, bookmarks)));
  },
  (error) => {
    status.hidden = false;
    setText(status, `This page could not be opened: ${error.message}.`);
    throw error;
  },
);
