/** Up to this many times as large, two pictures are seen together as they are. */
const MOST = 2;

/**
 * Places laid on others of the same points, axis by axis: turned round where a direction that has no sign points the
 * other way, and drawn at another scale, around the same middle, where one would be lost in the other.
 *
 * @param {Float32Array} onto (n, k) @param {Float32Array} places (n, k) @param {number} k
 * @param {Iterable<number>} rows the points to go by
 * @param {boolean} turns whether directions have no sign
 * @returns {{coordinates: Float32Array, factor: number}} the very places where nothing is to be done
 */
export function laidOn(onto, places, k, rows, turns) {
  const used = [...rows].filter((row) => isPlaced(onto, row, k) && isPlaced(places, row, k));
  const [a, b] = [onto, places].map((x) => middles(x, k, used));
  let [size, own] = [0, 0];
  const signs = Array.from({ length: k }, (_, c) => {
    let product = 0;
    for (const row of used) {
      const [p, q] = [onto[row * k + c] - a[c], places[row * k + c] - b[c]];
      size += p * p;
      own += q * q;
      product += p * q;
    }
    return turns && product < 0 ? -1 : 1;
  });
  const ratio = Math.sqrt(size / own);
  const factor = ratio > 0 && ratio < Infinity && Math.max(ratio, 1 / ratio) > MOST ? ratio : 1;
  if (factor === 1 && !signs.includes(-1)) return { coordinates: places, factor };
  const to = factor === 1 ? b.map((x, c) => signs[c] * x) : a;
  const coordinates = places.map((x, i) => to[i % k] + signs[i % k] * factor * (x - b[i % k]));
  return { coordinates, factor };
}

function isPlaced(places, row, k) {
  for (let c = 0; c < k; c++) if (!Number.isFinite(places[row * k + c])) return false;
  return true;
}

function middles(places, k, rows) {
  const out = new Float64Array(k);
  for (const row of rows) for (let c = 0; c < k; c++) out[c] += places[row * k + c] / rows.length;
  return out;
}
