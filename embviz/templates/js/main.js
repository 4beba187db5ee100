import { createApi } from '#js/api.js';
import { h, iconButton, setText } from '#js/dom.js';
import { createDataPanel, createHeader } from '#js/panels/data.js';
import { createHelp, handleKeys } from '#js/panels/help.js';
import { createInspector } from '#js/panels/inspector.js';
import { createProjectionPanel } from '#js/panels/projection.js';
import { createStage } from '#js/panels/stage.js';
import { createThumbnail, openSprite } from '#js/panels/thumbnail.js';
import { openPayload } from '#js/payload.js';
import { createTabs } from '#js/projections.js';
import { createStore } from '#js/store.js';
import { createTable } from '#js/table.js';
import { createView, initialState } from '#js/view.js';

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

async function open() {
  if (!document.getElementById('end')) throw new Error('this file is incomplete, its end is missing. Copy or download it again');
  const payload = openPayload(takeText);
  const { manifest, block } = payload;
  const page = { manifest, table: createTable(manifest), tabs: createTabs(manifest), vectors: null, sprite: null, carried: [], revision: 0 };
  page.partial = manifest.total_points !== manifest.n_points;
  await Promise.all([...manifest.projections.map((entry) => loadProjection(page, entry, block)), loadColumns(page, block)]);
  const store = createStore({ ...initialState(page), dark: systemDark.matches });
  const view = createView(page, store);
  const render = mount(page, view, store);
  await afterPaint();
  await Promise.all([loadVectors(page, block), loadSprite(page, block)]);
  page.revision += 1;
  render();
  await loadPlotly(payload);
  return { page, view };
}

async function loadProjection(page, entry, block) {
  entry.data = await block(entry.coordinates);
  if (entry.frames) entry.frameData = await block(entry.frames.block);
  if (!entry.directions) return;
  const directions = await block(entry.directions);
  const d = page.manifest.n_dims;
  (entry.params.axes ?? []).forEach((axis, i) => {
    if (axis.from === undefined || page.carried.some((known) => known.from === axis.from && known.to === axis.to)) return;
    page.carried.push({ ...axis, direction: directions.subarray(i * d, (i + 1) * d) });
  });
}

async function loadColumns(page, block) {
  if (page.manifest.blocks.rows) page.table.rows = await block('rows');
  await Promise.all(page.manifest.columns.map(async ({ name, block: id }) => { page.table.columns.get(name).values = await block(id); }));
}

async function loadVectors(page, block) {
  const entry = page.manifest.vectors;
  if (!entry) return;
  const scales = page.manifest.blocks.vector_scales ? await block('vector_scales') : null;
  page.vectors = { data: await block('vectors'), n: page.manifest.n_points, d: page.manifest.n_dims, scales, scale: entry.scale };
}

async function loadSprite(page, block) {
  const entry = page.manifest.sprite;
  if (entry) page.sprite = await openSprite(entry, await block('sprite'), page.table);
}

async function loadPlotly(payload) {
  const url = URL.createObjectURL(new Blob([await payload.text('plotly')], { type: 'text/javascript' }));
  const script = h('script', { src: url });
  await new Promise((resolve, reject) => {
    script.addEventListener('load', resolve);
    script.addEventListener('error', () => reject(new Error('Plotly’s script did not run')));
    document.head.append(script);
  });
  URL.revokeObjectURL(url);
  stage.plot.setPlotly(window.Plotly);
}

let stage;

/** Build the panels and draw them at every change of the state. @returns {() => void} draw again */
function mount(page, view, store) {
  const app = document.getElementById('app');
  const fold = (side, label) => iconButton(side, label, () => app.classList.toggle(`no-${side}`));
  const header = createHeader(page, view, [
    fold('left', 'Data and projection panel'), fold('right', 'Inspector panel'),
    iconButton('theme', 'Light or dark', () => view.set({ theme: view.get().dark ? 'light' : 'dark' })),
    iconButton('help', 'How to read this picture (?)', () => view.set({ help: true })),
  ]);
  stage = createStage(page, view);
  const inspector = createInspector(page, view, createThumbnail(page, () => view.get().dark));
  const data = createDataPanel(page, view);
  const projection = createProjectionPanel(page, view);
  const help = createHelp(page, view);
  app.append(header.element, h('aside.side.left', { aria: { label: 'Data and projection' } }, data.element, projection.element), stage.element, inspector.element, help.element);
  if (window.innerWidth < 800) app.classList.add('no-left', 'no-right');
  app.hidden = false;
  status.hidden = true;
  const panels = [header, data, projection, stage, inspector, help];
  const render = (state = store.get(), before = null) => {
    const dark = state.theme === 'system' ? systemDark.matches : state.theme === 'dark';
    if (dark !== state.dark) return store.set({ dark });
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    for (const panel of panels) panel.render(state, before);
    return undefined;
  };
  store.subscribe(render);
  systemDark.addEventListener('change', () => render());
  handleKeys(page, view, { focusSearch: inspector.focusSearch, resetView: () => stage.plot.resetView() });
  render();
  return render;
}

const afterPaint = () => new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });

let started;
const ready = new Promise((resolve, reject) => { started = { resolve, reject }; });
// The object is there at once; what needs the data is in it when `ready` resolves.
window.embviz = { ready };
open().then(({ page, view }) => {
  Object.freeze(Object.assign(window.embviz, createApi(page, view)));
  started.resolve();
}, (error) => {
  status.hidden = false;
  setText(status, `This page could not be opened: ${error.message}.`);
  started.reject(error);
});
