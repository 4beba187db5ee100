import {
  boxAspect,
  equalized,
  hasEqualScale,
  homeView2,
  homeView3,
  isSameView,
  isView,
  magnification,
  plotArea,
  project2,
  project3,
  resized2,
  zoomed3,
} from '#js/drawing/camera.js';
import { backWithin, withinReach } from '#js/drawing/limits.js';
import { spread, thumbnailSize } from '#js/drawing/tiles.js';
import { footOf } from '#js/plot/caption.js';
import { ownTransform } from '#js/plot/plotly.js';
import { hasWebGL } from '#js/plot/surface.js';

/**
 * How the points are seen: the area, the camera and the way home. What changes `plot.view` is here.
 *
 * @import { Plotting, Spec } from '#js/plot/types.js'
 * @import { Camera, Camera3 } from '#js/drawing/types.js'
 */

const NO_WEBGL = 'This browser offers no WebGL: points in 3D are drawn and turned without it, which may be slower';

/** Take the host's size. @returns {boolean} whether there is room for anything */
export function takeSize({ view, host: { element } }) {
  Object.assign(view, { width: element.clientWidth, height: element.clientHeight });
  return view.width > 0 && view.height > 0;
}

/** @param {Plotting} plot */
export function settleArea({ scene: { points, box, style }, view }) {
  view.foot = footOf(style, view.width, view.height);
  view.area = plotArea(view.width, view.height, points, view.foot.height);
  view.equal = points.dims === 3 || hasEqualScale(box, view.area, Boolean(points.axes));
  view.aspect = points.dims === 3 ? boxAspect(box, Boolean(points.axes)) : null;
}

/**
 * @param {Plotting} plot @param {Camera3} [from] a camera that looks from the same side
 * @returns {Camera} that shows everything, thumbnails to their edges
 */
export function homeView(plot, from) {
  const {
    scene: { points, box },
    view: { area, equal, aspect },
  } = plot;
  const seen = (room) =>
    points.dims === 2 ? homeView2(box, area, equal, room) : homeView3(points, box, aspect, area, from, room);
  const bare = seen(0);
  const room = halfThumbnail(plot, bare);
  return room ? seen(room) : bare;
}

/** @param {Plotting} plot @param {Camera} camera @returns {number} of the size that thumbnails have there, 0 without */
function halfThumbnail(plot, camera) {
  const {
    scene: {
      points: { n },
      style: { thumbnails, sprite, visible },
    },
    view: { area },
  } = plot;
  if (!thumbnails || !sprite || !n) return 0;
  return thumbnailSize(spread(landed(plot, camera), visible, area), sprite) / 2;
}

/** @returns {boolean} whether everything is shown, as `resetView` does */
export const isHome = ({ camera, home }) => !camera || isSameView(camera, home);

/**
 * Follow the host's size: at home everything stays in sight, elsewhere the middle stays.
 *
 * @param {Plotting} plot
 */
export function measure(plot) {
  const { scene, view, host } = plot;
  const { clientWidth: width, clientHeight: height } = host.element;
  if (!width || !height || (width === view.width && height === view.height && view.area)) return;
  Object.assign(view, { width, height });
  refit(plot);
  if (scene.box) host.frames.flush(true);
}

/**
 * Follow what the points have room for.
 *
 * @param {Plotting} plot
 */
export function refit(plot) {
  const { scene, view, host } = plot;
  if (!scene.box || !view.width) return;
  const [before, wasHome] = [view.area, isHome(view)];
  settleArea(plot);
  view.home = homeView(plot);
  if (wasHome) view.camera = view.home;
  else if (view.camera.dims === 2) view.camera = resized2(view.camera, before, view.area, view.equal);
  showAxes(plot);
  host.frames.request(false);
  host.on.measured?.();
}

/** Follow what is said below the points. @param {Plotting} plot */
export function recaption(plot) {
  const { scene, view, host } = plot;
  const foot = footOf(scene.style, view.width, view.height);
  if (foot.height !== view.foot.height) return refit(plot);
  view.foot = foot;
  return host.frames.request(false);
}

/** @param {Plotting} plot what Plotly is to show */
export const axesSpec = ({ scene: { points, box }, view: { camera, aspect, area, width, height } }) => ({
  dims: points.dims,
  view: camera,
  box,
  aspect,
  area,
  width,
  height,
});

/** @param {Plotting} plot @returns {Spec} what is to be drawn */
export const layerSpec = ({
  scene: { points, style, shown, box },
  view: { transform, area, foot, width, height, camera, home, aspect },
}) => ({
  scene: points,
  style,
  transform,
  area,
  foot,
  width,
  height,
  shown,
  view: camera,
  box,
  aspect,
  magnification: magnification(camera, home),
});

/** @param {Plotting} plot */
export function showAxes(plot) {
  const { scene, view, host } = plot;
  if (!view.camera) return;
  const possible = scene.points.dims === 2 || hasWebGL();
  host.surface.div.style.visibility = possible ? 'visible' : 'hidden';
  if (possible) host.axes.show(axesSpec(plot));
  else host.tellOnce(NO_WEBGL);
}

/** @param {Plotting} plot @param {Camera} camera @param {boolean} moving */
export function setCamera(plot, camera, moving) {
  plot.view.camera = camera;
  showAxes(plot);
  plot.host.frames.request(moving);
}

/**
 * A camera of a link or a file, which may be anything.
 *
 * @param {Plotting} plot @param {any} camera
 * @returns {{camera: Camera, isWhole: boolean} | null} what is seen with it, and whether it is as asked for; null where
 *   it is no camera for what is shown, or no point is in its sight
 */
export function followed(plot, camera) {
  const { points, box } = plot.scene;
  const { area, home, equal } = plot.view;
  if (!area || !home || !isView(camera, points.dims)) return null;
  const grain = points.grain ?? 0;
  const near = withinReach(camera, { home, area }, box, grain);
  const seen = near.dims === 2 && equal ? equalized(near, area) : structuredClone(near);
  if (!isInSight(plot, seen) && isInSight(plot, home)) return null;
  return { camera: seen, isWhole: near === camera };
}

/** @returns {boolean} whether a point that is shown is in sight of a camera */
function isInSight(plot, camera) {
  const { style } = plot.scene;
  const { area } = plot.view;
  const xy = landed(plot, camera);
  const [right, bottom] = [area.left + area.width, area.top + area.height];
  for (let i = 0, at = 0; at < xy.length; i++, at += 2) {
    const [x, y] = [xy[at], xy[at + 1]];
    if (x >= area.left && x <= right && y >= area.top && y <= bottom && (!style.visible || style.visible[i]))
      return true;
  }
  return false;
}

/** @returns {Float32Array} (n, 2) where points are on the screen with a camera */
function landed(plot, camera) {
  const { coordinates, n, dims } = plot.scene.points;
  const transform = ownTransform({ ...axesSpec(plot), view: camera });
  const xy = new Float32Array(2 * n);
  if (dims === 2) project2(coordinates, n, transform, xy);
  else project3(coordinates, n, transform, plot.view.area, xy, new Float32Array(n));
  return xy;
}

/** @param {Plotting} plot */
export function resetView(plot) {
  const { view } = plot;
  if (!view.area) return;
  view.home = homeView(plot);
  setCamera(plot, view.home, false);
}

/**
 * Bring 3D points that a run has moved into sight: at each step while everything is to be seen, at its end from
 * wherever the reader looks.
 *
 * @param {Plotting} plot @param {'live' | 'done'} run
 */
export function followRun(plot, run) {
  const { view } = plot;
  const wasHome = isHome(view);
  view.home = homeView(plot);
  if (wasHome) view.camera = view.home;
  else if (run === 'done' && view.camera.dims === 3) view.camera = homeView(plot, view.camera);
}

/** @param {Plotting} plot @param {boolean} settled whether it rests */
export const tellCamera = ({ view, host }, settled) => host.on.camera?.(structuredClone(view.camera), settled);

/**
 * Plotly has drawn or moved: draw with it, unless nothing changed.
 *
 * @param {Plotting} plot
 */
export function followPlotly(plot) {
  const { scene, view, host } = plot;
  const { dims } = scene.points;
  if (!host.axes.isLive(dims)) return;
  const before = view.transform;
  const now = host.axes.transform(dims);
  if (before && Object.keys(now).every((key) => now[key] === before[key])) return;
  const from = view.camera;
  view.camera = host.axes.view(dims);
  // How far a turn of the wheel goes in 3D is Plotly's to say; what is beyond the limit is taken back.
  const back = dims === 3 ? backWithin(from, view) : 1;
  if (back > 1) setCamera(plot, zoomed3(view.camera, back), true);
  host.frames.now();
  tellCamera(plot, false);
}
