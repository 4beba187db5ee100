import { coloring } from '#js/color.js';
import { choice, fill, format, h, setText } from '#js/dom.js';

/** The data panel: what names and colors the points, and the legend. */
export function createDataPanel(page, view) {
  const names = [...page.table.columns.keys()];
  const labelBy = select('Label by', names, 'row number', (value) => view.set({ label_by: value }));
  const colorBy = select('Color by', names, 'one color', (value) => view.set({ color_by: value }));
  const as = choice('Show the numbers as', [['categories', 'classes', 'A color for each value'], ['gradient', 'gradient', 'A scale from the lowest to the highest value']],
    (value) => view.set({ color_as: value, hidden: [] }));
  const asRow = h('div.field', {}, h('span.field-name', {}, 'As'), as.element);
  const legend = h('div.legend');
  const element = h('section.panel', { aria: { label: 'Data' } }, h('h2', {}, 'Data'), labelBy.element, colorBy.element, asRow, legend);
  let shown = null;

  return {
    element,
    render(state) {
      labelBy.render(state.label_by);
      colorBy.render(state.color_by);
      const column = state.color_by === null ? null : page.table.columns.get(state.color_by);
      asRow.hidden = column?.kind !== 'number';
      if (column) as.render(coloring(column, state.color_as));
      const key = [view.coloring(state).legend, state.hidden];
      if (shown && key.every((item, i) => item === shown[i])) return;
      shown = key;
      fill(legend, ...drawLegend(view, state));
    },
  };
}

function select(label, names, none, onChange) {
  const control = h('select', { on: { change: () => onChange(control.selectedIndex === 0 ? null : names[control.selectedIndex - 1]) } },
    ...[none, ...names].map((text) => h('option', {}, text)));
  return {
    element: h('label.field', {}, h('span.field-name', {}, label), control),
    render(value) { control.selectedIndex = value === null ? 0 : names.indexOf(value) + 1; },
  };
}

function drawLegend(view, state) {
  const { legend } = view.coloring(state);
  if (legend.kind === 'gradient') return drawGradient(legend);
  if (legend.kind !== 'categories') return [h('p.hint', {}, 'Choose a column to color the points by it.')];
  const hidden = new Set(state.hidden);
  const toggle = (code, only) => {
    const codes = legend.entries.map((entry) => entry.code);
    if (only) {
      const alone = codes.filter((c) => c !== code);
      view.set({ hidden: state.hidden.length === alone.length && !hidden.has(code) ? [] : alone });
    } else view.set({ hidden: hidden.has(code) ? state.hidden.filter((c) => c !== code) : [...state.hidden, code] });
  };
  const rows = legend.entries.map((entry) => h('button.legend-row', {
    type: 'button',
    title: `Click hides or shows ${entry.name}, double-click shows it alone`,
    aria: { pressed: String(!hidden.has(entry.code)) },
    on: { click: (event) => toggle(entry.code, event.detail >= 2 || event.altKey) },
  }, h('span.swatch', { style: { '--swatch': entry.color } }), h('span.legend-name', {}, entry.name), h('span.count', {}, format(entry.count))));
  const all = hidden.size ? h('button.link', { type: 'button', on: { click: () => view.set({ hidden: [] }) } }, 'Show every class') : null;
  return [h('div.legend-rows', { attributes: { role: 'group' }, aria: { label: 'Legend' } }, ...rows), all];
}

function drawGradient(legend) {
  const bar = h('div.gradient', { attributes: { role: 'img' }, aria: { label: `From ${format(legend.low)} to ${format(legend.high)}` } });
  bar.style.background = `linear-gradient(to right, ${legend.stops.join(', ')})`;
  const ends = h('div.ends', {}, h('span', {}, format(legend.low)), h('span', {}, format(legend.high)));
  const missing = legend.missing ? h('p.hint', {}, h('span.swatch', { style: { '--swatch': legend.rest } }), ` ${format(legend.missing)} missing`) : null;
  return [bar, ends, missing];
}

/** The bar above: what is shown and how much of it. */
export function createHeader(page, view, buttons) {
  const { manifest } = page;
  const counts = h('span.counts');
  const chosen = h('strong');
  const source = [manifest.source, manifest.tensor].filter((text, i, all) => text && all.indexOf(text) === i && text !== manifest.title).join(' · ');
  const element = h('header.bar', {}, h('h1', { title: manifest.title }, manifest.title), h('span.source', { title: source }, source),
    h('span.status', { attributes: { role: 'status' } }, counts, chosen), ...buttons);
  return {
    element,
    render(state) {
      const { total_points: total, n_points: n, n_dims: dims } = manifest;
      const visible = state.isolated ? state.isolated.length : n;
      const points = visible === total ? `${format(n)} points` : `${format(visible)} of ${format(total)} points`;
      setText(counts, `${points} · ${format(dims)} dimensions`);
      setText(chosen, state.selected.length ? ` · ${format(state.selected.length)} selected` : '');
    },
  };
}
