import { distancesFrom } from '#js/numbers/neighbors.js';

/** @import { Vectors } from '#js/data/types.js' */

/**
 * The ranks of some points among all neighbors of a row, 1 for the nearest, ties by row number.
 *
 * @param {Vectors} vectors @param {number} row @param {ArrayLike<number>} others
 * @param {'cosine' | 'euclidean'} metric
 * @returns {Int32Array} one each
 * @throws {RangeError} when the row's vector is zero under cosine
 */
export function ranksAmong(vectors, row, others, metric) {
  const distances = distancesFrom(vectors, row, metric);
  distances[row] = Infinity;
  return Int32Array.from(others, (other) => {
    const own = distances[other];
    let rank = 1;
    for (let i = 0; i < distances.length; i++)
      if (i !== row && (distances[i] < own || (distances[i] === own && i < other))) rank++;
    return rank;
  });
}
