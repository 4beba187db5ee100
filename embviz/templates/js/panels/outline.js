import { fill, h, setText } from '#js/dom.js';
import { createTree } from '#js/panels/tree.js';
import { createOutline } from '#js/state/outline.js';
import { modeOf } from '#js/state/select.js';

/**
 * @import { Page, Partition } from '#js/data/types.js'
 * @import { View } from '#js/state/view.js'
 * @import { Pair } from '#js/plot/pair.js'
 */

/**
 * The picture in words: a few sentences, and an outline to walk with the arrow keys, of which what has the focus is
 * spoken and seen in the plot. The outline is built when it is unfolded.
 *
 * @param {Page} page @param {View} view
 * @param {{plot: () => Pair, open: () => void}} around the plot, and what opens the panel that this stands in
 */
export function createOutlinePanel(page, view, { plot, open }) {
  const outline = createOutline(page, view, () => plot().camera());
  const said = h('p.hint.said', { dir: 'auto', attributes: { 'aria-live': 'polite' } });
  const by = createChoice(outline, () => draw(true));
  const tree = createTree('The picture and its parts', {
    focused(part) {
      const rows = part.rows();
      view.set({ hovered: part.row, walked: part.row < 0 && rows.length ? rows : null });
      if (rows.length) plot().reveal(rows);
      setText(said, part.say());
    },
    left: () => view.set({ hovered: -1, walked: null }),
    chosen(part, event) {
      if (part.isWhole) return false;
      view.select(part.rows(), modeOf(event));
      return true;
    },
  });
  const walk = h(
    'details.walk',
    { on: { toggle: () => draw(false) } },
    h('summary', {}, 'Walk through'),
    h('p.hint', {}, 'Arrow keys go from part to part, Enter selects.'),
    by.element,
    tree.element,
  );
  const element = h(
    'section.panel.words',
    { aria: { label: 'In words' } },
    h('h2', {}, 'In words'),
    drawSummary(page),
    walk,
    said,
  );
  let inputs = [];

  function draw(isNew) {
    if (!walk.open) return;
    const now = outline.inputs();
    if (!isNew && !tree.isEmpty() && now.every((input, i) => input === inputs[i])) return;
    inputs = now;
    by.render();
    tree.show(outline.root(by.value()));
    mark(view.get());
  }

  function mark({ selected }) {
    const rows = new Set(selected);
    tree.mark((part) => (part.row < 0 ? null : rows.has(part.row)));
  }

  return {
    element,
    focus() {
      open();
      walk.open = true;
      draw(false);
      tree.focus();
    },
    render(state, before) {
      draw(false);
      if (walk.open && state.selected !== before?.selected) mark(state);
    },
  };
}

/** @returns {HTMLElement | null} what the picture shows, in a few sentences */
function drawSummary({ manifest }) {
  const sentences = manifest.summary?.sentences ?? [];
  if (!sentences.length) return null;
  const items = sentences.map((sentence) => h('li', { dir: 'auto' }, sentence));
  return h('details.summary', {}, h('summary', {}, 'In short'), h('ul', {}, ...items));
}

/** By which partition the outline parts the points. */
function createChoice(outline, changed) {
  /** @type {(Partition | null)[]} */
  let listed = [];
  /** @type {Partition | null | undefined} */
  let chosen;
  const control = h('select', {
    on: {
      change() {
        chosen = listed[control.selectedIndex];
        changed();
      },
    },
  });
  const element = h('label.field', {}, h('span.field-name', {}, 'Parted by'), control);
  return {
    element,
    value: () => chosen ?? null,
    render() {
      const found = outline.partitions();
      const isThere = (partition) => partition && found.find(({ column }) => column === partition.column);
      listed = [...found, null];
      chosen = chosen === undefined ? outline.first() : (isThere(chosen) ?? null);
      fill(control, ...listed.map((each) => h('option', {}, each ? each.column : 'nothing')));
      control.selectedIndex = chosen ? found.findIndex(({ column }) => column === chosen.column) : found.length;
      element.hidden = !found.length;
    },
  };
}
