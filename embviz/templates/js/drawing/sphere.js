import { boxAspect, modelMatrix, widened } from '#js/drawing/camera.js';

/** @import { Box, Camera3 } from '#js/drawing/types.js' */

/**
 * The selection sphere of a 3D view: all points within a radius of one of them, by distance in the plot, whose longest
 * side has length 1.
 */

/** @returns {{box: Box, aspect: number[], matrix: number[]}} how a scene's coordinates lie in the plot */
function placement({ ranges, axes }) {
  const box = widened(ranges);
  const aspect = boxAspect(box, Boolean(axes));
  return { box, aspect, matrix: modelMatrix(box, aspect) };
}

const inPlot = (coordinates, row, m) => [0, 1, 2].map((j) => coordinates[3 * row + j] * m[5 * j] + m[12 + j]);

/**
 * @param {{coordinates: Float32Array, ranges: {min: number[], max: number[]}, axes: any[] | null}} scene of 3 dims
 * @param {number} row in the middle @param {number} radius @param {Uint8Array | null} visible 0 where a point is hidden
 * @returns {Int32Array} rows, ascending, the one in the middle too
 */
export function rowsInSphere(scene, row, radius, visible) {
  const { coordinates } = scene;
  const { matrix: m } = placement(scene);
  const [x, y, z] = inPlot(coordinates, row, m);
  const n = coordinates.length / 3;
  const found = [];
  for (let i = 0; i < n; i++) {
    if (visible && !visible[i]) continue;
    const u = coordinates[3 * i] * m[0] + m[12] - x;
    const v = coordinates[3 * i + 1] * m[5] + m[13] - y;
    const w = coordinates[3 * i + 2] * m[10] + m[14] - z;
    if (u * u + v * v + w * w <= radius * radius) found.push(i);
  }
  return Int32Array.from(found);
}

const CORNERS = 72;

/**
 * The outline of the sphere as the camera sees it: the circle where its lines of sight touch.
 *
 * @param {Camera3} view
 * @param {{box, aspect}} place the plot's box of coordinates and its sides
 * @param {number[]} middle in coordinates
 * @returns {number[][]} positions in coordinates, a closed ring; none where the camera is within the sphere
 */
export function sphereOutline(view, { box, aspect }, middle, radius) {
  const m = modelMatrix(box, aspect);
  const center = middle.map((x, j) => x * m[5 * j] + m[12 + j]);
  const eye = [view.eye.x, view.eye.y, view.eye.z];
  const isParallel = view.projection?.type === 'orthographic';
  const toward = isParallel
    ? [eye[0] - view.center.x, eye[1] - view.center.y, eye[2] - view.center.z]
    : eye.map((x, j) => x - center[j]);
  const distance = Math.hypot(...toward);
  if (!isParallel && distance <= radius) return [];
  const back = toward.map((x) => x / distance);
  const shift = isParallel ? 0 : (radius * radius) / distance;
  const size = isParallel ? radius : radius * Math.sqrt(1 - (radius / distance) ** 2);
  const [u, v] = across(back);
  return Array.from({ length: CORNERS + 1 }, (_, i) => {
    const angle = (2 * Math.PI * i) / CORNERS;
    return [0, 1, 2].map(
      (j) =>
        (center[j] + shift * back[j] + size * (Math.cos(angle) * u[j] + Math.sin(angle) * v[j]) - m[12 + j]) / m[5 * j],
    );
  });
}

/** @returns {number[][]} two directions at right angles to one and to each other */
function across(a) {
  const least = a.map(Math.abs).indexOf(Math.min(...a.map(Math.abs)));
  const b = [0, 1, 2].map((j) => (j === least ? 1 : 0) - a[j] * a[least]);
  const length = Math.hypot(...b);
  const u = b.map((x) => x / length);
  return [u, [a[1] * u[2] - a[2] * u[1], a[2] * u[0] - a[0] * u[2], a[0] * u[1] - a[1] * u[0]]];
}
