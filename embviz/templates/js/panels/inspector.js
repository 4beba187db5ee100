import { fill, format, h, setText } from '#js/dom.js';
import { createNeighbors } from '#js/panels/neighbors.js';
import { arrowKeys, rowButton } from '#js/panels/row_button.js';
import { createSearch, sameRows } from '#js/panels/search.js';
import { createTagging } from '#js/panels/tagging.js';

const LISTED = 100;
/** To lay out tens of thousands takes seconds at every point: more are there when they are asked for. */
const MOST_VALUES = 300;
/** About how much of a card is seen without scrolling. */
const CARD_LINES = 10;
const CARD_LETTERS = 16;

/** The inspector: search, the selected point, its neighbors, and what to do with the selection. */
export function createInspector(page, view, thumbnail) {
  const search = createSearch(page, view, thumbnail);
  const parts = [
    search,
    createTagging(page, view),
    createSelection(page, view, thumbnail),
    createNeighbors(page, view, thumbnail),
  ];
  const actions = createActions(page, view);
  const element = h(
    'aside.side.right',
    { id: 'inspector', aria: { label: 'Inspector' } },
    h('div.scroll', {}, ...parts.map((part) => part.element)),
    actions.element,
  );
  return {
    element,
    render(state) {
      for (const part of [...parts, actions]) part.render(state);
    },
    focusSearch: search.focus,
  };
}

function createSelection(page, view, thumbnail) {
  const element = h('section.panel.selection', { aria: { label: 'Selected' } });
  let shown = [];
  return {
    element,
    render(state) {
      // What was searched for is listed below the search.
      element.hidden = state.selected.length > 1 && sameRows(state.selected, view.found(state).rows);
      if (element.hidden) return;
      const key = [state.selected, state.label_by, state.tags, state.dark, state.arrived];
      if (key.every((item, i) => item === shown[i])) return;
      shown = key;
      if (state.selected.length === 1) fill(element, ...drawCard(page, view, state.selected[0], thumbnail));
      else if (state.selected.length) fill(element, ...drawList(view, state.selected, thumbnail));
      else fill(element, h('p.hint', {}, 'Click a point or search to see what it is and what lies near it.'));
    },
  };
}

function drawCard(page, view, row, thumbnail) {
  const columns = [...view.table().columns];
  const first = columns.slice(0, MOST_VALUES);
  const facts = (/** @type {typeof columns} */ of) => [
    ['row', format(page.table.rowNumber(row))],
    ...of.map(([name, column]) => [name, column.values[row] ?? '']),
  ];
  const name = view.label(row);
  const lines = facts(first).reduce((sum, [, value]) => sum + Math.ceil((value.length + 1) / CARD_LETTERS), 0);
  // What may have to be scrolled can be reached by keyboard, in browsers too that do not see to it.
  const scrolls = (isLong) => (isLong ? { tabIndex: 0 } : {});
  const list = h('dl', scrolls(lines > CARD_LINES), ...drawFacts(facts(first)));
  const showAll = () => {
    more?.remove();
    fill(list, ...drawFacts(facts(columns)));
    list.focus();
  };
  const more =
    columns.length > MOST_VALUES
      ? h('button', { type: 'button', on: { click: showAll } }, `Show all ${format(columns.length)} values`)
      : null;
  return [
    h(
      'div.card',
      {},
      thumbnail(row, 64),
      h(
        'div.card-text',
        {},
        h('p.card-name', { dir: 'auto', ...scrolls(name.length > 4 * CARD_LETTERS) }, name),
        list,
        more,
      ),
    ),
  ];
}

/** @param {string[][]} facts names and values @returns {HTMLElement[]} */
const drawFacts = (facts) =>
  facts.flatMap(([column, value]) => [
    h('dt', { dir: 'auto', title: column }, column),
    h('dd', { dir: 'auto', title: value }, value === '' ? '–' : value),
  ]);

function drawList(view, rows, thumbnail) {
  const items = [...rows.subarray(0, LISTED)].map((row) => rowButton(view, row, thumbnail));
  const more = rows.length > LISTED ? h('p.hint', {}, `and ${format(rows.length - LISTED)} more`) : null;
  return [
    h('h2', {}, `${format(rows.length)} selected`),
    h('ul.rows', { on: { keydown: (event) => arrowKeys(event) } }, ...items.map((item) => h('li', {}, item))),
    more,
  ];
}

function createActions(page, view) {
  const isolate = h('button.primary', {
    type: 'button',
    on: {
      click: () => {
        const state = view.get();
        view.set({ isolated: subject(state) });
      },
    },
  });
  const all = h(
    'button.primary',
    { type: 'button', on: { click: () => view.set({ isolated: null }) } },
    `Show all ${format(page.table.n_points)}`,
  );
  const clear = h('button', { type: 'button', on: { click: () => view.set({ query: '', selected: [] }) } }, 'Clear');
  const element = h('section.panel.actions', { aria: { label: 'Selection' } }, isolate, all, h('span.spread'), clear);
  const subject = (state) => Int32Array.from(new Set([...state.selected, ...view.around(state)]));
  return {
    element,
    render(state) {
      const n = state.selected.length ? subject(state).length : 0;
      const same = state.isolated !== null && n === state.isolated.length;
      isolate.hidden = n < 2 || same;
      setText(isolate, `Isolate ${format(n)} points`);
      all.hidden = state.isolated === null;
      clear.hidden = state.selected.length === 0;
      element.hidden = isolate.hidden && all.hidden && clear.hidden;
    },
  };
}
