import { frame } from '#js/drawing/camera.js';
import { middleOf } from '#js/numbers/middle.js';

/** Where points lie in the picture, in words. */

/** Where a half of the points takes more than this part of the picture's side, they are spread. */
const SPREAD = 0.4;
const ACROSS = ['left', '', 'right'];
const UP = ['lower', '', 'upper'];

/**
 * @param {{coordinates: Float32Array, dims: number, ranges: {min: number[], max: number[]}}} scene
 * @param {any} camera the one that the scene is seen with
 * @param {ArrayLike<number>} rows
 * @returns {string} such as `at the upper left`; '' where none of them has a place
 */
export function whereIs({ coordinates, dims, ranges }, camera, rows) {
  const found = middleOf(coordinates, dims, rows);
  if (!found) return '';
  const spans = ranges.max.map((high, j) => high - ranges.min[j]);
  const parts = found.middle.map((x, j) => (spans[j] > 0 ? (x - ranges.min[j]) / spans[j] : 0.5));
  const isSpread = rows.length > 1 && found.high.some((high, j) => high - found.low[j] > SPREAD * spans[j]);
  const words = dims === 2 ? inPlane(parts) : inSpace(parts, spans, camera);
  return isSpread ? `spread out, mostly ${words}` : words;
}

/** @param {number[]} parts of the picture's sides, 0 to 1, right and up */
function inPlane([x, y]) {
  const [across, up] = [ACROSS[third(x)], UP[third(y)]];
  if (!across && !up) return 'in the middle';
  return up && !across
    ? `at the ${up === 'upper' ? 'top' : 'bottom'}`
    : `at the ${[up, across].filter(Boolean).join(' ')}`;
}

/** As the scene is turned now: parts of the cube around the origin that holds it, seen from the camera's side. */
function inSpace(parts, spans, camera) {
  const longest = Math.max(...spans) || 1;
  const place = parts.map((part, j) => ((part - 0.5) * spans[j]) / longest);
  const [right, up, back] = frame(camera);
  const along = (axis) => {
    const half = axis.reduce((sum, x, j) => sum + (Math.abs(x) * spans[j]) / longest, 0) / 2;
    return half > 0 ? 0.5 + axis.reduce((sum, x, j) => sum + x * place[j], 0) / (2 * half) : 0.5;
  };
  const near = third(along(back));
  const depth = near === 1 ? '' : near === 2 ? ', in front' : ', at the back';
  return `${inPlane([along(right), along(up)])}${depth}`;
}

const third = (part) => (part < 1 / 3 ? 0 : part > 2 / 3 ? 2 : 1);
