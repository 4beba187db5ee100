import { FEW, histogram, ranking, rowsBetween } from '#js/data/changes.js';
import { choice, fill, format, h, iconButton, setText } from '#js/dom.js';
import { createMotion } from '#js/panels/motion.js';
import { createHistogram } from '#js/panels/histogram.js';
import { rowButton } from '#js/panels/row_button.js';
import { changeFacts, onlySentences } from '#js/state/change_words.js';
import { modeOf } from '#js/state/select.js';

/** @import { Page, State } from '#js/data/types.js' */

const LISTED = 50;

/** What changed between the two sides: figures, how many kept their neighbors, who changed, and groups that did. */
export function createChangesPanel(page, view, thumbnail) {
  const { changes } = page;
  if (!changes) return { element: null, render() {} };
  const facts = changeFacts(changes);
  const parts = [
    createMotion(page, view, ({ layout }) => layout === 'side'),
    createBrush(page, view),
    createLists(page, view, thumbnail),
  ];
  const element = h(
    'section.panel.changes',
    { aria: { label: 'Changes' } },
    h('h2', {}, 'Changes'),
    h('p.headline', {}, facts.headline),
    h(
      'div.facts',
      {},
      ...facts.figures.map(([name, value, title]) => h('p.fact', { title }, h('span', {}, name), h('span', {}, value))),
    ),
    ...onlySentences(changes).map((text) => h('p.hint', { dir: 'auto' }, text)),
    ...parts.map((part) => part.element),
  );
  return {
    element,
    render(state) {
      for (const part of parts) part.render(state);
    },
  };
}

/** How many of the 10 nearest are in common, to take points by. */
function createBrush(page, view) {
  const { changes } = page;
  let counts = null;
  let among;
  /** What was taken last; a selection that something else makes has no range. */
  let taken = { range: null, rows: null };
  let isTaking = false;
  const names = Array.from({ length: FEW + 1 }, (_, count) => `${count} of ${FEW} in common`);
  const bars = createHistogram({
    label: 'Points by how many of their 10 nearest are in common; Shift with the arrow keys takes a range',
    names,
    brush(low, high, event) {
      const rows = rowsBetween(changes, view.visible(), low, high);
      isTaking = true;
      // Shift makes the range longer here; what it is elsewhere, Alt with it still is.
      view.select(rows, event.altKey ? modeOf(event) : 'replace');
      isTaking = false;
      taken = { range: [low, high], rows: view.get().selected };
      bars.render(counts, taken.range, textOf(taken.range, rows.length));
    },
  });
  const element = h('div', {}, h('h3', {}, '10 nearest in common'), bars.element);
  return {
    element,
    render(state) {
      const visible = view.visible(state);
      if (counts === null || visible !== among) counts = histogram(changes, visible);
      among = visible;
      if (isTaking) return;
      if (state.selected !== taken.rows) taken = { range: null, rows: null };
      bars.render(counts, taken.range, taken.range ? textOf(taken.range, taken.rows.length) : HOW);
    },
  };
}

const HOW = 'Drag over the bars to select points';

function textOf([low, high], count) {
  const which = low === high ? String(low) : `${low} to ${high}`;
  return `${format(count)} points with ${which} of ${FEW} in common`;
}

/** Those that changed most and least, and groups that changed together. */
function createLists(page, view, thumbnail) {
  const { changes } = page;
  let kind = 'most';
  const tabs = choice(
    'Which points',
    [
      [
        'most',
        'Most changed',
        'Points that changed most: fewest of the 10 nearest in common, then the farthest moved in rank',
      ],
      ['least', 'Least', 'Points that changed least'],
      ['groups', 'Groups', 'Points that changed together: their new or lost neighbors agree'],
    ],
    (value) => {
      kind = value;
      draw(view.get());
    },
  );
  const scope = createScope(page, () => draw(view.get()));
  const list = h('ol.rows.change-list');
  const note = h('p.hint');
  const element = h('div.change-lists', {}, tabs.element, scope.element, note, list);
  let shown = [];

  function draw(state) {
    const key = [kind, scope.value(), view.visible(state), state.label_by, state.tags, state.dark, state.arrived];
    if (key.every((item, i) => item === shown[i])) return;
    shown = key;
    tabs.render(kind);
    scope.element.hidden = kind === 'groups' || scope.isSingle;
    const items = kind === 'groups' ? drawGroups(changes, view) : drawPoints(view, thumbnail, pointsOf(state));
    setText(note, items.length ? '' : kind === 'groups' ? noGroups(changes) : 'None of the points shown was compared.');
    note.hidden = items.length > 0;
    fill(list, ...items.map((item) => h('li', {}, item)));
    list.setAttribute('aria-label', { most: 'Most changed', least: 'Least changed', groups: 'Groups' }[kind]);
  }

  const pointsOf = (state) => ranking(changes, both(view.visible(state), scope.among()), LISTED, kind === 'least');
  return { element, render: draw };
}

const noGroups = ({ no_groups: why }) => `No groups that changed together${why ? `: ${why}` : ''}.`;

/** @returns {Uint8Array | null} 1 where both have it, null for all */
function both(a, b) {
  if (!a || !b) return a ?? b;
  return a.map((x, i) => x & b[i]);
}

function drawPoints(view, thumbnail, found) {
  return found.map(({ row, common, displacement }) => {
    const button = rowButton(
      view,
      row,
      thumbnail,
      h('span.meter', { style: { '--part': common / FEW } }),
      h('span.distance', {}, `${common} / ${FEW}`),
    );
    button.title +=
      `: ${common} of the ${FEW} nearest in common; the nearest of either side lie ` +
      `${format(Number(displacement.toPrecision(3)))} ranks elsewhere on average`;
    return button;
  });
}

function drawGroups({ groups }, view) {
  return groups.map(({ name, score, rows, came, left }) => {
    const names = (list) => list.slice(0, 5).map(view.label).join(', ');
    const more = [came.length ? `came: ${names(came)}` : '', left.length ? `left: ${names(left)}` : ''].filter(Boolean);
    const select = h(
      'button.row',
      {
        type: 'button',
        title: [`Select the ${format(rows.length)} points of ${name}`, ...more].join('; '),
        on: { click: (event) => view.select(rows, modeOf(event)) },
      },
      h('span.row-name', { dir: 'auto' }, name),
      h('span.count', {}, `${format(rows.length)} points`),
      h('span.distance', { title: 'How far what they gained or lost agrees, 0 to 1' }, score.toFixed(2)),
    );
    const isolate = iconButton('isolate', `Isolate the ${format(rows.length)} points of ${name}`, () =>
      view.set({ isolated: rows, selected: rows }),
    );
    return h('div.group-row', {}, select, isolate);
  });
}

/** Of which points the lists are: all that are shown, those of a value of a column, or of a group. */
function createScope({ changes, table }, changed) {
  const options = [{ name: 'of all points shown', among: null }];
  for (const [column, values] of Object.entries(changes.by_group)) {
    for (const value of Object.keys(values)) {
      const found = table.columns.get(column)?.values ?? [];
      const among = () => Uint8Array.from(found, (each) => Number(each === value));
      options.push({ name: `of ${column} ${value}`, among });
    }
  }
  for (const { name, rows } of changes.groups) {
    const among = () => {
      const out = new Uint8Array(table.n_points);
      for (const row of rows) out[row] = 1;
      return out;
    };
    options.push({ name: `of the group ${name}`, among });
  }
  let found = null;
  const control = h(
    'select.small.scope',
    {
      aria: { label: 'Points listed' },
      on: {
        change() {
          found = options[control.selectedIndex].among?.() ?? null;
          changed();
        },
      },
    },
    ...options.map(({ name }) => h('option', {}, name)),
  );
  return { element: control, isSingle: options.length === 1, value: () => control.selectedIndex, among: () => found };
}
