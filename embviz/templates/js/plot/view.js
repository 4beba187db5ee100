import {
  boxAspect,
  hasEqualScale,
  homeView2,
  homeView3,
  isSameView,
  magnification,
  plotArea,
  resized2,
  zoomed3,
} from '#js/drawing/camera.js';
import { backWithin } from '#js/drawing/limits.js';
import { footOf } from '#js/plot/caption.js';
import { hasWebGL } from '#js/plot/surface.js';

/**
 * How the points are seen: the area, the camera and the way home. What changes `plot.view` is here.
 *
 * @import { Plotting, Spec } from '#js/plot/types.js'
 * @import { Camera } from '#js/drawing/types.js'
 */

const NO_WEBGL = 'This browser offers no WebGL, which Plotly’s 3D scene needs; the points are turned without it';

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

/** @param {Plotting} plot @returns {Camera} that shows everything */
export function homeView({ scene: { points, box }, view: { area, equal, aspect } }) {
  return points.dims === 2 ? homeView2(box, area, equal) : homeView3(points, box, aspect, area);
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
  const { scene, view } = plot;
  const wasHome = isHome(view);
  view.home = homeView(plot);
  if (wasHome) view.camera = view.home;
  else if (run === 'done' && view.camera.dims === 3)
    view.camera = homeView3(scene.points, scene.box, view.aspect, view.area, view.camera);
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
