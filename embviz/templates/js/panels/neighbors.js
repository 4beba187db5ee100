import { choice, fill, format, h, setText } from '#js/dom.js';
import { amongWhich } from '#js/data/sample_words.js';
import { arrowKeys, rowButton } from '#js/panels/row_button.js';
import { modeOf } from '#js/state/select.js';
import { LETTERS, sideNames } from '#js/state/sides.js';

/** @import { SideNeighbors } from '#js/state/sides.js' */

/** The nearest neighbors of the selected point: one list, or in a comparison one a side. */
export function createNeighbors(page, view, thumbnail) {
  const names = sideNames(page);
  const metric = choice(
    'Metric',
    [
      ['cosine', 'cos', '1 − cosine of the angle between two vectors'],
      ['euclidean', 'eucl', 'Length of the difference of two vectors'],
    ],
    (value) => view.set({ metric: value }),
  );
  const k = createCount(page, view);
  const all = h(
    'button.link',
    {
      type: 'button',
      title: 'Select the point and these neighbors. With Shift they join the selection, with Alt they leave it',
      on: {
        click: (event) => {
          const near = view.around();
          view.select(modeOf(event) === 'replace' ? [...view.get().selected, ...near] : near, modeOf(event));
        },
      },
    },
    'Select all',
  );
  const lists = (names ?? [null]).map((name, side) => createList(page, view, thumbnail, name === null ? null : side));
  const space = `In the original space${names ? 's' : ''}: the longer a bar, the farther`;
  const where = amongWhich(page.manifest) || space;
  const element = h(
    'section.panel.grow',
    { aria: { label: 'Nearest neighbors' } },
    h('div.field', {}, h('h2', {}, 'Nearest'), k, metric.element),
    h('div.neighbors-head', {}, h('p.hint', where === space ? {} : { title: space }, where), all),
    names ? h('p.hint.marks', {}, ...drawKey()) : null,
    ...lists.map((list) => list.element),
  );
  let shown = [];
  return {
    element,
    render(state) {
      element.hidden = state.selected.length !== 1;
      if (element.hidden) return;
      metric.render(state.metric);
      if (Number(k.value) !== state.k) k.value = state.k;
      const found = view.sideNeighbors(state) ?? [view.currentNeighbors(state)];
      const indices = found.map((near) => near.indices);
      const said = found.map((near) => near.error || near.note).join();
      const key = [...indices, said, state.label_by, state.tags, state.metric, state.dark, state.arrived];
      if (key.every((item, i) => item === shown[i])) return;
      shown = key;
      all.hidden = indices.every(({ length }) => length === 0);
      lists.forEach((list, side) => list.render(found[side]));
    },
  };
}

function createCount(page, view) {
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
  return k;
}

/** One list; in a comparison with what became of each neighbor, and its rank on the other side. */
function createList(page, view, thumbnail, side) {
  const list = h('ol.rows', { on: { keydown: (event) => arrowKeys(event) } });
  const note = h('p.hint');
  const count = h('span.hint');
  const name = side === null ? '' : `${LETTERS[side]} · ${sideNames(page)[side]}`;
  const head = side === null ? null : h('div.side-head', {}, h('h3', { dir: 'auto', title: name }, name), count);
  if (side !== null) list.setAttribute('aria-label', `Nearest in ${name}`);
  const noteOf = (found) => {
    const { vectors, vectors_note: said } = side === null ? page.space : page.steps.spaces[side];
    return found.error || found.note || (vectors?.exact === false ? said : '');
  };
  return {
    element: h('div', {}, head, note, list),
    render(found) {
      setText(note, noteOf(found));
      note.hidden = note.textContent === '';
      if (side !== null) setText(count, countText(found.marks));
      const part = (i) => lengthOfBar(found.distances[i], found.distances.at(-1));
      const meter = (i) => h('span.meter', { title: METER, style: { '--part': part(i) } });
      const distance = (i) => h('span.distance', {}, distanceText(found.distances[i]));
      const rest = side === null ? (i) => [meter(i), distance(i)] : (i) => [meter(i), drawMark(found, i, side)];
      fill(
        list,
        ...[...found.indices].map((row, i) => {
          const button = rowButton(view, row, thumbnail, ...rest(i));
          if (side !== null) button.title += `, at distance ${distanceText(found.distances[i])}`;
          return h('li', {}, button);
        }),
      );
    },
  };
}

/** What became of a neighbor, as a sign, a word for who does not see it, and a title. */
const MARKS = {
  stayed: ['=', 'stayed', 'near on both sides'],
  left: ['−', 'left', 'near in A, no more in B'],
  came: ['+', 'came', 'near in B, not so in A'],
};

const drawKey = () =>
  Object.values(MARKS).flatMap(([sign, word, title]) => [
    h('span', { title }, h('strong', {}, sign), ` ${word}`),
    '  ',
  ]);

/** @param {SideNeighbors} found @param {number} i @param {number} side */
function drawMark({ marks, ranks }, i, side) {
  const [sign, word] = MARKS[marks[i]];
  const other = LETTERS[1 - side];
  const told = ranks[i] === null ? `its rank in ${other} is not known` : `rank ${format(ranks[i])} in ${other}`;
  return h(
    `span.mark.${marks[i]}`,
    { title: `${word}, ${told}`, attributes: { role: 'img' }, aria: { label: `${word}, ${told}` } },
    h('span.rank', {}, ranks[i] === null ? '' : format(ranks[i])),
    h('strong', {}, sign),
  );
}

function countText(marks) {
  const stayed = marks.filter((mark) => mark === 'stayed').length;
  const other = marks.find((mark) => mark !== 'stayed');
  return other ? `${stayed} stayed, ${marks.length - stayed} ${other}` : `${stayed} stayed`;
}

/** What the bar beside a neighbor says, as on the terminal. */
const METER = 'As long as the distance: full at the farthest of these neighbors';

/** @returns {number} 0 … 1 */
const lengthOfBar = (d, farthest) => (d < farthest ? d / farthest : Number(farthest > 0));

function distanceText(d) {
  if (d === Infinity) return '> 1.8e308';
  return d === 0 || (d >= 0.001 && d < 1000) ? d.toFixed(d >= 100 ? 1 : 3) : d.toPrecision(3);
}
