import { fill, format, h } from '#js/dom.js';
import { modeOf } from '#js/select.js';

/**
 * The legend: a click filters a class, with Shift or Alt it selects its points, pointing at it shows where they are.
 */
export function createLegend(view) {
  const element = h('div.legend');
  let legend = null;
  let rows = [];
  let hiddenBefore = [];

  function press(code, event) {
    const mode = modeOf(event);
    if (mode !== 'replace') return view.select(view.rowsOfClass(code), mode);
    const { hidden } = view.get();
    if (event.detail < 2) {
      hiddenBefore = hidden;
      return view.set({ hidden: hidden.includes(code) ? hidden.filter((c) => c !== code) : [...hidden, code] });
    }
    const others = legend.entries.map((entry) => entry.code).filter((c) => c !== code);
    const wasAlone = hiddenBefore.length === others.length && !hiddenBefore.includes(code);
    return view.set({ hidden: wasAlone ? [] : others });
  }

  function drawRow({ name, code, color, count }) {
    const show = () => view.set({ highlight: code });
    const leave = () => view.set({ highlight: null });
    return h('button.legend-row', {
      type: 'button',
      title: `Click hides or shows ${name}, double-click shows it alone. Shift-click adds its points to the selection, Alt-click takes them out, both keep only those`,
      on: { click: (event) => press(code, event), mouseenter: show, mouseleave: leave, focus: show, blur: leave },
    }, h('span.swatch', { style: { '--swatch': color } }), h('span.legend-name', { dir: 'auto' }, name), h('span.count', {}, format(count)));
  }

  function draw() {
    rows = [];
    if (legend.kind === 'gradient') return drawGradient(legend);
    if (legend.kind !== 'categories') return [h('p.hint', {}, 'Choose a column to color the points by it.')];
    rows = legend.entries.map(drawRow);
    return [h('div.legend-rows', { attributes: { role: 'group' }, aria: { label: 'Legend' } }, ...rows), all];
  }

  const all = h('button.link', { type: 'button', on: { click: () => view.set({ hidden: [] }) } }, 'Show every class');
  return {
    element,
    render(state) {
      const now = view.coloring(state).legend;
      if (now !== legend) {
        legend = now;
        fill(element, ...draw());
      }
      rows.forEach((row, i) => row.setAttribute('aria-pressed', String(!state.hidden.includes(legend.entries[i].code))));
      all.classList.toggle('unseen', !state.hidden.length);
    },
  };
}

function drawGradient(legend) {
  const bar = h('div.gradient', { attributes: { role: 'img' }, aria: { label: `From ${format(legend.low)} to ${format(legend.high)}` } });
  bar.style.background = `linear-gradient(to right, ${legend.stops.join(', ')})`;
  const ends = h('div.ends', {}, h('span', {}, format(legend.low)), legend.scale === 'log' ? h('span', {}, format(Number(legend.middle.toPrecision(3)))) : null, h('span', {}, format(legend.high)));
  const missing = legend.missing ? h('p.hint', {}, h('span.swatch', { style: { '--swatch': legend.rest } }), ` ${format(legend.missing)} missing`) : null;
  return [bar, ends, missing];
}
