import { choice, fill, format, h, setText } from '#js/dom.js';
import { createTagging } from '#js/panels/tagging.js';
import { combined, modeOf } from '#js/state/select.js';

const LISTED = 100;
/** About how much of a card is seen without scrolling. */
const CARD_LINES = 10;
const CARD_LETTERS = 16;

/** The inspector: search, the selected point, its neighbors, and what to do with the selection. */
export function createInspector(page, view, thumbnail) {
  const search = createSearch(page, view);
  const parts = [
    search,
    createTagging(view),
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

function createSearch(page, view) {
  const columns = () => [...view.table().columns.keys()];
  const input = h('input.search', {
    type: 'search',
    placeholder: 'Search labels',
    spellcheck: false,
    aria: { label: 'Search' },
    on: {
      input() {
        if (view.get().query.trim() === '') before = view.get().selected;
        view.set({ query: input.value });
      },
      keydown: (event) => {
        if (event.key === 'Escape') {
          view.set({ query: '' });
          input.blur();
        }
        if (event.key === 'Enter' && modeOf(event) !== 'replace') take(modeOf(event));
      },
    },
  });
  let before = new Int32Array(0);
  /** Put the matches together with what was selected before the search began. */
  function take(mode) {
    const { rows, error } = view.search(view.get().query, view.get().column);
    if (!error) view.set({ query: '', selected: combined(before, rows, mode) });
  }
  const column = h('select.small', {
    aria: { label: 'Column searched' },
    on: { change: () => view.set({ column: columns()[column.selectedIndex], query: view.get().query }) },
  });
  let listed = null;
  const message = h('span.hint', { attributes: { role: 'status' } });
  const element = h('section.panel', { aria: { label: 'Search' } }, input, h('div.field.under', {}, message, column));
  return {
    element,
    focus: () => input.focus(),
    render(state) {
      if (input.value !== state.query) input.value = state.query;
      if (listed !== state.tags) fill(column, ...columns().map((name) => h('option', {}, `in ${name}`)));
      listed = state.tags;
      column.hidden = !columns().length;
      if (state.column !== null) column.selectedIndex = columns().indexOf(state.column);
      const asked = state.query.trim() !== '';
      const { rows, error } = asked ? view.search(state.query, state.column) : { rows: [], error: '' };
      setText(
        message,
        !asked ? 'text  =exact  /regex/' : error || (rows.length === 1 ? '1 match' : `${format(rows.length)} matches`),
      );
      message.classList.toggle('wrong', asked && (error !== '' || rows.length === 0));
      input.setAttribute('aria-invalid', String(error !== ''));
    },
  };
}

function createSelection(page, view, thumbnail) {
  const element = h('section.panel.selection', { aria: { label: 'Selected' } });
  let shown = [];
  return {
    element,
    render(state) {
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
  const facts = [
    ['row', format(page.table.rowNumber(row))],
    ...[...view.table().columns].map(([name, column]) => [name, column.values[row] ?? '']),
  ];
  const name = view.label(row);
  const lines = facts.reduce((sum, [, value]) => sum + Math.ceil((value.length + 1) / CARD_LETTERS), 0);
  // What may have to be scrolled can be reached by keyboard, in browsers too that do not see to it.
  const scrolls = (isLong) => (isLong ? { tabIndex: 0 } : {});
  return [
    h(
      'div.card',
      {},
      thumbnail(row, 64),
      h(
        'div.card-text',
        {},
        h('p.card-name', { dir: 'auto', ...scrolls(name.length > 4 * CARD_LETTERS) }, name),
        h(
          'dl',
          scrolls(lines > CARD_LINES),
          ...facts.flatMap(([column, value]) => [
            h('dt', { dir: 'auto', title: column }, column),
            h('dd', { dir: 'auto', title: value }, value === '' ? '–' : value),
          ]),
        ),
      ),
    ),
  ];
}

function drawList(view, rows, thumbnail) {
  const items = [...rows.subarray(0, LISTED)].map((row) => rowButton(view, row, thumbnail));
  const more = rows.length > LISTED ? h('p.hint', {}, `and ${format(rows.length - LISTED)} more`) : null;
  return [
    h('h2', {}, `${format(rows.length)} selected`),
    h('ul.rows', {}, ...items.map((item) => h('li', {}, item))),
    more,
  ];
}

function rowButton(view, row, thumbnail, ...rest) {
  const name = view.label(row);
  return h(
    'button.row',
    {
      type: 'button',
      title: name,
      on: {
        click: (event) => view.select([row], modeOf(event)),
        mouseenter: () => view.set({ hovered: row }),
        mouseleave: () => view.set({ hovered: -1 }),
        focus: () => view.set({ hovered: row }),
        blur: () => view.set({ hovered: -1 }),
      },
    },
    thumbnail(row, 18),
    h('span.row-name', { dir: 'auto' }, name),
    ...rest,
  );
}

function createNeighbors(page, view, thumbnail) {
  const metric = choice(
    'Metric',
    [
      ['cosine', 'cos', '1 − cosine of the angle between two vectors'],
      ['euclidean', 'eucl', 'Length of the difference of two vectors'],
    ],
    (value) => view.set({ metric: value }),
  );
  const most = Math.max(1, Math.min(999, page.table.n_points - 1));
  const k = h('input.count-input', {
    type: 'number',
    min: 1,
    max: most,
    aria: { label: 'Number of neighbors' },
    on: {
      change: () => {
        view.set({ k: Math.min(most, Math.max(1, Math.round(Number(k.value)) || 1)) });
        k.value = view.get().k;
      },
    },
  });
  const list = h('ol.rows');
  const note = h('p.hint');
  const all = h(
    'button.link',
    {
      type: 'button',
      title: 'Select the point and these neighbors. With Shift they join the selection, with Alt they leave it',
      on: {
        click: (event) => {
          const state = view.get();
          const near = view.currentNeighbors(state).indices;
          view.select(modeOf(event) === 'replace' ? [...state.selected, ...near] : near, modeOf(event));
        },
      },
    },
    'Select all',
  );
  const element = h(
    'section.panel.grow',
    { aria: { label: 'Nearest neighbors' } },
    h('div.field', {}, h('h2', {}, 'Nearest'), k, metric.element),
    h('div.neighbors-head', {}, h('p.hint', {}, 'In the original space'), all),
    note,
    list,
  );
  let shown = [];
  return {
    element,
    render(state) {
      element.hidden = state.selected.length !== 1;
      if (element.hidden) return;
      metric.render(state.metric);
      if (Number(k.value) !== state.k) k.value = state.k;
      const found = view.currentNeighbors(state);
      const key = [found.indices, state.label_by, state.tags, state.metric, state.dark, state.arrived];
      if (key.every((item, i) => item === shown[i])) return;
      shown = key;
      setText(note, found.error || (page.space.vectors?.exact === false ? page.space.vectors_note : ''));
      note.hidden = note.textContent === '';
      all.hidden = found.indices.length === 0;
      const farthest = found.distances.at(-1) || 1;
      const scale = state.metric === 'cosine' ? (d) => 1 - d : (d) => (d < Infinity ? 1 - d / (farthest * 1.25) : 0);
      fill(
        list,
        ...[...found.indices].map((row, i) =>
          h(
            'li',
            {},
            rowButton(
              view,
              row,
              thumbnail,
              h('span.meter', {
                title: METERS[state.metric],
                style: { '--part': Math.max(0, scale(found.distances[i])) },
              }),
              h('span.distance', {}, distanceText(found.distances[i])),
            ),
          ),
        ),
      );
    },
  };
}

/** What the bar beside a neighbor says. */
const METERS = {
  cosine: 'The cosine of the angle between the two vectors: full where they point the same way, empty from 90° on',
  euclidean: 'The longer, the nearer: full at distance 0, a fifth at the farthest of these neighbors',
};

function distanceText(d) {
  if (d === Infinity) return '> 1.8e308';
  return d === 0 || (d >= 0.001 && d < 1000) ? d.toFixed(d >= 100 ? 1 : 3) : d.toPrecision(3);
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
  const subject = (state) => Int32Array.from(new Set([...state.selected, ...view.currentNeighbors(state).indices]));
  return {
    element,
    render(state) {
      const n = state.selected.length ? subject(state).length : 0;
      const same = state.isolated !== null && n === state.isolated.length;
      isolate.hidden = n < 2 || same;
      setText(isolate, `Isolate ${format(n)} points`);
      all.hidden = state.isolated === null;
      clear.disabled = state.selected.length === 0 && state.query === '';
      element.hidden = isolate.hidden && all.hidden && clear.disabled;
    },
  };
}
