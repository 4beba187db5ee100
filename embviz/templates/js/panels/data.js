import { ofTheEnd } from '#js/data/words.js';
import { coloring, helpsLog } from '#js/drawing/color.js';
import { choice, fill, format, h, setText } from '#js/dom.js';
import { createLegend } from '#js/panels/legend.js';
import { pageAt } from '#js/data/steps.js';
import { sequenceColumn } from '#js/data/sequences.js';
import { canOutline } from '#js/state/contours.js';
import { drawnPartitions } from '#js/state/names.js';
import { stepOf } from '#js/state/tabs.js';

/** About how many letters are seen beside the name of a field. */
const FITTING = 16;

/** The data panel: what names and colors the points, and the legend. */
export function createDataPanel(page, view) {
  const names = () => [...view.table().columns.keys()];
  const labelBy = select('Label by', names, 'row number', (value) => view.set({ label_by: value }));
  const colorBy = select(
    'Color by',
    () => [...names(), ...page.table.measured.keys()],
    'one color',
    (value) => view.set({ color_by: value }),
  );
  const spherize = toggle(
    'Spherize',
    'PCA, and t-SNE and UMAP run here, of the vectors less their mean and at length 1',
    (value) => view.set({ spherize: value }),
  );
  const paths = toggle('Sequences', 'Lines from each point to the one that its column __seq_next__ names', (value) =>
    view.set({ sequences: value }),
  );
  const groups = toggle('Names', 'Names of groups in the picture (n); a click on one selects its points', (value) =>
    view.set({ names: value }),
  );
  const contours = toggle(
    'Contours',
    'An outline for each class around where its points lie thickest: four of five of those shown',
    (value) => view.set({ contours: value }),
  );
  const ofAll = page.manifest.densities?.[0]?.n_points ?? 0;
  const density = toggle(
    `All ${format(ofAll)} points`,
    'How many of all points lie where, as grays under those of the sample: pointing at one tells the count',
    (value) => view.set({ density: value }),
  );
  const as = choice(
    'Show the numbers as',
    [
      ['categories', 'classes', 'A color for each value'],
      ['gradient', 'gradient', 'A scale from the lowest to the highest value'],
      ['log', 'log', 'A scale by orders of magnitude'],
    ],
    (value) => view.set({ color_as: value, hidden: [] }),
  );
  const asDistance = choice(
    'Show distances as',
    [
      ['gradient', 'distance', 'A scale from the nearest point to where 99 % are nearer'],
      ['log', 'rank', 'First, second, third nearest …, by orders of magnitude'],
    ],
    (value) => view.set({ color_as: value }),
  );
  const asRow = h('div.field.as', {}, h('span.field-name', {}, 'As'), as.element, asDistance.element);
  const legend = createLegend(page, view);
  const about = h('p.hint', { hidden: true });
  const remark = h('p.hint', { hidden: true });
  const element = h(
    'section.panel',
    { aria: { label: 'Data' } },
    h('h2', {}, 'Data'),
    labelBy.element,
    colorBy.element,
    asRow,
    legend.element,
    about,
    remark,
    h('div.toggles', {}, groups.element, contours.element, density.element, spherize.element, paths.element),
    drawLeftOut(page),
  );

  return {
    element,
    render(state) {
      labelBy.render(state.label_by, state.tags);
      colorBy.render(state.color_by, state.tags);
      const column = state.color_by === null ? null : view.table(state).column(state.color_by);
      const isPointed = Boolean(column?.isPointed);
      asRow.hidden = column?.kind !== 'number' && !(isPointed && page.vectors);
      as.element.hidden = isPointed;
      asDistance.element.hidden = !isPointed;
      if (isPointed) asDistance.render(state.color_as === 'log' ? 'log' : 'gradient');
      else if (column)
        as.render(
          coloring(column, state.color_as),
          helpsLog(column) ? new Map() : new Map([['log', 'Needs positive numbers that span orders of magnitude']]),
        );
      legend.render(state);
      about.hidden = !column?.about;
      setText(about, column?.about ?? '');
      // What was measured of the points is of the picture at its end.
      const entry = view.entry(state);
      const of = column?.of ?? [state.color_by];
      const isOfIt = entry?.per_point?.some(({ name }) => of.includes(name));
      remark.hidden = !isOfIt || stepOf(entry, state) === null;
      if (!remark.hidden) setText(remark, ofTheEnd(entry.frames));
      spherize.render(state.spherize, page.space.vectors ? '' : page.space.vectors_note);
      paths.render(state.sequences);
      groups.render(state.names);
      groups.element.hidden = !drawnPartitions(page, state).length;
      contours.render(state.contours);
      contours.element.hidden = !canOutline(state, view.coloring(state).legend);
      density.element.hidden = ofAll === 0;
      if (ofAll) density.render(state.density, page.densities.size ? view.densityProblem(state) : '');
      paths.element.hidden = !sequenceColumn(view.table(state));
    },
  };
}

/** What has no room in this page, and how to have it. @returns {HTMLElement | null} */
function drawLeftOut({ manifest }) {
  const { max, left_out: sentences } = manifest.size;
  if (!sentences.length) return null;
  return h(
    'details.left-out',
    {},
    h('summary', {}, `Left out to fit ${format(max)} MB`),
    h('ul', {}, ...sentences.map((sentence) => h('li', { dir: 'auto' }, sentence))),
  );
}

function toggle(label, title, onChange) {
  const box = h('input', { type: 'checkbox', on: { change: () => onChange(box.checked) } });
  const element = h('label.toggle', { title }, box, label);
  return {
    element,
    render(value, problem = '') {
      box.checked = value;
      box.disabled = problem !== '';
      element.title = problem || title;
    },
  };
}

function select(label, names, none, onChange) {
  const control = h('select', {
    on: { change: () => onChange(control.selectedIndex === 0 ? null : names()[control.selectedIndex - 1]) },
  });
  let listed = null;
  const element = h('label.field', {}, h('span.field-name', {}, label), control);
  return {
    element,
    render(value, tags) {
      if (tags !== listed) fill(control, ...[none, ...names()].map((text) => h('option', {}, text)));
      listed = tags;
      control.selectedIndex = value === null ? 0 : names().indexOf(value) + 1;
      control.title = value ?? '';
      // A long name has a line of its own: many begin alike.
      element.classList.toggle('long', (value ?? '').length > FITTING);
    },
  };
}

/** A file's name without its ending: `words` of words.npy is no news beside it. */
const bare = (name) => name.replace(/\.[A-Za-z]\w{0,11}$/, '');

/** The bar above: what is shown and how much of it. */
export function createHeader(page, view, buttons) {
  const { manifest } = page;
  const counts = h('span.counts');
  const chosen = h('strong');
  const source = [manifest.source, page.space.tensor]
    .filter((text, i, all) => text && all.indexOf(text) === i && bare(text) !== bare(manifest.title))
    .join(' · ');
  const element = h(
    'header.bar',
    {},
    h('h1', { title: manifest.title }, manifest.title),
    h('span.source', { title: source }, source),
    h('span.status', { attributes: { role: 'status' } }, counts, chosen),
    ...buttons,
  );
  return {
    element,
    render(state) {
      const { total_points: total, n_points: n } = manifest;
      const { n_dims: dims } = pageAt(page, state).space;
      const visible = view.unfiltered(state)?.length ?? n;
      const points = visible === total ? `${format(n)} points` : `${format(visible)} of ${format(total)} points`;
      setText(counts, `${points} · ${format(dims)} dimensions`);
      setText(chosen, state.selected.length ? ` · ${format(state.selected.length)} selected` : '');
    },
  };
}
