/**
 * How many of all points those of a sample stand for: the sum of their weights, an estimate.
 *
 * @import { Page, State, Table } from '#js/data/types.js'
 * @import { Memo } from '#js/state/memo.js'
 */

/** So many digits of an estimate are told. */
const DIGITS = 2;

/**
 * @param {Page} page
 * @param {{memo: Memo, classes: (state: State) => Int32Array | null,
 *   unfiltered: (state: State) => Int32Array | null, numbers: (state: State) => Float64Array | undefined}} parts
 */
export function createEstimates(page, { memo, classes, unfiltered, numbers }) {
  const { sample, n_points: n } = page.manifest;
  /** Where none has a weight of its own, all stand for as many. */
  const each = sample && !sample.weights ? sample.n_all / n : 1;

  /** @returns {(row: number) => number} */
  function weights() {
    const known = sample?.weights ? page.table.column(sample.weights)?.numbers() : null;
    return known ? (row) => known[row] : () => 1;
  }

  /** @param {ArrayLike<number>} rows @returns {number | null} of how many points they are; null in a page of all */
  function estimate(rows) {
    if (!sample) return null;
    const weight = weights();
    let sum = 0;
    for (let i = 0; i < rows.length; i++) sum += weight(rows[i]);
    return sum * each;
  }

  /** @returns {Map<number, number> | null} the same of each legend code, -1 for what is missing, of those isolated */
  const estimates = (state) =>
    sample
      ? memo('estimates', [classes(state), unfiltered(state), numbers(state)], () => {
          const [codes, rows, values] = [classes(state), unfiltered(state), numbers(state)];
          const weight = weights();
          const sums = new Map();
          for (let i = 0; i < (rows?.length ?? n); i++) {
            const row = rows ? rows[i] : i;
            const code = codes ? codes[row] : Number.isNaN(values?.[row]) ? -1 : 0;
            sums.set(code, (sums.get(code) ?? 0) + weight(row));
          }
          for (const [code, sum] of sums) sums.set(code, sum * each);
          return sums;
        })
      : null;

  return { estimate, estimates };
}

/** @returns {number} an estimate in as many digits as are told of it */
export const roughly = (sum) => (sum < 1 ? Math.ceil(sum) : Math.round(Number(sum.toPrecision(DIGITS))));
