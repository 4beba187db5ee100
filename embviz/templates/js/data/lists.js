import { nearestStep } from '#js/data/steps.js';

/**
 * The nearest neighbors of each point, which came with the page where its vectors did not. Isolating changes them no
 * more than it changes those of vectors.
 *
 * @import { Lists, Manifest, Page, State } from '#js/data/types.js'
 */

/**
 * @param {Manifest} manifest
 * @param {(name: string) => Promise<any>} block
 * @returns {Promise<Lists | null>}
 */
export async function openLists({ neighbors: entry, n_points: n }, block) {
  if (!entry) return null;
  const { k, metric, recall, scale } = entry;
  const [indices, distances] = await Promise.all([block(entry.indices), block(entry.distances)]);
  const states = Array.from({ length: indices.length / (k * n) }, (_, i) => i);
  /** Lists of one state, a point after the other. They travel a rank after the other, which is smaller. */
  const turned = (all, out, i, factor) => {
    for (let rank = 0; rank < k; rank++) {
      const from = (rank * states.length + i) * n;
      for (let row = 0, to = rank; row < n; row++, to += k) out[to] = all[from + row] * factor;
    }
    return out;
  };
  return {
    k,
    metric,
    recall,
    indices: states.map((i) => turned(indices, new Int32Array(n * k), i, 1)),
    distances: states.map((i) => turned(distances, new Float64Array(n * k), i, scale)),
  };
}

/**
 * @param {Page} page @param {State} state @param {number} row @param {number} k @param {string} metric
 * @returns {{indices: Int32Array, distances: Float64Array}} of the nearest step, nearest first
 * @throws {RangeError} where the page has no such
 */
export function listedNeighbors(page, state, row, k, metric) {
  const { lists, space, changes } = page;
  if (!lists) throw new RangeError(space.vectors_note);
  if (metric !== lists.metric || k > lists.k) throw new RangeError(`${listsSaid(lists)}. ${space.vectors_note}`);
  const i = nearestStep(page, state);
  const from = row * lists.k;
  const indices = lists.indices[i].subarray(from, from + k);
  const found = indices.indexOf(-1);
  if (found === 0)
    throw new RangeError(
      changes && changes.places[row] < 0
        ? 'The neighbors of this point were not looked for'
        : 'A zero vector has no direction, so no cosine distance',
    );
  const end = found < 0 ? k : found;
  return { indices: indices.slice(0, end), distances: lists.distances[i].slice(from, from + end) };
}

/** @param {Lists} lists @returns {string} which neighbors there are */
export function listsSaid({ k, metric }) {
  const which = k === 1 ? 'Only the nearest neighbor' : `Only the ${k} nearest`;
  return `${which} of each point by ${metric} ${k === 1 ? 'is' : 'are'} in this page`;
}

/** @param {Lists} lists @returns {string} how many of the true neighbors were found, '' where all were */
export const recallSaid = ({ recall }) =>
  recall === 1 ? '' : `Found by a fast search: ${Math.floor(recall * 1000) / 10} % of these lists are the true nearest`;
