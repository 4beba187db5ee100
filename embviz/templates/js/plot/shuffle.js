import { orderByPlace, withoutTies } from '#js/drawing/order.js';

/**
 * @import { Spec } from '#js/plot/types.js'
 *
 * @typedef {object} Shuffled points in the order of drawing, copied so that they are read one after the other
 * @property {Int32Array} order the row of each
 * @property {Float32Array} coordinates (n, dims)
 * @property {<T extends Float32Array | Uint32Array | Uint8Array>(values: T) => T} take what rows have, in this order
 * @property {(rows: Int32Array) => Int32Array} arrange some rows, in this order
 */

/**
 * The last order is kept: it changes with where the points lie and, where some lie at one place, with their colors.
 */
export function createShuffle() {
  let kept = null;
  /**
   * @param {Spec} spec @param {Uint32Array | number} colors of each row
   * @param {boolean} moving while points move their order stays, so that they do not flicker
   * @returns {Shuffled}
   */
  return ({ scene: { coordinates, n, dims } }, colors, moving) => {
    const isAlike = kept?.n === n && kept.dims === dims;
    const isThere = isAlike && kept.coordinates === coordinates;
    if (isThere && (moving || (kept.isNew && (kept.colors === colors || !kept.placed.ties.length))))
      return kept.shuffled;
    const isNew = !moving || !isAlike;
    const placed = !isNew || (isThere && kept.isNew) ? kept.placed : orderByPlace(coordinates, n, dims);
    const order = isNew ? settled(placed, colors) : kept.shuffled.order;
    kept = { coordinates, n, dims, colors, placed, isNew, shuffled: shuffled(order, coordinates, dims) };
    return kept.shuffled;
  };
}

const settled = (placed, colors) =>
  typeof colors === 'number' || !placed.ties.length ? placed.order : withoutTies(placed, colors);

/** @returns {Shuffled} */
function shuffled(order, coordinates, dims) {
  const kept = new WeakMap();
  const remember = (key, make) => {
    if (!kept.has(key)) kept.set(key, make(key));
    return kept.get(key);
  };
  return {
    order,
    coordinates: taken(order, coordinates, dims),
    take: (values) => remember(values, (all) => taken(order, all, 1)),
    arrange: (rows) => (rows.length < 2 ? rows : remember(rows, (some) => arranged(order, some))),
  };
}

function taken(order, values, width) {
  const out = new values.constructor(order.length * width);
  for (let k = 0; k < order.length; k++)
    for (let j = 0; j < width; j++) out[width * k + j] = values[width * order[k] + j];
  return out;
}

function arranged(order, rows) {
  const isIn = new Uint8Array(order.length);
  for (const row of rows) isIn[row] = 1;
  return order.filter((row) => isIn[row]);
}
