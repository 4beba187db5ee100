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

/** Links and files are followed a little farther than the wheel goes: they come from windows of other sizes. */
const FARTHER = 4;

/**
 * @param {Camera} camera of a link or a file, finite and not empty @param {{home: Camera, area: Area}} seen
 * @param {Box} box of the points @param {number} grain as above
 * @returns {Camera} the nearest one within reach, the very camera where it is
 */
export function withinReach(camera, { home, area }, box, grain = 0) {
  if (camera.dims === 2 && home.dims === 2) {
    const most = FARTHER * largest(home, box, area, grain);
    const [x, y] = [reached(camera.x, home.x, most), reached(camera.y, home.y, most)];
    return x === camera.x && y === camera.y ? camera : { dims: 2, x, y };
  }
  return camera.dims === 3 && home.dims === 3 ? near3(camera, home) : camera;
}

/** @returns {number[]} the two ends of what is seen along an axis */
function reached(ends, home, most) {
  const whole = home[1] - home[0];
  const span = limited(ends[1] - ends[0], whole / most, (whole * FARTHER) / LEAST);
  const middle = limited(ends[0] / 2 + ends[1] / 2, home[0] - span / 2, home[1] + span / 2);
  const isSame = span === ends[1] - ends[0] && middle === ends[0] / 2 + ends[1] / 2;
  return isSame ? ends : [middle - span / 2, middle + span / 2];
}

/** Farther from the middle of the scene, which is about 1 long, there is nothing to look at. */
const AROUND = 10;
const NEAREST = 0.02;

function near3(camera, home) {
  const keys = ['x', 'y', 'z'];
  const length = (p) => Math.hypot(p.x, p.y, p.z);
  const away = keys.map((key) => camera.eye[key] / 2 - camera.center[key] / 2);
  const distance = 2 * Math.hypot(...away);
  const most = (distanceOf(home) * FARTHER) / LEAST;
  const kept = limited(distance, NEAREST, most);
  const up = length(camera.up);
  const isNear = keys.every((key) => Math.abs(camera.center[key]) <= AROUND);
  if (kept === distance && isNear && up > 1e-6 && up < 1e6) return camera;
  const center = point(keys.map((key) => limited(camera.center[key], -AROUND, AROUND)));
  const direction = distance < Infinity ? away.map((x) => (2 * x) / distance) : [0, 0, 1];
  const eye = point(keys.map((key, j) => center[key] + direction[j] * kept));
  const upright = up > 1e-6 && up < Infinity ? point(keys.map((key) => camera.up[key] / up)) : home.up;
  return { ...camera, eye, center, up: upright };
}

/** @param {number[]} place */
const point = ([x, y, z]) => ({ x, y, z });
const distanceOf = ({ eye, center }) => Math.hypot(eye.x - center.x, eye.y - center.y, eye.z - center.z);
const limited = (x, least, most) => Math.min(most, Math.max(least, x));

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
