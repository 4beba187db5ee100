import { modelMatrix, panned2, projectPoint } from '#js/drawing/camera.js';
import { middleOf } from '#js/numbers/middle.js';
import { setCamera, tellCamera } from '#js/plot/view.js';

/** @import { Plotting } from '#js/plot/types.js' */

/** So far from the edge, in pixels, a point and its name are seen. */
const MARGIN = 24;

/**
 * Move the view so that the middle of some points is in its middle, unless that is in sight.
 *
 * @param {Plotting} plot @param {ArrayLike<number>} rows
 */
export function reveal(plot, rows) {
  const { scene, view, host } = plot;
  const { coordinates, dims } = scene.points;
  if (!view.camera || !view.area) return;
  host.frames.flush();
  const found = middleOf(coordinates, dims, rows);
  if (!found || !view.transform) return;
  const place = found.middle;
  const [x, y] = dims === 2 ? flat(view.transform, place[0], place[1]) : projectPoint(place, view.transform, view.area);
  const { left, top, width, height } = view.area;
  const isIn = (at, start, length) => {
    const edge = Math.min(MARGIN, length / 4);
    return at >= start + edge && at <= start + length - edge;
  };
  if (isIn(x, left, width) && isIn(y, top, height)) return;
  /** @type {any} of as many dimensions as the scene */
  const camera =
    dims === 2
      ? panned2(view.camera, view.area, left + width / 2 - x, top + height / 2 - y)
      : centered(view.camera, inScene(place, scene.box, view.aspect));
  setCamera(plot, camera, false);
  tellCamera(plot, true);
}

const flat = ({ kx, bx, ky, by }, x, y) => [kx * x + bx, ky * y + by];

function inScene(place, box, aspect) {
  const m = modelMatrix(box, aspect);
  return place.map((x, j) => m[5 * j] * x + m[12 + j]);
}

/** @returns {any} a 3D view from the same side and distance, with a place in its middle */
function centered(view, [x, y, z]) {
  const { eye, center } = view;
  return {
    ...view,
    center: { x, y, z },
    eye: { x: eye.x + x - center.x, y: eye.y + y - center.y, z: eye.z + z - center.z },
  };
}
