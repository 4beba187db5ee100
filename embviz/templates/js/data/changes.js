import { measuredColumn } from '#js/data/table.js';

/** @import { Changes, Column, Manifest } from '#js/data/types.js' */

/** How many neighbors are looked at for each point. */
export const FEW = 10;

/** What was measured of each point, as a reader sees it named. */
export const MEASURES = {
  overlap10: '10 nearest in common',
  overlap50: '50 nearest in common',
  displacement: 'rank displacement',
  came: 'neighbors that came',
  left: 'neighbors that left',
};

/**
 * What changed between two states, as the page has it.
 *
 * @param {Manifest} manifest @param {(name: string) => Promise<any>} block
 * @returns {Promise<Changes | null>}
 */
export async function openChanges({ comparison, n_points: n }, block) {
  if (!comparison) return null;
  const { changes, only, ...told } = comparison;
  const names = Object.keys(changes).filter((name) => changes[name] !== null);
  const [only_names, ...arrays] = await Promise.all([block(only), ...names.map((name) => block(changes[name]))]);
  const found = Object.fromEntries(names.map((name, i) => [name, arrays[i]]));
  const rows = found.rows ?? Int32Array.from({ length: n }, (_, i) => i);
  const places = new Int32Array(n).fill(-1);
  rows.forEach((row, at) => (places[row] = at));
  return { ...told, only_names, overlap50: null, ...found, rows, places };
}

/**
 * @param {Changes} changes @param {number} n points of the page
 * @returns {Map<string, Column>} to color by, missing where a point was not compared
 */
export function changeColumns(changes, n) {
  const counts = (flags) => Float32Array.from(changes.rows, (_, at) => sum(flags.subarray(at * FEW, (at + 1) * FEW)));
  const measured = {
    overlap10: changes.overlap10,
    overlap50: changes.overlap50,
    displacement: changes.displacement,
    came: counts(changes.came),
    left: counts(changes.left),
  };
  const out = new Map();
  for (const [key, values] of Object.entries(measured)) {
    if (!values) continue;
    const all = new Float32Array(n).fill(NaN);
    changes.rows.forEach((row, at) => (all[row] = values[at]));
    out.set(MEASURES[key], measuredColumn(MEASURES[key], all));
  }
  return out;
}

const sum = (values) => values.reduce((a, b) => a + b, 0);

/** @returns {number} how many of a compared point's 10 nearest are the same on both sides, 0 .. 10 */
export const inCommon = (changes, at) => Math.round(FEW * changes.overlap10[at]);

/**
 * How many points have 0, 1, … 10 of their nearest in common.
 *
 * @param {Changes} changes @param {Uint8Array | null} among 0 for points to leave out
 * @returns {Int32Array} (11,)
 */
export function histogram(changes, among) {
  const counts = new Int32Array(FEW + 1);
  changes.rows.forEach((row, at) => {
    if (!among || among[row]) counts[inCommon(changes, at)]++;
  });
  return counts;
}

/** @returns {Int32Array} the points with as many of their nearest in common as that, both ends taken, ascending */
export const rowsBetween = (changes, among, low, high) =>
  changes.rows.filter((row, at) => {
    const count = inCommon(changes, at);
    return count >= low && count <= high && (!among || among[row]);
  });

/**
 * The points that changed most: fewest of the 10 nearest in common, then the farthest moved in rank, then by number.
 *
 * @param {Changes} changes @param {Uint8Array | null} among 0 for points to leave out
 * @param {number} most how many @param {boolean} [least] those that changed least, the other way round
 * @returns {{row: number, common: number, displacement: number}[]}
 */
export function ranking(changes, among, most, least = false) {
  const { displacement, rows } = changes;
  const sign = least ? -1 : 1;
  const order = (a, b) =>
    sign * (inCommon(changes, a) - inCommon(changes, b)) ||
    sign * (displacement[b] - displacement[a]) ||
    rows[a] - rows[b];
  // The first few of very many: they are kept in order, the others only compared with the last of them.
  const first = [];
  for (let at = 0; at < rows.length; at++) {
    if ((among && !among[rows[at]]) || (first.length === most && order(at, first[most - 1]) > 0)) continue;
    let to = first.length;
    while (to > 0 && order(at, first[to - 1]) < 0) to--;
    first.splice(to, 0, at);
    if (first.length > most) first.pop();
  }
  return first.map((at) => ({ row: rows[at], common: inCommon(changes, at), displacement: displacement[at] }));
}

/**
 * The ranks that are known of a compared point's 10 nearest on the other side.
 *
 * @param {Changes} changes @param {number} row @param {number} side whose neighbors they are
 * @returns {Int32Array | null} (10,), null where the point was not compared
 */
export function knownRanks(changes, row, side) {
  const at = changes.places[row];
  if (at < 0) return null;
  return changes[side === 0 ? 'ranks_in_b' : 'ranks_in_a'].subarray(at * FEW, (at + 1) * FEW);
}
