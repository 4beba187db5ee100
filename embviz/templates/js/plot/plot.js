import { boxOf, isView, widened } from '#js/drawing/camera.js';
import { h } from '#js/dom.js';
import { drawCaption } from '#js/plot/caption.js';
import { createGestures } from '#js/plot/gestures.js';
import { createPointLayer } from '#js/plot/layer.js';
import { drawContours, drawPaths, drawSphere, drawTrails } from '#js/plot/overlays.js';
import { drawCell, drawGround, drawScale, scaleBoxes } from '#js/plot/cells.js';
import { captionBoxes, drawCaptions, drawGrid } from '#js/plot/grid.js';
import { createNames } from '#js/plot/names.js';
import { chooseLabels, boxesOfLabels, createPlates, drawHovered, drawLabels, drawName } from '#js/plot/marks.js';
import { afterPaint, createFrames, createSurface, imageOf, watchPixelRatio } from '#js/plot/surface.js';
import { createAxes, ownTransform } from '#js/plot/plotly.js';
import { reveal } from '#js/plot/reveal.js';
import { createTargets, rowAt } from '#js/plot/targets.js';
import {
  axesSpec,
  followed,
  followPlotly,
  followRun,
  homeView,
  isHome,
  layerSpec,
  measure,
  recaption,
  refit,
  resetView,
  setCamera,
  settleArea,
  showAxes,
  takeSize,
  tellCamera,
} from '#js/plot/view.js';

/**
 * @import { DrawnName } from '#js/plot/names.js'
 * @import { Box } from '#js/drawing/types.js'
 * @import { Look, Parts, PlotHost, Plotting, PlotListeners, Scene, Spec, Style } from '#js/plot/types.js'
 * @typedef {ReturnType<typeof createPlot>} Plot
 */

const NONE = new Int32Array(0);
/** @type {Style} */
const PLAIN = {
  colors: null,
  oneColor: false,
  visible: null,
  selected: NONE,
  fades: true,
  neighbors: NONE,
  distances: new Float32Array(0),
  hovered: -1,
  label: () => '',
  labelled: 'none',
  name: '',
  caption: '',
  captions: '',
  sprite: null,
  thumbnails: false,
  sphere: null,
  paths: null,
  trails: null,
  contours: null,
  density: null,
  groups: null,
  dark: false,
  chrome: { background: '#ffffff', grid: '#e4e6e9', text: '#14171a', muted: '#5f6670', accent: '#0b63ce' },
};
/** @type {Scene} */
const EMPTY = { coordinates: new Float32Array(0), n: 0, dims: 2, axes: null };
/**
 * The plot: Plotly's axes and camera below, which take drags and wheel and are not seen; one canvas above that draws
 * the points, the grid and the numbers in step with them. It is three records: `scene`, what the page gives it to show,
 * changed here; `view`, how that is seen, changed by plot/view.js and a drawing; `host`, what draws, made once.
 *
 * @param {HTMLElement} element positioned, of any size; it takes keys when it has the focus
 * @param {PlotListeners} on
 */
export function createPlot(element, on) {
  const surface = createSurface(element);
  const axes = createAxes(surface.div, {
    moved: () => followPlotly(plot),
    failed: (message) => {
      on.unsupported?.(message);
      frames.request(false);
    },
  });
  const frames = createFrames(
    (moving) => draw(plot, moving),
    () => {
      if (plot.view.camera) tellCamera(plot, true);
    },
  );
  /** @type {Plotting} */
  const plot = {
    scene: { points: EMPTY, style: PLAIN, box: null, shown: 0, labels: [], cell: null },
    view: {
      width: 0,
      height: 0,
      area: null,
      foot: { height: 0, lines: [] },
      equal: true,
      aspect: null,
      camera: null,
      home: null,
      transform: null,
      look: null,
    },
    host: {
      element,
      on,
      surface,
      axes,
      frames,
      layer: createPointLayer(),
      plates: createPlates(),
      names: createNames(),
      gestures: null,
      tellOnce: once((message) => on.unsupported?.(message)),
    },
  };
  const gestures = createGestures(
    element,
    surface.canvas,
    createTargets(plot, () => compose(plot)),
  );
  plot.host.gestures = gestures;
  gestures.setTool('pan');
  new ResizeObserver(() => measure(plot)).observe(element);
  watchPixelRatio(() => frames.request(false));
  return publicMethods(plot);
}

function once(act) {
  let isDone = false;
  return (...values) => {
    if (!isDone) act(...values);
    isDone = true;
  };
}

/** @param {Plotting} plot */
function publicMethods(plot) {
  const { scene, view, host } = plot;
  const { frames, layer, axes } = host;
  return {
    setPoints: (points) => setPoints(plot, points),
    /** @param {Partial<Style>} style */
    setStyle: (style) => setStyle(plot, style),
    setPlotly(Plotly) {
      axes.load(Plotly);
      showAxes(plot);
    },
    setTool: host.gestures.setTool,
    /**
     * @returns {boolean} false where the camera is not one for what is shown, or shows none of it; what is out of reach
     *   is brought within it
     */
    setCamera(camera) {
      const found = followed(plot, camera);
      if (found) setCamera(plot, found.camera, false);
      return found !== null;
    },
    /** @returns {boolean} whether setCamera shows just what a camera does */
    reaches: (camera) => followed(plot, camera)?.isWhole === true,
    /** @returns {DOMRect} on the page */
    place: () => host.element.getBoundingClientRect(),
    camera: () => structuredClone(view.camera),
    /** See what another plot of the same size and dimensions sees; Plotly comes after once that one rests. */
    follow(camera, settled) {
      if (!view.area || !isView(camera, scene.points.dims)) return;
      view.camera = structuredClone(camera);
      if (settled) showAxes(plot);
      else axes.hold(axesSpec(plot));
      frames.request(!settled);
    },
    /** Whether Plotly is still to be told where the camera is. */
    isBehind: axes.isBehind,
    resetView: () => resetView(plot),
    /** Bring points into sight where their middle is not. @param {Int32Array} rows */
    reveal: (rows) => reveal(plot, rows),
    resize: () => measure(plot),
    rowAt(clientX, clientY) {
      const { left, top } = host.element.getBoundingClientRect();
      return rowAt(plot, [clientX - left, clientY - top]);
    },
    screenPositions() {
      frames.flush();
      return layer.positions().slice();
    },
    toCanvas(scale) {
      frames.flush();
      return toCanvas(plot, scale);
    },
    /** @returns {DrawnName[]} the names in the picture */
    names() {
      frames.flush();
      return host.names.shown();
    },
    isHome: () => isHome(view),
    /** @returns {Parts} */
    parts() {
      frames.flush();
      const spec = layerSpec(plot);
      const { look } = view;
      return {
        spec,
        look,
        below(context, scale) {
          drawGround(context, spec, scale);
          drawGrid(context, spec);
        },
        above(context, scale) {
          drawOver(plot, context, spec, look, scale);
          host.names.draw(context, scene.style.chrome);
          drawName(context, scene.style);
        },
        order: layer.drawn(scene.style),
        arrange: layer.arrange,
        xy: layer.positions(),
      };
    },
    stats: frames.stats,
  };
}

/**
 * @param {Plotting} plot
 * @param {Scene & {keepView?: boolean, ranges?: Box | null, run?: 'live' | 'done' | null}} given `run` where a run has
 *   gone on, or come to its end, since the points that are shown
 */
function setPoints(plot, { keepView = false, ranges = null, run = null, ...points }) {
  const { scene, view, host } = plot;
  const { coordinates, n, dims } = points;
  const turned = dims !== scene.points.dims || !view.camera;
  const playing = !turned && keepView && n === scene.points.n;
  scene.points = points;
  const given = ranges && [...ranges.min, ...ranges.max].every(Number.isFinite);
  scene.box = widened(given ? ranges : boxOf(coordinates, n, dims));
  scene.shown = countShown(scene.style.visible, n);
  if (!playing) scene.labels = [];
  if (!takeSize(plot)) return;
  settleArea(plot);
  const keep = keepView && !turned;
  // A 3D home is made from the points; while they play it stays.
  if (!keep || dims === 2) view.home = homeView(plot);
  if (!keep) view.camera = view.home;
  else if (dims === 3 && run) followRun(plot, run);
  // Plotly takes its time to make a scene: the points come first.
  if (turned) afterPaint(() => showAxes(plot));
  else showAxes(plot);
  host.frames.request(playing);
}

/** @param {Plotting} plot @param {Partial<Style>} style */
function setStyle(plot, style) {
  const { scene, host } = plot;
  const before = scene.style;
  scene.style = { ...before, ...style };
  if (scene.style.visible !== before.visible) scene.shown = countShown(scene.style.visible, scene.points.n);
  if (scene.style.captions !== before.captions || scene.style.caption !== before.caption) recaption(plot);
  if (scene.style.thumbnails !== before.thumbnails || scene.style.sprite !== before.sprite) refit(plot);
  if (changesPicture(before, scene.style, scene.labels)) host.frames.request(false);
  else if (before.hovered !== scene.style.hovered) compose(plot);
}

/** Whether more changes than what follows the pointer; labels may change while their function stays the same. */
function changesPicture(before, now, labels) {
  return (
    Object.keys(now).some((key) => key !== 'hovered' && key !== 'chrome' && before[key] !== now[key]) ||
    !isSame(before.chrome, now.chrome) ||
    labels.some(({ row, source }) => now.label(row) !== source)
  );
}

const isSame = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function countShown(visible, n) {
  if (!visible) return n;
  let count = 0;
  for (let i = 0; i < n; i++) count += visible[i] ? 1 : 0;
  return count;
}

/** @param {Plotting} plot @param {boolean} moving */
function draw(plot, moving) {
  const { scene, view, host } = plot;
  if (!view.camera || !view.width) return;
  // Where the points lie is Plotly's to say; before it runs and where it cannot, our own view says the same.
  view.transform = host.axes.transform(scene.points.dims) ?? ownTransform(axesSpec(plot));
  const { layer } = host;
  if (moving) scene.cell = null;
  const spec = layerSpec(plot);
  const { picture, look } = layer.paint(spec, window.devicePixelRatio || 1, moving);
  view.look = look;
  host.surface.put(picture, {
    below: (context) => drawGrid(context, spec),
    above(context) {
      write(plot, context, spec, look, moving);
      drawOver(plot, context, spec, look, picture.scale, !moving);
    },
  });
  compose(plot);
  if (!moving) layer.rowPicture();
}

/** Choose what is written over the points: labels when the view rests, names of groups always. */
function write({ scene, host: { layer, names } }, context, spec, look, moving) {
  const xy = layer.positions();
  const name = (boxes) => {
    const scale = scaleBoxes(context, spec);
    names.choose(context, spec, [...boxes, ...captionBoxes(context, spec), ...scale], moving);
    return [...names.boxes(), ...scale];
  };
  if (moving) name(boxesOfLabels(scene.labels, xy));
  else scene.labels = chooseLabels(context, spec, look, { xy, order: layer.order(scene.style) }, name);
}

/** Put what follows the pointer over the rest, and names, which come by and by. @param {Plotting} plot */
function compose(plot) {
  const { scene, view, host } = plot;
  host.surface.compose((context, ratio) => {
    host.names.show(context, scene.style.chrome, () => compose(plot));
    if (view.look) drawHovered(context, layerSpec(plot), view.look, host.layer.positions(), host.plates, ratio);
    if (view.area) drawCell(context, scene.cell, layerSpec(plot));
    host.gestures.drawShape(context, scene.style.chrome);
  });
}

/**
 * @param {Plotting} plot @param {number} scale picture pixels a CSS pixel
 * @returns {HTMLCanvasElement} the view with axes, points and labels on the page's ground
 */
function toCanvas(plot, scale) {
  const { scene, view, host } = plot;
  const { width, height } = view;
  const spec = layerSpec(plot);
  const canvas = h('canvas', { width: Math.round(width * scale), height: Math.round(height * scale) });
  const context = canvas.getContext('2d');
  context.fillStyle = scene.style.chrome.background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  drawGrid(context, spec);
  const { picture, look } = host.layer.paint(spec, scale, false, false);
  const sheet = h('canvas', { width: picture.width, height: picture.height });
  sheet.getContext('2d').putImageData(imageOf(picture), 0, 0);
  context.drawImage(sheet, 0, 0, width, height);
  drawOver(plot, context, spec, look, scale);
  host.names.draw(context, scene.style.chrome);
  drawName(context, scene.style);
  return canvas;
}

/**
 * What lies over the points.
 *
 * @param {Plotting} plot @param {any} context of a canvas, or what stands for one @param {Spec} spec @param {Look} look
 * @param {number} scale @param {boolean} [halo] whether labels are set off, which takes longer
 */
function drawOver({ scene, host }, context, spec, look, scale, halo = true) {
  const { style, labels } = scene;
  const xy = host.layer.positions();
  drawCaptions(context, spec);
  drawScale(context, spec);
  drawContours(context, spec);
  drawPaths(context, spec, xy);
  drawTrails(context, spec);
  drawSphere(context, spec);
  host.plates.drawAll(context, style, look, xy, scale);
  drawLabels(context, labels, xy, style.chrome, halo);
  drawCaption(context, spec);
}
