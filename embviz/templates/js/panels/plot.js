import {
  boxAspect, boxOf, equalized, hasEqualScale, homeView2, homeView3, isView, magnification, orbited, panned2, plotArea, resized2, widened, zoomed2, zoomed3,
} from '#js/camera.js';
import { h } from '#js/dom.js';
import { rowsInBox, rowsInLasso } from '#js/hit.js';
import { createGestures } from '#js/panels/plot_gestures.js';
import { createPointLayer } from '#js/panels/plot_layer.js';
import { chooseLabels, createPlates, drawCaptions, drawGrid, drawHovered, drawLabels } from '#js/panels/plot_marks.js';
import { createAxes, ownTransform } from '#js/panels/plotly_axes.js';

const REST_MS = 120;
const NONE = new Int32Array(0);
const PLAIN = {
  colors: null, visible: null, selected: NONE, neighbors: NONE, hovered: -1, label: () => '', labelled: 'none', sprite: null, thumbnails: false,
  dark: false, chrome: { background: '#ffffff', grid: '#e4e6e9', text: '#14171a', muted: '#5f6670', accent: '#0b63ce' },
};
const EMPTY = { coordinates: new Float32Array(0), n: 0, dims: 2, axes: null };
const FILL = { position: 'absolute', inset: '0', width: '100%', height: '100%' };

/**
 * The plot: Plotly's axes, camera and tools below, one canvas above that draws every point in step with them.
 *
 * @param {HTMLElement} host positioned, of any size; it takes keys when it has the focus
 * @param {{hover?: (row: number, clientX: number, clientY: number) => void, click?: (row: number, mode: string) => void,
 *   select?: (rows: Int32Array, mode: string) => void, camera?: (camera: object, settled: boolean) => void,
 *   unsupported?: (message: string) => void}} on row is -1 where no point is; mode is
 *   'replace' | 'add' | 'remove' | 'intersect'
 */
export function createPlot(host, on) {
  const surface = createSurface(host);
  const layer = createPointLayer();
  const plates = createPlates();
  const state = { scene: EMPTY, style: PLAIN, view: null, home: null, box: null, aspect: null, area: null, equal: true, width: 0, height: 0, shown: 0, transform: null, labels: [], look: null, reported: -1 };
  const axes = createAxes(surface.div, { moved: followPlotly, failed: (message) => { on.unsupported?.(message); request(false); } });
  const frames = createFrames(draw, () => { if (state.view) on.camera?.(camera(), true); });
  const { request } = frames;
  const hasWebGL = remember(canDrawWebGL);
  const isOurs = () => !axes.isLive(state.scene.dims);
  const camera = () => structuredClone(state.view);

  const spec = () => ({
    dims: state.scene.dims, view: state.view, box: state.box, aspect: state.aspect, area: state.area, width: state.width, height: state.height,
    shows: Boolean(state.scene.axes), chrome: state.style.chrome,
  });

  /** Where the points lie now, by Plotly where it draws, else by our own view. */
  const currentTransform = () => axes.transform(state.scene.dims) ?? ownTransform(spec());

  function draw(moving) {
    if (!state.view || !state.width) return;
    state.transform = currentTransform();
    const drawn = layerSpec(state);
    layer.project(drawn);
    const { picture, look } = layer.paint(drawn, window.devicePixelRatio || 1, moving);
    state.look = look;
    surface.put(picture, (context) => decorate(context, drawn, look, moving, picture.scale));
    compose();
    if (!moving) layer.rowPicture();
  }

  function decorate(context, drawn, look, moving, ratio) {
    drawCaptions(context, drawn);
    plates.drawAll(context, state.style, look, layer.positions(), ratio);
    if (!moving) state.labels = chooseLabels(context, drawn, look, layer.positions(), layer.order());
    drawLabels(context, state.labels, layer.positions(), state.style.chrome, !moving);
  }

  /** Put what changes with the pointer over the rest. */
  function compose() {
    surface.compose((context, ratio) => {
      if (state.look) drawHovered(context, layerSpec(state), state.look, layer.positions(), plates, ratio);
      gestures.drawShape(context, state.style.chrome);
    });
  }

  function followPlotly() {
    const { dims } = state.scene;
    if (!axes.isLive(dims)) return;
    const before = state.transform;
    const now = axes.transform(dims);
    if (before && Object.keys(now).every((key) => now[key] === before[key])) return;
    state.view = axes.view(dims);
    frames.now();
    on.camera?.(camera(), false);
  }

  function showAxes() {
    const flat = state.scene.dims === 2;
    surface.div.style.visibility = flat || hasWebGL() ? 'visible' : 'hidden';
    if (flat || hasWebGL()) axes.show(spec());
    else on.unsupported?.('3D axes need WebGL, which this browser does not offer; the points can still be turned');
  }

  function setView(view, { settled = true } = {}) {
    state.view = view;
    if (axes.isLoaded()) showAxes();
    request(!settled);
  }

  function fit(keepView) {
    const { scene, width, height } = state;
    const before = state.area;
    const kept = keepView && state.view?.dims === scene.dims && !isSame(state.view, state.home) ? state.view : null;
    state.area = plotArea(width, height, scene);
    state.equal = scene.dims === 3 || hasEqualScale(state.box, state.area, Boolean(scene.axes));
    state.aspect = scene.dims === 3 ? boxAspect(state.box, Boolean(scene.axes)) : null;
    if (!keepView || !state.home || state.home.dims !== scene.dims || scene.dims === 2 || !before) state.home = home();
    state.view = kept ? (scene.dims === 2 ? resized2(kept, before, state.area, state.equal) : kept) : state.home;
  }

  const home = () => (state.scene.dims === 2
    ? homeView2(state.box, state.area, state.equal)
    : homeView3(state.scene.coordinates, state.scene.n, state.box, state.aspect, state.area));

  function measure() {
    const [width, height] = [host.clientWidth, host.clientHeight];
    if (!width || !height || (width === state.width && height === state.height)) return;
    Object.assign(state, { width, height });
    if (!state.box) return;
    fit(true);
    showAxes();
    frames.flush(true);
  }

  function pan(dx, dy, sideways = false) {
    if (state.scene.dims === 2) setView(panned2(state.view, state.area, dx, dy), { settled: false });
    else if (!sideways) setView(orbited(state.view, (-Math.PI * dx) / state.height, (-Math.PI * dy) / state.height), { settled: false });
    on.camera?.(camera(), false);
  }

  function zoom(factor, at) {
    setView(state.scene.dims === 2 ? zoomed2(state.view, state.area, factor, at) : zoomed3(state.view, factor), { settled: false });
    on.camera?.(camera(), false);
  }

  function resetView() {
    if (!state.box) return;
    state.home = home();
    setView(state.home);
  }

  const rowAtHost = ([x, y]) => {
    frames.flush();
    const { area } = state;
    const inside = area && x >= area.left - 4 && x <= area.left + area.width + 4 && y >= area.top - 4 && y <= area.top + area.height + 4;
    return inside ? layer.rowAt(x, y) : -1;
  };

  function hover(at, { clientX, clientY }) {
    const row = at === -1 || frames.isMoving() ? -1 : rowAtHost(at);
    if (row === state.reported) return;
    state.reported = row;
    on.hover?.(row, clientX, clientY);
  }

  function select({ kind, points }, mode) {
    frames.flush();
    const xy = layer.positions();
    const { left, top, width, height } = state.area;
    const rows = kind === 'box' ? rowsInBox(xy, state.style.visible, points[0], points[points.length - 1]) : rowsInLasso(xy, state.style.visible, points);
    on.select?.(rows.filter((row) => xy[2 * row] >= left && xy[2 * row] <= left + width && xy[2 * row + 1] >= top && xy[2 * row + 1] <= top + height), mode);
  }

  const gestures = createGestures(host, surface.canvas, {
    isOurs, target: axes.target, pan, zoom, reset: () => { resetView(); on.camera?.(camera(), true); }, hover, select, redraw: compose,
    click: (at, mode) => on.click?.(rowAtHost(at), mode),
    isEmpty: (at) => rowAtHost(at) < 0,
  });
  gestures.setTool('pan');
  new ResizeObserver(measure).observe(host);
  watchPixelRatio(() => request(false));

  return {
    setPoints({ coordinates, n, dims, axes: titles, keepView = false, ranges = null }) {
      const turned = dims !== state.scene.dims || !state.box;
      const playing = !turned && keepView && n === state.scene.n;
      state.scene = { coordinates, n, dims, axes: titles };
      state.box = widened(ranges ? { min: [...ranges.min], max: [...ranges.max] }.min.every(Number.isFinite) ? ranges : boxOf(coordinates, n, dims) : boxOf(coordinates, n, dims));
      Object.assign(state, { width: host.clientWidth, height: host.clientHeight, shown: countShown(state.style.visible, n), labels: [] });
      if (state.width) fit(keepView && !turned);
      // Plotly takes its time to make a scene: the points come first.
      if (turned) afterPaint(showAxes);
      else showAxes();
      request(playing);
    },
    setStyle(next) {
      const before = state.style;
      state.style = { ...before, ...next };
      if (next.visible !== undefined && next.visible !== before.visible) state.shown = countShown(next.visible, state.scene.n);
      if (state.box && JSON.stringify(state.style.chrome) !== JSON.stringify(before.chrome)) showAxes();
      if (changesPicture(before, state.style, state.labels)) request(false);
      else if (before.hovered !== state.style.hovered) compose();
    },
    setPlotly(Plotly) {
      axes.load(Plotly);
      if (state.box) showAxes();
    },
    setTool: gestures.setTool,
    setCamera(view) {
      if (!isView(view, state.scene.dims) || !state.box) return false;
      setView(view.dims === 2 && state.equal ? equalized(view, state.area) : structuredClone(view));
      return true;
    },
    camera,
    resetView,
    resize: measure,
    rowAt: (clientX, clientY) => {
      const { left, top } = host.getBoundingClientRect();
      return rowAtHost([clientX - left, clientY - top]);
    },
    screenPositions: () => {
      frames.flush();
      return layer.positions().slice();
    },
    toCanvas(scale) {
      frames.flush();
      return picture(state, layer, plates, axes, scale);
    },
    stats: frames.stats,
  };
}

/** What the layer draws from. */
const layerSpec = ({ scene, style, transform, area, width, height, view, home, shown, box }) => ({
  scene, style, transform, area, width, height, shown, box, magnification: magnification(view, home),
});

const isSame = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** The Plotly div, the canvas on screen, and one behind it that keeps all but what follows the pointer. */
function createSurface(host) {
  const div = h('div.plot-axes', { style: FILL });
  const canvas = h('canvas.plot-points', { style: { ...FILL, 'pointer-events': 'none' }, aria: { hidden: 'true' } });
  const back = h('canvas');
  host.append(div, canvas);
  let ratio = 1;
  const context = canvas.getContext('2d');
  const behind = back.getContext('2d');
  return {
    div, canvas,
    put(picture, decorate) {
      ratio = picture.scale;
      for (const target of [canvas, back]) {
        if (target.width !== picture.width) target.width = picture.width;
        if (target.height !== picture.height) target.height = picture.height;
      }
      behind.setTransform(1, 0, 0, 1, 0, 0);
      behind.putImageData(new ImageData(picture.bytes, picture.width, picture.height), 0, 0);
      behind.setTransform(ratio, 0, 0, ratio, 0, 0);
      decorate(behind);
    },
    compose(decorate) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.drawImage(back, 0, 0);
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      decorate(context, ratio);
    },
  };
}

/** When to draw: at once while Plotly moves, else once before the next paint, and finely once things rest. */
function createFrames(draw, settled) {
  let pending = null;
  let rest = 0;
  const count = { frames: 0, lastDrawMs: 0 };
  function run(moving) {
    pending = null;
    const start = performance.now();
    draw(moving);
    count.frames += 1;
    count.lastDrawMs = performance.now() - start;
    clearTimeout(rest);
    rest = moving ? setTimeout(() => { rest = 0; run(false); settled(); }, REST_MS) : 0;
  }
  return {
    now: () => run(true),
    request(moving) {
      if (pending === null) requestAnimationFrame(() => { if (pending !== null) run(pending.moving); });
      pending = { moving: moving && (pending?.moving ?? true) };
    },
    flush(force = false) { if (pending !== null || force) run(pending?.moving ?? false); },
    isMoving: () => rest !== 0,
    stats: () => ({ ...count }),
  };
}

/** @returns {HTMLCanvasElement} the view with axes, points and labels on the page's ground */
function picture(state, layer, plates, axes, scale) {
  const { width, height, area, style } = state;
  const drawn = layerSpec(state);
  const canvas = h('canvas', { width: Math.round(width * scale), height: Math.round(height * scale) });
  const context = canvas.getContext('2d');
  context.fillStyle = style.chrome.background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  const ticks = axes.ticks(state.scene.dims);
  if (ticks) drawGrid(context, ticks, area, style.chrome);
  const scene = axes.sceneCanvas(state.scene.dims);
  if (scene) context.drawImage(scene, 0, 0, width, height);
  const { picture: points, look } = layer.paint(drawn, scale, false, false);
  const sheet = h('canvas', { width: points.width, height: points.height });
  sheet.getContext('2d').putImageData(new ImageData(points.bytes, points.width, points.height), 0, 0);
  context.drawImage(sheet, 0, 0, width, height);
  drawCaptions(context, drawn);
  plates.drawAll(context, style, look, layer.positions(), scale);
  drawLabels(context, state.labels, layer.positions(), style.chrome, true);
  return canvas;
}

/** Whether more changes than what follows the pointer; labels may change while their function stays the same. */
function changesPicture(before, now, labels) {
  return Object.keys(now).some((key) => key !== 'hovered' && key !== 'chrome' && before[key] !== now[key])
    || !isSame(before.chrome, now.chrome) || labels.some(({ row, source }) => now.label(row) !== source);
}

function countShown(visible, n) {
  if (!visible) return n;
  let count = 0;
  for (let i = 0; i < n; i++) count += visible[i] ? 1 : 0;
  return count;
}

function remember(compute) {
  let value;
  return () => (value === undefined ? (value = compute()) : value);
}

function canDrawWebGL() {
  const context = h('canvas').getContext('webgl');
  context?.getExtension('WEBGL_lose_context')?.loseContext();
  return context !== null;
}

const afterPaint = (then) => requestAnimationFrame(() => setTimeout(then));

function watchPixelRatio(changed) {
  const watch = () => window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`).addEventListener('change', () => { changed(); watch(); }, { once: true });
  watch();
}
