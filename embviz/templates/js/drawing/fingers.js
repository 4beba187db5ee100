import { FIELD_OF_VIEW, frame } from '#js/drawing/camera.js';

/** @import { Camera3 } from '#js/drawing/types.js' */

/**
 * What two fingers do: how far their middle went, and how much farther apart they are.
 *
 * @param {number[][]} before where they were @param {number[][]} now
 * @returns {{dx: number, dy: number, factor: number, at: [number, number]}} `at` is their middle now
 */
export function pinched(before, now) {
  /** @type {(places: number[][]) => [number, number]} */
  const middle = (places) => [(places[0][0] + places[1][0]) / 2, (places[0][1] + places[1][1]) / 2];
  /** @type {(places: number[][]) => number} */
  const apart = (places) => Math.max(1, Math.hypot(places[0][0] - places[1][0], places[0][1] - places[1][1]));
  const [from, at] = [middle(before), middle(now)];
  return { dx: at[0] - from[0], dy: at[1] - from[1], factor: apart(now) / apart(before), at };
}

/**
 * @param {Camera3} view @param {number} dx @param {number} dy how far what lies around the middle moves, in pixels
 * @param {number} height of the area
 * @returns {Camera3} as near as before, beside where it was
 */
export function panned3(view, dx, dy, height) {
  const [right, up] = frame(view);
  const distance = Math.hypot(view.eye.x - view.center.x, view.eye.y - view.center.y, view.eye.z - view.center.z);
  const isFlat = view.projection?.type === 'orthographic';
  const unit = (isFlat ? 2 : 2 * distance * Math.tan(FIELD_OF_VIEW / 2)) / height;
  const by = right.map((x, j) => unit * (dy * up[j] - dx * x));
  const moved = ({ x, y, z }) => ({ x: x + by[0], y: y + by[1], z: z + by[2] });
  return { ...view, eye: moved(view.eye), center: moved(view.center) };
}
