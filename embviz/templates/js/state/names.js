import { nameGroups, tidy } from '#js/data/naming.js';
import { cleanLabel } from '#js/drawing/labels.js';
import { gatherGroups } from '#js/drawing/names.js';
import { onceEach } from '#js/data/kept.js';
import { categories } from '#js/data/table.js';
import { pick } from '#js/numbers/coordinates.js';

/**
 * @import { Column, Page, Partition, State, Table } from '#js/data/types.js'
 * @import { Memo } from '#js/state/memo.js'
 * @import { Group } from '#js/plot/types.js'
 */

/**
 * The groups that a state's picture names: those of the page's partitions that are drawn.
 *
 * @param {Page} page @param {() => State} get
 * @param {{memo: Memo, table: (state: State) => Table, visible: (state: State) => Uint8Array | null}} parts
 */
export function createNames(page, get, { memo, table, visible }) {
  /** @returns {Int32Array} the group of each point, -1 for none */
  const codesOf = (partition, state) =>
    memo(`codes of ${partition.column}`, [table(state).column(partition.column)], () => {
      const column = table(state).column(partition.column);
      if (!column) return new Int32Array(page.table.n_points).fill(-1);
      const { names, codes } = categories(column);
      const places = new Map(partition.names.map((name, i) => [name, i]));
      const of = Int32Array.from(names, (name) => places.get(name) ?? -1);
      return codes.map((code) => (code < 0 ? -1 : of[code]));
    });

  /** @returns {Group[]} of one partition, those of which points are shown */
  function groupsOf(partition, level, finest, state) {
    const codes = codesOf(partition, state);
    const shown = visible(state);
    const labels = table(state).column(page.manifest.label_by);
    return memo(`groups of ${partition.column}`, [codes, shown, level, finest, labels], () => {
      const { sizes, rows } = gatherGroups(codes, partition.names.length, shown);
      const there = [...sizes.keys()].filter((code) => sizes[code]).sort((a, b) => sizes[b] - sizes[a] || a - b);
      const isRenamed = shown !== null && partition.kind === 'clusters';
      const texts = isRenamed ? namesOfShown(partition, { codes, shown, there, labels }) : null;
      return there.map((code, i) => {
        const value = partition.names[code];
        const text = cleanLabel(texts ? texts[i] : value);
        return {
          ...{ key: `${partition.column}\n${value}`, column: partition.column, value, text, level, finest },
          size: sizes[code],
          rows: rows[code],
          title:
            titleOf(partition, code, sizes[code]) +
            (texts && texts[i] !== value ? `; among all points “${cleanLabel(value)}”` : ''),
        };
      });
    });
  }

  /** Names of clusters by the labels of their points that are shown, from the largest to the smallest. */
  function namesOfShown(partition, { codes, shown, there, labels }) {
    const order = new Int32Array(partition.names.length).fill(-1);
    there.forEach((code, i) => (order[code] = i));
    const own = codes.map((code) => (code < 0 ? -1 : order[code]));
    const { places, dims } = mapOf(partition);
    return nameGroups(labels ? tidied(labels) : null, own, there.length, {
      places,
      dims,
      visible: shown,
      rowNumber: page.table.rowNumber,
    });
  }

  /** Where the points lie in the map that a partition was found in: its names do not change with the tab. */
  function mapOf({ of, dims }) {
    const { projections } = page.manifest;
    const entry =
      projections.find((each) => each.key === of && each.n_components === dims) ??
      projections.find((each) => each.key === of) ??
      projections[0];
    const width = Math.min(dims ?? 2, entry.n_components);
    return memo('map of names', [entry, width], () => ({
      places: pick(
        entry.data,
        entry.n_components,
        Array.from({ length: width }, (_, j) => j),
      ),
      dims: width,
    }));
  }

  /** @returns {Group[] | null} what the picture may name; null where it names nothing */
  const namesOf = (state = get()) => {
    const drawn = drawnPartitions(page, state);
    if (!state.names || !drawn.length) return null;
    const groups = drawn.map((partition, level) => groupsOf(partition, level, level === drawn.length - 1, state));
    return memo('names', [groups.length, ...groups], () => groups.flat().filter(({ text }) => text));
  };

  /** @param {Group} group @returns {Int32Array} its points that are shown */
  function rowsOfGroup({ column, value }, state = get()) {
    const partition = page.manifest.partitions.find((each) => each.column === column);
    const codes = codesOf(partition, state);
    const shown = visible(state);
    const code = partition.names.indexOf(value);
    const rows = [];
    for (let i = 0; i < codes.length; i++) if (codes[i] === code && (!shown || shown[i])) rows.push(i);
    return Int32Array.from(rows);
  }

  return { namesOf, rowsOfGroup };
}

/**
 * The partitions whose names a picture has, from coarse to fine: those of its own map, else those of another.
 *
 * @param {Page} page @param {State} state
 * @returns {Partition[]}
 */
export function drawnPartitions({ manifest }, { projection, dims }) {
  const drawn = (manifest.partitions ?? []).filter((each) => each.drawn && each.names.length);
  /** @param {Partition} each */
  const isHere = (each) => each.of === null || each.of === projection;
  const own = drawn.some(isHere) ? drawn.filter(isHere) : drawn.filter(({ of }) => of === drawn[0].of);
  const isFlat = (each) => each.of === null || each.dims === dims;
  const flat = own.some((each) => each.dims === dims) ? own.filter(isFlat) : own;
  return flat.sort((a, b) => a.names.length - b.names.length);
}

const tidied = onceEach((/** @type {Column} */ column) => column.values.map(tidy));

/** How many points a group has, and how far it holds together among the vectors. */
function titleOf({ names, sizes, inside, toward }, code, size) {
  const all = counted(sizes[code]);
  const isWhole = size === sizes[code];
  const shown = `${size.toLocaleString('en')} shown of ${all}`;
  const share = inside[code];
  if (share === null || share === undefined) return isWhole ? all : shown;
  const [other, part] = toward[code]?.[0] ?? [];
  const most = part >= 0.01 ? `, ${percent(part)} in ${cleanLabel(names[other])}` : '';
  const said = `${percent(share)} of their neighbors are in it${most}`;
  return isWhole ? `${all}, ${said}` : `${shown}, of which ${said}`;
}

const counted = (n) => (n === 1 ? '1 point' : `${n.toLocaleString('en')} points`);

const percent = (share) => `${Math.round(100 * share)} %`;
