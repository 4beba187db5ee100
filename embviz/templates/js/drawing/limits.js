import { magnification } from '#js/drawing/camera.js';

/** @import { Area, Box, Camera, Camera2 } from '#js/drawing/types.js' */

/** How far a view goes: a picture is neither lost from sight nor looked at where there is nothing to see. */

/** Out to where the picture is a quarter as large as at home. */
const LEAST = 0.25;
/** In at least so far, however coarse the numbers. */
const SURE = 20;
/** So many steps of a 32-bit float there are up to a number, and as many to its double. */
const STEPS = 2 ** 23;

/** @returns {number} how large the picture may become, 1 at home: until a step of the coordinates is a pixel */
function largest(home, box, area, grain) {
  if (home.dims === 3) return Infinity;
  const farthest = Math.max(...box.min.map(Math.abs), ...box.max.map(Math.abs));
  const pixels = Math.max(area.width / (home.x[1] - home.x[0]), area.height / (home.y[1] - home.y[0]));
  return Math.max(SURE, 1 / (Math.max(grain, farthest / STEPS) * pixels));
}

/**
 * @param {number} factor of a zoom, above 1 comes nearer
 * @param {{camera: Camera, home: Camera, area: Area}} seen @param {Box} box of the points
 * @param {number} grain the step that their coordinates were rounded to, 0 for none
 * @returns {number} as much of it as the limits allow, 1 for nothing; from beyond them the way back is free
 */
export function limitedFactor(factor, { camera, home, area }, box, grain = 0) {
  const now = magnification(camera, home);
  if (factor < 1) return Math.max(factor, Math.min(1, LEAST / now));
  return Math.min(factor, Math.max(1, largest(home, box, area, grain) / now));
}

/**
 * @param {Camera} from @param {{camera: Camera, home: Camera}} seen what it has become
 * @returns {number} how much nearer it is to come, where it went out farther than the limits allow; else 1
 */
export function backWithin(from, { camera, home }) {
  const now = magnification(camera, home);
  return Math.max(1, Math.min(LEAST, magnification(from, home)) / now);
}

/**
 * @param {Float32Array} coordinates (n, 2) @param {Uint8Array | null} visible @param {Camera2} view
 * @returns {boolean} whether a point that is shown is in sight
 */
export function showsPoints(coordinates, visible, { x: [left, right], y: [bottom, top] }) {
  for (let i = 0, at = 0; at < coordinates.length; i++, at += 2) {
    const [x, y] = [coordinates[at], coordinates[at + 1]];
    if (x >= left && x <= right && y >= bottom && y <= top && (!visible || visible[i])) return true;
  }
  return false;
}
