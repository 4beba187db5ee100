import {
  boxAspect,
  boxOf,
  equalized,
  hasEqualScale,
  homeView2,
  homeView3,
  isSameView,
  isView,
  magnification,
  orbited,
  panned2,
  plotArea,
  resized2,
  widened,
  zoomed2,
  zoomed3,
} from '#js/drawing/camera.js';
import { h } from '#js/dom.js';
import { nearestTo, rowsInBox, rowsInLasso } from '#js/drawing/hit.js';
import { createGestures } from '#js/plot/gestures.js';
import { createPointLayer } from '#js/plot/layer.js';
import { drawPaths, drawSphere } from '#js/plot/overlays.js';
import { drawCaptions, drawGrid } from '#js/plot/grid.js';
import { chooseLabels, createPlates, drawHovered, drawLabels } from '#js/plot/marks.js';
import { afterPaint, createFrames, createSurface, hasWebGL, imageOf, watchPixelRatio } from '#js/plot/surface.js';
import { createAxes, ownTransform } from '#js/plot/plotly.js';

const NONE = new Int32Array(0);
const PLAIN = {
  colors: null,
  oneColor: false,
  visible: null,
  selected: NONE,
  neighbors: NONE,
  distances: new Float32Array(0),
  hovered: -1,
  label: () => '',
  labelled: 'none',
  sprite: null,
  thumbnails: false,
  sphere: null,
  paths: null,
  dark: false,
  chrome: { background: '#ffffff', grid: '#e4e6e9', text: '#14171a', muted: '#5f6670', accent: '#0b63ce' },
};
const EMPTY = { coordinates: new Float32Array(0), n: 0, dims: 2, axes: null };
const NO_WEBGL = 'This browser offers no WebGL, which Plotly’s 3D scene needs; the points are turned without it';

/**
 * The plot: Plotly's axes and camera below, which take drags and wheel and are not seen; one canvas above that draws
 * the points, the grid and the numbers in step with them.
 *
 * @param {HTMLElement} host positioned, of any size; it takes keys when it has the focus
 * @param {{hover?: (row: number, clientX: number, clientY: number) => void, click?: (row: number, mode: string) =>
 *   void, select?: (rows: Int32Array, mode: string) => void, camera?: (camera: object, settled: boolean) => void,
 *   unsupported?: (message: string) => void}} on row is -1 where no point is; mode is 'replace' | 'add' | 'remove' |
 *   'intersect'
 */
export function createPlot(host, on) {
  const plot = {
    host,
    on,
    surface: createSurface(host),
    layer: createPointLayer(),
    plates: createPlates(),
    scene: EMPTY,
    style: PLAIN,
    view: null,
    home: null,
    box: null,
    aspect: null,
    area: null,
    equal: true,
    width: 0,
    height: 0,
    shown: 0,
    transform: null,
    labels: [],
    look: null,
    reported: -1,
  };
  plot.axes = createAxes(plot.surface.div, {
    moved: () => followPlotly(plot),
    failed: (message) => {
      on.unsupported?.(message);
      plot.frames.request(false);
    },
  });
  plot.frames = createFrames(
    (moving) => draw(plot, moving),
    () => {
      if (plot.view) tellCamera(plot, true);
    },
  );
  plot.gestures = createGestures(host, plot.surface.canvas, gestureTargets(plot));
  plot.gestures.setTool('pan');
  new ResizeObserver(() => measure(plot)).observe(host);
  watchPixelRatio(() => plot.frames.request(false));
  return publicMethods(plot);
}

function publicMethods(plot) {
  const { frames, layer, axes } = plot;
  return {
    setPoints: (points) => setPoints(plot, points),
    setStyle: (style) => setStyle(plot, style),
    setPlotly(Plotly) {
      axes.load(Plotly);
      showAxes(plot);
    },
    setTool: plot.gestures.setTool,
    /** @returns {boolean} false where the camera is not one for what is shown */
    setCamera(view) {
      if (!plot.area || !isView(view, plot.scene.dims)) return false;
      setView(plot, view.dims === 2 && plot.equal ? equalized(view, plot.area) : structuredClone(view), false);
      return true;
    },
    camera: () => structuredClone(plot.view),
    resetView: () => resetView(plot),
    resize: () => measure(plot),
    rowAt(clientX, clientY) {
      const { left, top } = plot.host.getBoundingClientRect();
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
    /** @returns {boolean} whether everything is shown, as `resetView` does */
    isHome: () => !plot.view || isSameView(plot.view, plot.home),
    /** What a drawing by other means than pixels is made of; see picture.js. */
    parts() {
      frames.flush();
      const { style, look } = plot;
      const spec = layerSpec(plot);
      const above = (context, scale) => drawOver(plot, context, spec, look, scale);
      return {
        spec,
        look,
        below: (context) => drawGrid(context, spec),
        above,
        order: layer.order(style),
        xy: layer.positions(),
      };
    },
    stats: frames.stats,
  };
}

function setPoints(plot, { coordinates, n, dims, axes, keepView = false, ranges = null }) {
  const turned = dims !== plot.scene.dims || !plot.view;
  const playing = !turned && keepView && n === plot.scene.n;
  plot.scene = { coordinates, n, dims, axes };
  const given = ranges && [...ranges.min, ...ranges.max].every(Number.isFinite);
  plot.box = widened(given ? ranges : boxOf(coordinates, n, dims));
  plot.shown = countShown(plot.style.visible, n);
  if (!playing) plot.labels = [];
  Object.assign(plot, { width: plot.host.clientWidth, height: plot.host.clientHeight });
  if (!plot.width || !plot.height) return;
  settleArea(plot);
  const keep = keepView && !turned;
  // A 3D home is made from the points; while they play it stays.
  if (!keep || dims === 2) plot.home = homeView(plot);
  if (!keep) plot.view = plot.home;
  // Plotly takes its time to make a scene: the points come first.
  if (turned) afterPaint(() => showAxes(plot));
  else showAxes(plot);
  plot.frames.request(playing);
}

function setStyle(plot, style) {
  const before = plot.style;
  plot.style = { ...before, ...style };
  if (plot.style.visible !== before.visible) plot.shown = countShown(plot.style.visible, plot.scene.n);
  if (changesPicture(before, plot.style, plot.labels)) plot.frames.request(false);
  else if (before.hovered !== plot.style.hovered) compose(plot);
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

function settleArea(plot) {
  const { scene, width, height, box } = plot;
  plot.area = plotArea(width, height, scene);
  plot.equal = scene.dims === 3 || hasEqualScale(box, plot.area, Boolean(scene.axes));
  plot.aspect = scene.dims === 3 ? boxAspect(box, Boolean(scene.axes)) : null;
}

const homeView = ({ scene, box, area, equal, aspect }) =>
  scene.dims === 2 ? homeView2(box, area, equal) : homeView3(scene, box, aspect, area);

/** Follow the host's size: at home everything stays in sight, elsewhere the middle stays. */
function measure(plot) {
  const { clientWidth: width, clientHeight: height } = plot.host;
  if (!width || !height || (width === plot.width && height === plot.height && plot.area)) return;
  Object.assign(plot, { width, height });
  if (!plot.box) return;
  const [before, wasHome] = [plot.area, !plot.view || isSameView(plot.view, plot.home)];
  settleArea(plot);
  plot.home = homeView(plot);
  if (wasHome) plot.view = plot.home;
  else if (plot.scene.dims === 2) plot.view = resized2(plot.view, before, plot.area, plot.equal);
  showAxes(plot);
  plot.frames.flush(true);
}

const axesSpec = ({ scene, view, box, aspect, area, width, height }) => ({
  dims: scene.dims,
  view,
  box,
  aspect,
  area,
  width,
  height,
});

const layerSpec = ({ scene, style, transform, area, width, height, view, home, shown, box, aspect }) => ({
  scene,
  style,
  transform,
  area,
  width,
  height,
  shown,
  view,
  box,
  aspect,
  magnification: magnification(view, home),
});

function showAxes(plot) {
  if (!plot.view) return;
  const possible = plot.scene.dims === 2 || hasWebGL();
  plot.surface.div.style.visibility = possible ? 'visible' : 'hidden';
  if (possible) plot.axes.show(axesSpec(plot));
  else if (!plot.toldWebGL) {
    plot.toldWebGL = true;
    plot.on.unsupported?.(NO_WEBGL);
  }
}

function draw(plot, moving) {
  if (!plot.view || !plot.width) return;
  // Where the points lie is Plotly's to say; before it runs and where it cannot, our own view says the same.
  plot.transform = plot.axes.transform(plot.scene.dims) ?? ownTransform(axesSpec(plot));
  const { layer, style } = plot;
  const spec = layerSpec(plot);
  layer.project(spec);
  const { picture, look } = layer.paint(spec, window.devicePixelRatio || 1, moving);
  plot.look = look;
  plot.surface.put(picture, {
    below: (context) => drawGrid(context, spec),
    above(context) {
      if (!moving) plot.labels = chooseLabels(context, spec, look, layer.positions(), layer.order(style));
      drawOver(plot, context, spec, look, picture.scale, !moving);
    },
  });
  compose(plot);
  if (!moving) layer.rowPicture();
}

/** Put what follows the pointer over the rest. */
function compose(plot) {
  plot.surface.compose((context, ratio) => {
    if (plot.look) drawHovered(context, layerSpec(plot), plot.look, plot.layer.positions(), plot.plates, ratio);
    plot.gestures.drawShape(context, plot.style.chrome);
  });
}

/** @returns {HTMLCanvasElement} the view with axes, points and labels on the page's ground */
function toCanvas(plot, scale) {
  const { width, height, style, layer } = plot;
  const spec = layerSpec(plot);
  const canvas = h('canvas', { width: Math.round(width * scale), height: Math.round(height * scale) });
  const context = canvas.getContext('2d');
  context.fillStyle = style.chrome.background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  drawGrid(context, spec);
  const { picture, look } = layer.paint(spec, scale, false, false);
  const sheet = h('canvas', { width: picture.width, height: picture.height });
  sheet.getContext('2d').putImageData(imageOf(picture), 0, 0);
  context.drawImage(sheet, 0, 0, width, height);
  drawOver(plot, context, spec, look, scale);
  return canvas;
}

/** What lies over the points. @param {boolean} [halo] whether labels are set off, which takes longer */
function drawOver(plot, context, spec, look, scale, halo = true) {
  const { style, layer } = plot;
  drawCaptions(context, spec);
  drawPaths(context, spec, layer.positions());
  drawSphere(context, spec);
  plot.plates.drawAll(context, style, look, layer.positions(), scale);
  drawLabels(context, plot.labels, layer.positions(), style.chrome, halo);
}

const tellCamera = (plot, settled) => plot.on.camera?.(structuredClone(plot.view), settled);

/** Plotly has drawn or moved: draw with it, unless nothing changed. */
function followPlotly(plot) {
  const { dims } = plot.scene;
  if (!plot.axes.isLive(dims)) return;
  const before = plot.transform;
  const now = plot.axes.transform(dims);
  if (before && Object.keys(now).every((key) => now[key] === before[key])) return;
  plot.view = plot.axes.view(dims);
  plot.frames.now();
  tellCamera(plot, false);
}

function setView(plot, view, moving) {
  plot.view = view;
  showAxes(plot);
  plot.frames.request(moving);
}

function resetView(plot) {
  if (!plot.area) return;
  plot.home = homeView(plot);
  setView(plot, plot.home, false);
}

function rowAt(plot, [x, y]) {
  plot.frames.flush();
  const { area } = plot;
  if (
    !area ||
    !(x >= area.left - 4 && x <= area.left + area.width + 4 && y >= area.top - 4 && y <= area.top + area.height + 4)
  )
    return -1;
  return plot.layer.rowAt(x, y);
}

/** @returns {number} the shown point nearest the middle of the plot's area, or -1 */
function rowAtMiddle(plot) {
  plot.frames.flush();
  const {
    area,
    layer,
    scene,
    style: { visible },
  } = plot;
  if (!area) return -1;
  return nearestTo(layer.positions(), scene.n, visible, [area.left + area.width / 2, area.top + area.height / 2]);
}

function gestureTargets(plot) {
  const { frames, layer, axes, on } = plot;
  const is2D = () => plot.scene.dims === 2;
  const move = (view) => {
    setView(plot, view, true);
    tellCamera(plot, false);
  };
  return {
    isOurs: () => !axes.isLive(plot.scene.dims),
    target: axes.target,
    pan(dx, dy) {
      if (plot.view)
        move(
          is2D()
            ? panned2(plot.view, plot.area, dx, dy)
            : orbited(plot.view, (-Math.PI * dx) / plot.height, (-Math.PI * dy) / plot.height),
        );
    },
    zoom(factor, at) {
      if (plot.view) move(is2D() ? zoomed2(plot.view, plot.area, factor, at) : zoomed3(plot.view, factor));
    },
    reset() {
      resetView(plot);
      if (plot.view) tellCamera(plot, true);
    },
    hover(at, { clientX, clientY }) {
      const row = at === null || frames.isMoving() ? -1 : rowAt(plot, at);
      if (row === plot.reported) return;
      plot.reported = row;
      on.hover?.(row, clientX, clientY);
    },
    click: (at, mode) => on.click?.(rowAt(plot, at), mode),
    /** What a click is with the pointer, Enter is with the keys: for the point nearest the middle. */
    pickMiddle(mode) {
      const row = rowAtMiddle(plot);
      if (row >= 0) on.click?.(row, mode);
    },
    pointAtMiddle() {
      const row = rowAtMiddle(plot);
      plot.reported = row;
      on.hover?.(row);
    },
    isEmpty: (at) => rowAt(plot, at) < 0,
    select({ kind, points }, mode) {
      if (!plot.area) return;
      frames.flush();
      const xy = layer.positions();
      const { left, top, width, height } = plot.area;
      const find =
        kind === 'box'
          ? (visible) => rowsInBox(xy, visible, points[0], points[points.length - 1])
          : (visible) => rowsInLasso(xy, visible, points);
      on.select?.(
        find(plot.style.visible).filter(
          (row) =>
            xy[2 * row] >= left &&
            xy[2 * row] <= left + width &&
            xy[2 * row + 1] >= top &&
            xy[2 * row + 1] <= top + height,
        ),
        mode,
      );
    },
    redraw: () => compose(plot),
  };
}
