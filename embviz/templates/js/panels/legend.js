import { fill, format, h, setText } from '#js/dom.js';
import { drawDistances } from '#js/panels/distance_legend.js';
import { drawFaults } from '#js/panels/fault_legend.js';
import { estimateTitle } from '#js/data/sample_words.js';
import { roughly } from '#js/state/estimates.js';
import { modeOf } from '#js/state/select.js';
import { shownStates } from '#js/state/sides.js';

/**
 * The legend: a click filters a class, with Shift or Alt it selects its points, pointing at it shows where they are.
 */
export function createLegend(page, view) {
  const element = h('div.legend');
  let legend = null;
  /** Of the other map of a comparison, where it has one of its own. */
  let other = null;
  let rows = [];
  let missing = null;
  let shown;
  let estimated = null;
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

  /** A button of a class: pressed it hides or shows its points, pointed at it shows where they are. */
  function classButton(tag, { name, code }, ...children) {
    const show = () => view.set({ highlight: code });
    const leave = () => view.set({ highlight: null });
    // A finger does not point before it presses, nor does it leave; a press moves the focus too.
    const enter = (event) => {
      if (event.pointerType !== 'touch') show();
    };
    const focus = () => {
      if (button.matches(':focus-visible')) show();
    };
    const button = h(
      tag,
      {
        type: 'button',
        title:
          `Click hides or shows ${name}, double-click shows it alone. ` +
          'Shift-click adds its points to the selection, Alt-click takes them out, both keep only those',
        on: { click: (event) => press(code, event), pointerenter: enter, pointerleave: leave, focus, blur: leave },
      },
      ...children,
    );
    return button;
  }

  const drawRow = (entry) =>
    classButton(
      'button.legend-row',
      entry,
      h('span.swatch', { style: { '--swatch': entry.color } }),
      h('span.legend-name', { dir: 'auto' }, entry.name),
      page.manifest.sample ? h('span.count.estimate', { title: estimateTitle(page.manifest) }) : null,
      h('span.count', {}, countText(null, entry.count)),
    );

  /** How many of all points the entries may be, beside how many are in the sample. */
  function drawEstimates(sums) {
    for (const [i, row] of rows.entries()) {
      const sum = sums.get(legend.entries[i].code) ?? 0;
      const estimate = row.querySelector('.estimate');
      if (!estimate) continue;
      setText(estimate, `≈ ${COMPACT.format(roughly(sum))} /`);
      estimate.title = `≈ ${format(roughly(sum))}. ${estimateTitle(page.manifest)}`;
    }
  }

  /** Count those that are isolated, beside how many there are. */
  function drawCounts(counts) {
    rows.forEach((row, i) => {
      const { name, code, count } = legend.entries[i];
      const text = countText(counts && (counts.get(code) ?? 0), count);
      if (row.classList.contains('fault')) row.setAttribute('aria-label', `${name}: ${text}`);
      else setText(row.lastChild, text);
      row.classList.toggle('absent', Boolean(counts) && !counts.get(code));
    });
    if (missing) setText(missing, ` ${countText(counts && (counts.get(-1) ?? 0), legend.missing)} missing`);
  }

  function draw() {
    rows = [];
    missing = null;
    if (legend.kind === 'gradient') {
      missing = legend.missing ? h('span') : null;
      return [
        ...drawGradient(legend),
        missing && h('p.hint', {}, h('span.swatch', { style: { '--swatch': legend.rest } }), missing),
      ];
    }
    if (legend.kind === 'distance') return drawDistances(view, [legend, other].filter(Boolean));
    if (legend.kind === 'faults') {
      const square = drawFaults(legend, classButton);
      rows = [...square.cells, ...legend.entries.slice(square.cells.length).map(drawRow)];
      return [square.element, ...rows.slice(square.cells.length), all];
    }
    if (legend.kind !== 'categories') return [h('p.hint', {}, 'Choose a column to color the points by it.')];
    rows = legend.entries.map(drawRow);
    const told = page.manifest.sample ? h('p.hint', {}, '≈ of all points / in the sample') : null;
    return [told, h('div.legend-rows', { attributes: { role: 'group' }, aria: { label: 'Legend' } }, ...rows), all];
  }

  const all = h('button.link', { type: 'button', on: { click: () => view.set({ hidden: [] }) } }, 'Show every class');
  return {
    element,
    render(state) {
      const now = shownStates(page, state).map((each) => view.coloring(each).legend);
      if (now[0] !== legend || now[1] !== other) {
        [legend, other = undefined] = now;
        fill(element, ...draw());
        shown = undefined;
        estimated = null;
      }
      const counts = view.countsShown(state);
      if (counts !== shown) drawCounts(counts);
      shown = counts;
      const sums = view.estimates(state);
      if (sums && sums !== estimated) drawEstimates(sums);
      estimated = sums;
      rows.forEach((row, i) =>
        row.setAttribute('aria-pressed', String(!state.hidden.includes(legend.entries[i].code))),
      );
      all.classList.toggle('unseen', !state.hidden.length);
    },
  };
}

function drawGradient(legend) {
  const bar = h('div.gradient', {
    attributes: { role: 'img' },
    aria: { label: `From ${format(legend.low)} to ${format(legend.high)}` },
  });
  bar.style.background = `linear-gradient(to right, ${legend.stops.join(', ')})`;
  const ends = h(
    'div.ends',
    {},
    h('span', {}, format(legend.low)),
    legend.scale === 'log' ? h('span', {}, format(Number(legend.middle.toPrecision(3)))) : null,
    h('span', {}, format(legend.high)),
  );
  return [bar, ends];
}

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 2 });
const countText = (shown, all) =>
  shown === null || shown === all ? format(all) : `${format(shown)} of ${format(all)}`;
