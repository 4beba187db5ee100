/**
 * The order in which points are drawn: by a hash of where they lie, so that neither their rows nor the legend decide
 * who is seen where many overlap, and each class is seen by its share. The same in embviz/preview/order.py.
 *
 * @typedef {object} Placed
 * @property {Int32Array} order all rows by their places' hashes, those at one place by row
 * @property {Int32Array} ties where in `order` rows are that share their place with others
 * @property {Uint32Array} bits of the coordinates, (n, dims)
 * @property {number} dims
 */

const SEED = 0x9e3779b9;
const AGAIN = 0x7f4a7c15;
const DIGIT = 11;
const DIGITS = 1 << DIGIT;

/** The last step of MurmurHash3 (Appleby, public domain), by which each bit of a number changes all. */
function mixed(x) {
  const a = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  const b = Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return b ^ (b >>> 16);
}

/** @returns {number} of one row's coordinates, 32 bits */
function placeHash(bits, row, dims, seed) {
  let hash = seed;
  for (let at = row * dims; at < (row + 1) * dims; at++) hash = (mixed(hash ^ bits[at]) + SEED) | 0;
  return hash;
}

/** @param {Float32Array} coordinates (n, dims) @returns {Placed} */
export function orderByPlace(coordinates, n, dims) {
  const bits = new Uint32Array(coordinates.buffer, coordinates.byteOffset, n * dims);
  const hashes = new Uint32Array(n);
  const all = new Int32Array(n);
  for (let row = 0; row < n; row++) {
    hashes[row] = placeHash(bits, row, dims, SEED);
    all[row] = row;
  }
  const { keys, rows } = sorted(hashes, all);
  const ties = [];
  for (let k = 0; k < n; k++) if (keys[k] === keys[k - 1] || keys[k] === keys[k + 1]) ties.push(k);
  return { order: rows, ties: Int32Array.from(ties), bits, dims };
}

/**
 * @param {Placed} placed @param {Uint32Array} colors of each row
 * @returns {Int32Array} the same order, but rows at one place come in one that their rows do not matter to: each,
 *   whatever its color, has the same chance to be last
 */
export function withoutTies({ order, ties, bits, dims }, colors) {
  const m = ties.length;
  const hashes = new Uint32Array(m);
  const keys = new Uint32Array(m);
  for (let i = 0; i < m; i++) {
    const row = order[ties[i]];
    hashes[i] = placeHash(bits, row, dims, SEED);
    keys[i] = mixed(placeHash(bits, row, dims, AGAIN) ^ colors[row]);
  }
  let at = sortedTwice(hashes, keys);
  // What is alike in place and color is now together, and is told apart by its number among its like.
  const numbered = new Uint32Array(m);
  for (let k = 0, start = 0; k < m; k++) {
    if (keys[at[k]] !== keys[at[start]]) start = k;
    numbered[at[k]] = mixed(keys[at[k]] + Math.imul(k - start, SEED));
  }
  at = sortedTwice(hashes, numbered);
  const out = order.slice();
  for (let k = 0; k < m; k++) out[ties[k]] = order[ties[at[k]]];
  return out;
}

/** @returns {Int32Array} where things are, by one number of each and then by another */
function sortedTwice(hashes, keys) {
  const inner = sorted(keys, Int32Array.from(keys.keys())).rows;
  const outer = new Uint32Array(inner.length);
  for (let k = 0; k < inner.length; k++) outer[k] = hashes[inner[k]];
  return sorted(outer, inner).rows;
}

/**
 * Sort by digits of 11 bits, the last first.
 *
 * @param {Uint32Array} keys of each of the rows @param {Int32Array} rows
 * @returns {{keys: Uint32Array, rows: Int32Array}} both sorted, what has equal keys as it came
 */
function sorted(keys, rows) {
  const n = rows.length;
  /** @type {{keys: Uint32Array, rows: Int32Array}} */
  let from = { keys, rows };
  /** @type {{keys: Uint32Array, rows: Int32Array}} */
  let spare = { keys: new Uint32Array(n), rows: new Int32Array(n) };
  for (let shift = 0; shift < 32; shift += DIGIT) {
    const to = spare;
    const start = new Int32Array(DIGITS + 1);
    for (let k = 0; k < n; k++) start[((from.keys[k] >>> shift) & (DIGITS - 1)) + 1]++;
    for (let d = 0; d < DIGITS; d++) start[d + 1] += start[d];
    for (let k = 0; k < n; k++) {
      const at = start[(from.keys[k] >>> shift) & (DIGITS - 1)]++;
      to.keys[at] = from.keys[k];
      to.rows[at] = from.rows[k];
    }
    spare = shift === 0 ? { keys: new Uint32Array(n), rows: new Int32Array(n) } : from;
    from = to;
  }
  return from;
}
