import { absence } from '#js/data/steps.js';
import { format } from '#js/dom.js';
import { cleanLabel } from '#js/drawing/labels.js';
import { LETTERS, sideNames } from '#js/state/sides.js';

/**
 * What an outline says of a point.
 *
 * @import { Page, Partition } from '#js/data/types.js'
 * @import { View } from '#js/state/view.js'
 * @typedef {{indices: Int32Array, distances: Float64Array, error: string, marks?: string[]}} Near
 */

const NAMED = 3;

/** @param {Page} page @param {View} view @param {number} row @returns {Near[]} one, or one a side of a comparison */
export function nearOf(page, view, row) {
  const state = { ...view.get(), selected: Int32Array.of(row) };
  return (sideNames(page) && view.sideNeighbors(state)) || [view.currentNeighbors(state)];
}

/** @param {View} view @param {Near} near @returns {string} a sentence */
export function nearestSaid(view, { indices, distances, error }) {
  if (!indices.length) return error ? `${error}.` : 'none.';
  const said = [...indices.subarray(0, NAMED)].map(
    (row, i) => `${cleanLabel(view.label(row))} (${format(Number(distances[i].toPrecision(3)))})`,
  );
  return `${said.join(', ')}.`;
}

/**
 * @param {{page: Page, view: View, where: (rows: Int32Array) => string}} tools
 * @param {number} row
 * @param {{partition: Partition | null, what: string}} told what it is to what lists it
 */
export function describePoint({ page, view, where }, row, { partition, what }) {
  const state = view.get();
  const table = view.table();
  const name = cleanLabel(view.label(row), 80);
  const number = `row ${table.rowNumber(row)}`;
  const value = partition && table.column(partition.column)?.values[row];
  const visible = view.visible();
  const facts = [
    name === number ? '' : number,
    what,
    value ? `${cleanLabel(partition.column)} ${cleanLabel(value)}` : '',
    visible && !visible[row] ? 'not shown' : where(Int32Array.of(row)),
  ].filter(Boolean);
  const head = `${name}: ${facts.join('; ')}.`;
  const absent = absence(page, state, row);
  if (absent) return `${head} ${absent}.`;
  const found = nearOf(page, view, row);
  if (found.length === 1) return `${head} Nearest: ${nearestSaid(view, found[0])}`;
  const stayed = found[0].marks.filter((mark) => mark === 'stayed').length;
  const kept = `${stayed} of its ${found[0].indices.length} nearest in A stayed in B.`;
  return [head, kept, ...found.map((near, side) => `Nearest in ${LETTERS[side]}: ${nearestSaid(view, near)}`)].join(
    ' ',
  );
}
