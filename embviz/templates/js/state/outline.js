import { format } from '#js/dom.js';
import { cleanLabel } from '#js/drawing/labels.js';
import { middleOf, nearestRows } from '#js/numbers/middle.js';
import { describePoint, nearOf, nearestSaid } from '#js/state/outline_points.js';
import { firstOf, partitionsOf, rowsByValue } from '#js/state/partitions.js';
import { whereIs } from '#js/state/where.js';
import { LETTERS, shownStates } from '#js/state/sides.js';

/**
 * The picture as an outline, to be walked without seeing it: the picture, its clusters or classes, their typical
 * members, a point, its neighbors. What lies in a part is found when it is asked for.
 *
 * @import { Page, Partition, State } from '#js/data/types.js'
 * @import { View } from '#js/state/view.js'
 *
 * @typedef {object} Part
 * @property {string} id tells it from its siblings
 * @property {string} name
 * @property {() => string} say what is spoken of it
 * @property {(() => Part[]) | null} children null for none
 * @property {() => Int32Array} rows the points that it stands for
 * @property {number} row that of a point, else -1
 * @property {boolean} isWhole whether it is the picture itself
 */

/** Of a part with more members than this, ranges of them are listed. */
const LISTED = 100;
const TYPICAL = 5;
const NONE = new Int32Array(0);

/**
 * @param {Page} page @param {View} view @param {() => any} camera that the picture is seen with
 */
export function createOutline(page, view, camera) {
  const all = lazily(() => Int32Array.from({ length: page.table.n_points }, (_, i) => i));
  const shown = () => among({ view }, all());

  /** @returns {string} where points lie; in both maps where two are shown */
  function where(rows) {
    const state = view.get();
    // A few points far out would put all others in the middle.
    const found = view.shownScenes(state).map(({ coordinates, dims, ranges }) => {
      const most = middleOf(coordinates, dims, shown());
      return whereIs({ coordinates, dims, ranges: most ?? ranges }, camera(), rows);
    });
    const isTold = shownStates(page, state).length > 1 && found[0] !== found[1];
    return isTold ? found.map((text, side) => `in ${LETTERS[side]} ${text || 'nowhere'}`).join(', ') : found[0];
  }

  const tools = { page, view, where, shown };
  return {
    /** @returns {Partition[]} the ways in which points can be parted */
    partitions: () => partitionsOf(page, view.table()),
    first: () => firstOf(partitionsOf(page, view.table()), view.get()),
    /** @param {Partition | null} partition null for the points alone @returns {Part} the picture */
    root: (partition) => wholePart(tools, partition),
    /** @returns {any[]} what an outline is of: it is another one where one of these is another */
    inputs() {
      const state = view.get();
      return [
        view.visible(state),
        state.label_by,
        state.tags,
        view.table(state),
        state.arrived,
        ...view.shownScenes(state),
      ];
    },
  };
}

/** @returns {Part} */
function wholePart(tools, partition) {
  const { page, view } = tools;
  const shown = tools.shown();
  const { title, summary, n_points: n } = page.manifest;
  const rest = shown.length < n ? ` ${format(shown.length)} of ${counted(n)} are shown.` : '';
  const of = `${counted(n)} of ${counted(page.space.n_dims, 'dimension')}.`;
  const sentences = summary?.sentences.join(' ') || of;
  return {
    ...base('whole', cleanLabel(title, 80)),
    isWhole: true,
    say: () => `${sentences}${rest}`,
    rows: () => NONE,
    children: () => (partition ? groupParts() : pointParts(tools, shown, null)),
  };

  function groupParts() {
    const column = view.table().column(partition.column);
    const members = rowsByValue(column);
    const names = partition.names ?? [...members.keys()].filter((name) => name !== '').sort(inOrder(members));
    const groups = names.map((name, at) => ({ name, at, rows: among(tools, members.get(name) ?? NONE) }));
    const there = groups.filter(({ rows }) => rows.length);
    const middles = lazily(() => middlesOf(tools, there));
    const context = { partition, shown, there, middles };
    const none = among(tools, members.get('') ?? NONE);
    return [...there.map((group) => groupPart(tools, group, context)), ...(none.length ? [restPart(none)] : [])];
  }

  function restPart(rows) {
    const name = partition.kind === 'clusters' ? 'In no cluster' : `Without ${cleanLabel(partition.column)}`;
    return rowsPart(tools, { id: 'none', name, rows }, `${name}: ${counted(rows.length)} of ${format(shown.length)}.`);
  }
}

const inOrder = (members) => (a, b) => members.get(b).length - members.get(a).length || (a < b ? -1 : 1);

function groupPart(tools, group, context) {
  const { partition, shown, there, middles } = context;
  const { name, at, rows } = group;
  const kind = partition.kind === 'clusters' ? 'cluster' : 'class';
  const typical = () => typicalOf(tools, partition, group);
  return {
    ...base(`group ${name}`, `${cleanLabel(name, 80)}, ${counted(rows.length)}`),
    rows: () => rows,
    say() {
      const place = tools.where(rows);
      const share = percent(rows.length / shown.length);
      const size = `${counted(rows.length)} of ${format(shown.length)} (${share})`;
      return [
        `${cleanLabel(name, 80)}: ${size}${place ? `, ${place}` : ''}.`,
        ...honesty(partition, at, rows.length < partition.sizes?.[at]),
        ...nearestGroup(partition, group, { there, middles: middles(), kind }),
      ].join(' ');
    },
    children() {
      const first = rows.length > TYPICAL ? typical() : [...rows];
      const what = `typical of ${cleanLabel(name)}`;
      const members = first.map((row) => pointPart(tools, row, { partition, what: rows.length > TYPICAL ? what : '' }));
      if (rows.length <= TYPICAL) return members;
      const all = `All ${counted(rows.length)}`;
      return [...members, rowsPart(tools, { id: 'all', name: all, rows }, `${all} of ${cleanLabel(name)}.`, partition)];
    },
  };
}

/** How many of the neighbors of a group's members lie in it, and where most of the others do. */
function honesty({ inside, toward, names, neighbors }, at, isPart) {
  const share = inside?.[at];
  if (share === null || share === undefined) return [];
  const others = (toward?.[at] ?? []).filter(([, part]) => part > 0).slice(0, 2);
  const of = isPart
    ? 'Of the neighbors of all its points, also of those not shown,'
    : `Of their ${neighbors} nearest neighbors`;
  const most = others.map(([j, part]) => `${cleanLabel(names[j])} (${percent(part)})`).join(' and ');
  return [`${of} ${percent(share)} lie in it too${most ? `; of the others most in ${most}` : ''}.`];
}

function nearestGroup({ toward, names }, { name, at }, { there, middles, kind }) {
  const byNeighbors = toward?.[at]?.[0]?.[1] > 0 ? names[toward[at][0][0]] : null;
  const own = middles.get(name);
  let seen = null;
  let least = Infinity;
  for (const other of there) {
    const middle = middles.get(other.name);
    if (other.name === name || !own || !middle) continue;
    const square = own.reduce((sum, x, j) => sum + (x - middle[j]) ** 2, 0);
    if (square < least) [least, seen] = [square, other.name];
  }
  if (byNeighbors === null && seen === null) return [];
  if (byNeighbors === null) return [`The nearest ${kind} in the picture is ${cleanLabel(seen)}.`];
  if (byNeighbors === seen) return [`The nearest ${kind}, by neighbors and in the picture, is ${cleanLabel(seen)}.`];
  const alone = `The nearest ${kind} by neighbors is ${cleanLabel(byNeighbors)}`;
  return [seen === null ? `${alone}.` : `${alone}, in the picture ${cleanLabel(seen)}.`];
}

function middlesOf({ view }, groups) {
  const [{ coordinates, dims }] = view.shownScenes();
  return new Map(groups.map(({ name, rows }) => [name, middleOf(coordinates, dims, rows, 200)?.middle]));
}

/** @returns {number[]} those that came with the page, else those nearest to the middle in the picture */
function typicalOf(tools, { typical }, { at, rows }) {
  const { view } = tools;
  const given = among(tools, Int32Array.from(typical?.[at] ?? []));
  if (given.length) return [...given].slice(0, TYPICAL);
  const [{ coordinates, dims }] = view.shownScenes();
  const found = middleOf(coordinates, dims, rows);
  return found ? nearestRows(coordinates, dims, rows, found.middle, TYPICAL) : [];
}

/** A part that lists points, in ranges where there are many. */
function rowsPart(tools, { id, name, rows }, said, partition = null) {
  const place = lazily(() => tools.where(rows));
  return {
    ...base(id, name),
    rows: () => rows,
    say: () => `${said}${place() ? ` They lie ${place()}.` : ''}`,
    children: () => pointParts(tools, rows, partition),
  };
}

/** @param {Int32Array} rows @returns {Part[]} the points, or ranges of them */
function pointParts(tools, rows, partition) {
  if (rows.length <= LISTED) return Array.from(rows, (row) => pointPart(tools, row, { partition }));
  const size = LISTED ** Math.ceil(Math.log(rows.length) / Math.log(LISTED) - 1 - 1e-9);
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => {
    const some = rows.subarray(i * size, (i + 1) * size);
    const name = `${format(i * size + 1)} to ${format(i * size + some.length)}`;
    const ends = [some[0], some.at(-1)].map((row) => cleanLabel(tools.view.label(row)));
    const said = `Points ${name} of ${format(rows.length)}, from ${ends[0]} to ${ends[1]}.`;
    return rowsPart(tools, { id: `range ${i}`, name: `Points ${name}`, rows: some }, said, partition);
  });
}

/**
 * @param {any} tools @param {number} row
 * @param {{partition?: Partition | null, what?: string, id?: string}} [told] what it is to the part above it
 * @returns {Part}
 */
function pointPart(tools, row, { partition = null, what = '', id = `point ${row}` } = {}) {
  const { page, view } = tools;
  const label = cleanLabel(view.label(row), 80);
  return {
    ...base(id, label),
    row,
    rows: () => Int32Array.of(row),
    say: () => describePoint(tools, row, { partition, what }),
    children() {
      const found = nearOf(page, view, row);
      const lists = found.map(({ indices, distances, marks }) =>
        [...indices].map((other, i) => {
          const mark = marks ? `, ${marks[i]}` : '';
          const to = `neighbor ${i + 1} of ${label}, at ${format(Number(distances[i].toPrecision(3)))}${mark}`;
          return pointPart(tools, other, { partition, what: to, id: `near ${i}` });
        }),
      );
      if (lists.length === 1) return lists[0];
      return lists.map((parts, side) => ({
        ...base(`side ${side}`, `Nearest in ${LETTERS[side]}`),
        rows: () => found[side].indices,
        say: () => `Nearest in ${LETTERS[side]}: ${nearestSaid(view, found[side])}`,
        children: parts.length ? () => parts : null,
      }));
    },
  };
}

/** @returns {Part} */
const base = (id, name) => ({
  id,
  name,
  row: -1,
  isWhole: false,
  say: () => name,
  rows: () => NONE,
  children: null,
});

/** @returns {Int32Array} those of some rows that are shown */
function among({ view }, rows) {
  const visible = view.visible();
  return visible ? rows.filter((row) => visible[row] === 1) : rows;
}

function lazily(compute) {
  let made;
  return () => (made ??= compute());
}

const counted = (n, noun = 'point') => `${format(n)} ${noun}${n === 1 ? '' : 's'}`;

/** @returns {string} never none or all where it is neither */
export function percent(share) {
  if (share > 0 && share < 0.005) return 'under 1 %';
  if (share < 1 && share > 0.995) return 'over 99 %';
  return `${Math.round(100 * share)} %`;
}
