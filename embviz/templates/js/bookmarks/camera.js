import { boxAspect, FIELD_OF_VIEW, isView, widened } from '#js/drawing/camera.js';

/**
 * Between our views (camera.js) and TensorBoard's `cameraDef` {orthographic, position, target, zoom}, whose world is
 * the cube [-1, 1] that each axis's extent is scaled to by itself (tensorboard, vz_projector/scatterPlot.ts).
 *
 * In 2D, 1.2 cube units on each side of the target are seen along the window's shorter side, divided by the zoom. In
 * 3D the second axis is up there and the lens is wider than Plotly's, so that what is seen from a distance differs.
 */
const HALF_EXTENT = 1.2;
const LENS = Math.tan((35 * Math.PI) / 180) / Math.tan(FIELD_OF_VIEW / 2);
const DISTANCES = [0.05, 10];

/**
 * @param {any} view see camera.js
 * @param {{min: number[], max: number[]}} ranges of the shown points @param {boolean} hasAxes
 * @returns {any} cameraDef
 */
export function toCameraDef(view, dims, ranges, hasAxes) {
  if (!isView(view, dims))
    return dims === 2
      ? { orthographic: true, position: [0, 0, 4], target: [0, 0, 0], zoom: 1 }
      : { orthographic: false, position: [0.45, 0.9, 1.6], target: [0, 0, 0], zoom: 1 };
  const box = widened(ranges);
  if (dims === 2) {
    const spans = box.max.map((high, j) => high - box.min[j]);
    const [cx, cy] = [view.x, view.y].map(
      ([a, b], j) => (2 * ((a + b) / 2 - (box.min[j] + box.max[j]) / 2)) / spans[j],
    );
    const half = Math.min(...[view.x, view.y].map(([a, b], j) => (b - a) / spans[j]));
    return { orthographic: true, position: [cx, cy, 4], target: [cx, cy, 0], zoom: HALF_EXTENT / half };
  }
  const k = boxAspect(box, hasAxes).map((side) => 2 / side);
  const at = (p) => ['x', 'y', 'z'].map((key, j) => p[key] * k[j]);
  const target = at(view.center);
  const away = at(view.eye).map((x, j) => x - target[j]);
  const distance = Math.hypot(...away) / LENS;
  const allowed = Math.min(DISTANCES[1], Math.max(DISTANCES[0], distance)) / (distance * LENS);
  return { orthographic: false, position: away.map((x, j) => target[j] + x * allowed), target, zoom: 1 };
}

/** @returns {any} our view of a cameraDef; null where it shows nothing */
export function fromCameraDef(camera, dims, ranges, hasAxes) {
  if (!camera?.position || !camera.target) return null;
  const box = widened(ranges);
  const { position, target } = camera;
  const view = dims === 2 ? flat(camera, box) : deep(position, target, boxAspect(box, hasAxes));
  return view && isView(view, dims) ? view : null;
}

function flat({ target, zoom }, box) {
  if (!(zoom > 0)) return null;
  const [x, y] = [0, 1].map((j) => {
    const span = box.max[j] - box.min[j];
    const middle = (box.min[j] + box.max[j]) / 2 + (target[j] * span) / 2;
    const half = ((HALF_EXTENT / zoom) * span) / 2;
    return [middle - half, middle + half];
  });
  return { dims: 2, x, y };
}

function deep(position, target, aspect) {
  const point = (p) => ({ x: (p[0] * aspect[0]) / 2, y: (p[1] * aspect[1]) / 2, z: (p[2] * aspect[2]) / 2 });
  const away = position.map((x, j) => target[j] + (x - target[j]) * LENS);
  return {
    dims: 3,
    eye: point(away),
    center: point(target),
    up: { x: 0, y: 1, z: 0 },
    projection: { type: 'perspective' },
  };
}
