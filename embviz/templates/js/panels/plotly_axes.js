import { clipMatrix, multiply, transform2 } from '#js/camera.js';

/**
 * The only file that touches Plotly, and what it takes from Plotly's private API:
 * 2D: _fullLayout.xaxis / yaxis {_offset, _length, range, _vals}; 3D: _fullLayout.scene._scene {glplot {cameraParams
 * {view, projection, model}, onrender, redraw, canvas}, getCamera}. `missingFields` checks them, tests call it.
 * Plotly is never given a text that comes from the data.
 */
export const PLOTLY_VERSION = '4.1.1';
const CONFIG = {
  displayModeBar: false, displaylogo: false, scrollZoom: true, doubleClick: false, showTips: false, showAxisRangeEntryBoxes: false,
  plotGlPixelRatio: 1, responsive: false, displayNotifier: false,
};
/** Plotly's scene follows its camera with a delay of some frames. */
const SCENE_DELAY_MS = 60;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';

const delay = (ms) => new Promise((resolve) => { setTimeout(() => requestAnimationFrame(resolve), ms); });

/** @returns {string[]} what of Plotly's private API is not as expected, empty when all is well */
export function missingFields(Plotly, gd, dims) {
  const missing = [];
  const need = (name, value, type) => { if (typeof value !== type || value === null) missing.push(name); };
  if (Plotly?.version !== PLOTLY_VERSION) missing.push(`plotly.js ${PLOTLY_VERSION} (this is ${Plotly?.version})`);
  const layout = gd?._fullLayout ?? {};
  if (dims === 2) {
    for (const name of ['xaxis', 'yaxis']) {
      for (const key of ['_offset', '_length']) need(`_fullLayout.${name}.${key}`, layout[name]?.[key], 'number');
      need(`_fullLayout.${name}.range`, layout[name]?.range, 'object');
    }
  } else {
    const scene = layout.scene?._scene;
    need('_scene.getCamera', scene?.getCamera, 'function');
    for (const key of ['view', 'projection', 'model']) need(`_scene.glplot.cameraParams.${key}`, scene?.glplot?.cameraParams?.[key], 'object');
    for (const key of ['onrender', 'redraw']) need(`_scene.glplot.${key}`, scene?.glplot?.[key], 'function');
    need('_scene.glplot.canvas', scene?.glplot?.canvas, 'object');
    need('_scene.dataScale', scene?.dataScale, 'object');
  }
  return missing;
}

/**
 * @param {HTMLElement} div that Plotly fills
 * @param {{moved: (byUser: boolean) => void, failed: (message: string) => void}} on
 */
export function createAxes(div, on) {
  let Plotly = null;
  let shown = null;
  let wanted = null;
  let busy = false;

  /**
   * Bring Plotly to what is wanted; the newest wish wins.
   *
   * @param {object} spec {dims, view, box, aspect, area, width, height, shows, chrome}
   */
  function show(spec) {
    wanted = spec;
    if (Plotly && !busy) void settle();
  }

  async function settle() {
    busy = true;
    try {
      while (wanted && wanted !== shown) {
        const spec = wanted;
        await bring(Plotly, div, shown, spec);
        if (spec.dims === 3) await delay(SCENE_DELAY_MS);
        if (!shown || shown.dims !== spec.dims) listen(spec.dims);
        else if (spec.dims === 3) hook();
        shown = spec;
      }
    } catch (error) {
      Plotly.purge(div);
      Plotly = null;
      on.failed(`Plotly could not draw the axes: ${error.message}`);
    } finally {
      busy = false;
    }
    on.moved(false);
  }

  function listen(dims) {
    const missing = missingFields(Plotly, div, dims);
    if (missing.length) throw new Error(`not found: ${missing.join(', ')}`);
    div.removeAllListeners?.('plotly_relayouting');
    div.removeAllListeners?.('plotly_relayout');
    div.on('plotly_relayouting', () => { if (dims === 2) on.moved(true); });
    div.on('plotly_relayout', () => { if (!busy) on.moved(true); });
    if (dims === 3) hook();
  }

  /** Draw with each frame of the scene; the scene may have been made anew. */
  function hook() {
    const { glplot } = div._fullLayout.scene._scene;
    if (glplot.onrender.isOurs) return;
    const render = glplot.onrender;
    glplot.onrender = () => {
      render();
      if (!busy) on.moved(true);
    };
    glplot.onrender.isOurs = true;
  }

  const isLive = (dims) => Boolean(Plotly && shown && !busy && shown.dims === dims && wanted === shown);
  return {
    load(library) { Plotly = library; if (wanted && !busy) void settle(); },
    show, isLive,
    isLoaded: () => Plotly !== null,
    view: (dims) => (isLive(dims) ? readView(div, dims) : null),
    transform: (dims) => (isLive(dims) ? readTransform(div, dims) : null),
    ticks: (dims) => (dims === 2 && isLive(dims) && shown.shows ? readTicks(div) : null),
    sceneCanvas: (dims) => (dims === 3 && isLive(dims) && shown.shows ? redrawnScene(div) : null),
    /** The element that takes wheel and drags. */
    target: () => div.querySelector('.nsewdrag') ?? div.querySelector('.gl-container canvas'),
  };
}

function readView(gd, dims) {
  const layout = gd._fullLayout;
  if (dims === 2) return { dims, x: [...layout.xaxis.range], y: [...layout.yaxis.range] };
  return { dims, ...layout.scene._scene.getCamera() };
}

/** @returns {object} for project2 or project3, in pixels of the div */
function readTransform(gd, dims) {
  const layout = gd._fullLayout;
  if (dims === 2) {
    const { xaxis, yaxis } = layout;
    return transform2({ x: xaxis.range, y: yaxis.range }, { left: xaxis._offset, width: xaxis._length, top: yaxis._offset, height: yaxis._length });
  }
  const { dataScale, glplot } = layout.scene._scene;
  const { projection, view, model } = glplot.cameraParams;
  const scaled = model.slice();
  for (let j = 0; j < 3; j++) for (let i = 0; i < 4; i++) scaled[4 * j + i] *= dataScale[j];
  return multiply(projection, multiply(view, scaled));
}

function readTicks(gd) {
  const of = (axis) => (axis._vals ?? []).map(({ x, text }) => ({ at: axis._offset + axis.l2p(x), text: String(text) }));
  return { x: of(gd._fullLayout.xaxis), y: of(gd._fullLayout.yaxis) };
}

function redrawnScene(gd) {
  const { glplot } = gd._fullLayout.scene._scene;
  glplot.redraw();
  return glplot.canvas;
}

const sameBut = (a, b, keys) => Object.keys(a).every((key) => keys.includes(key) || JSON.stringify(a[key]) === JSON.stringify(b[key]));

async function bring(Plotly, div, before, spec) {
  const same = before && before.dims === spec.dims;
  if (same && sameBut(before, spec, ['view', 'box'])) {
    if (spec.dims === 2) {
      const { x, y } = readView(div, 2);
      if (JSON.stringify([x, y]) !== JSON.stringify([spec.view.x, spec.view.y])) await Plotly.relayout(div, { 'xaxis.range': [...spec.view.x], 'yaxis.range': [...spec.view.y] });
      return;
    }
    if (sameBut(before, spec, ['view'])) {
      await Plotly.relayout(div, { 'scene.camera': cameraOf(spec.view) });
      return;
    }
  }
  if (before && !same) Plotly.purge(div);
  await (same ? Plotly.react : Plotly.newPlot)(div, traces(spec), layout(spec), { ...CONFIG, showAxisDragHandles: spec.shows });
}

const cameraOf = ({ eye, center, up, projection }) => ({ eye: { ...eye }, center: { ...center }, up: { ...up }, projection: { type: projection?.type ?? 'perspective' } });

/** Two points that are not seen give Plotly its axes. */
function traces({ dims, box }) {
  const invisible = { mode: 'markers', marker: { size: 1, opacity: 0 }, hoverinfo: 'skip', showlegend: false };
  const at = (j) => [box.min[j], box.max[j]];
  if (dims === 2) return [{ type: 'scatter', x: at(0), y: at(1), ...invisible }];
  return [{ type: 'scatter3d', x: at(0), y: at(1), z: at(2), ...invisible }];
}

function layout({ dims, view, box, aspect, area, width, height, shows, chrome }) {
  const axis = (range) => ({
    range: [...range], autorange: false, visible: shows, gridcolor: chrome.grid, gridwidth: 1, zeroline: false, showline: false, ticks: '',
    tickfont: { family: FONT, size: 11, color: chrome.muted }, exponentformat: 'power', nticks: 0,
  });
  const common = {
    width, height, autosize: false, hovermode: false, showlegend: false, dragmode: 'pan', font: { family: FONT, size: 11, color: chrome.muted },
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    margin: { l: area.left, t: area.top, r: width - area.left - area.width, b: height - area.top - area.height, pad: 0, autoexpand: false },
  };
  if (dims === 2) return { ...common, xaxis: axis(view.x), yaxis: axis(view.y) };
  const axis3 = (j) => ({ ...axis([box.min[j], box.max[j]]), nticks: 6, showspikes: false, showbackground: false, title: { text: '' } });
  return {
    ...common,
    scene: {
      dragmode: 'orbit', hovermode: false, bgcolor: 'rgba(0,0,0,0)', aspectmode: 'manual', aspectratio: { x: aspect[0], y: aspect[1], z: aspect[2] },
      camera: cameraOf(view), xaxis: axis3(0), yaxis: axis3(1), zaxis: axis3(2),
    },
  };
}

/** @returns {object} what Plotly's transform will be, for before it has run and where there is none */
export function ownTransform({ dims, view, box, aspect, area }) {
  return dims === 2 ? transform2(view, area) : clipMatrix(view, box, aspect, area);
}
