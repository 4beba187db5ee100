/** Where some points lie. */

const MOST = 2000;

/**
 * @typedef {{low: number[], middle: number[], high: number[], min: number[], max: number[]}} Middle the median, the
 *   quartiles, and the ends of what holds all but a twentieth on either side, along each axis
 */

/**
 * Where the bulk of some points lies, found of at most 2,000 of them, spread evenly.
 *
 * @param {ArrayLike<number>} coordinates (n, dims) row by row @param {number} dims
 * @param {ArrayLike<number>} rows @param {number} [most] how many are looked at
 * @returns {Middle | null} null where none of them has a place
 */
export function middleOf(coordinates, dims, rows, most = MOST) {
  const step = Math.max(1, Math.ceil(rows.length / most));
  const found = Array.from({ length: dims }, () => /** @type {number[]} */ ([]));
  for (let i = 0; i < rows.length; i += step) {
    for (let j = 0; j < dims; j++) {
      const x = coordinates[rows[i] * dims + j];
      if (Number.isFinite(x)) found[j].push(x);
    }
  }
  if (found.some((values) => values.length === 0)) return null;
  for (const values of found) values.sort((a, b) => a - b);
  const at = (part) => found.map((values) => values[Math.floor(part * (values.length - 1))]);
  return { low: at(0.25), middle: at(0.5), high: at(0.75), min: at(0.05), max: at(0.95) };
}

/**
 * @param {ArrayLike<number>} coordinates (n, dims) row by row @param {number} dims
 * @param {ArrayLike<number>} rows @param {number[]} place @param {number} count
 * @returns {number[]} the rows nearest to a place, nearest first, ties by their order
 */
export function nearestRows(coordinates, dims, rows, place, count) {
  /** @type {{row: number, square: number}[]} */
  const found = [];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    let square = 0;
    for (let j = 0; j < dims; j++) square += (coordinates[row * dims + j] - place[j]) ** 2;
    if (Number.isNaN(square) || (found.length === count && square >= found[count - 1].square)) continue;
    let at = found.length;
    while (at > 0 && found[at - 1].square > square) at--;
    found.splice(at, 0, { row, square });
    found.length = Math.min(found.length, count);
  }
  return found.map(({ row }) => row);
}
