import { clipMatrix, multiply, transform2 } from '#js/drawing/camera.js';

/**
 * The only file that touches Plotly, and what it takes from Plotly's private API:
 * 2D: _fullLayout.xaxis / yaxis {_offset, _length, range}; 3D: _fullLayout.scene._scene {glplot {cameraParams
 * {view, projection, model}, onrender}, camera {eye, center, up, _ortho}, dataScale}. `missingFields` checks them,
 * tests call it. Plotly is never given a text that comes from the data. Its axes are not seen: plot_axes.js draws them.
 */
export const PLOTLY_VERSION = '4.1.1';
const CONFIG = {
  displayModeBar: false,
  displaylogo: false,
  scrollZoom: true,
  doubleClick: false,
  showTips: false,
  showAxisRangeEntryBoxes: false,
  showAxisDragHandles: false,
  plotGlPixelRatio: 1,
  responsive: false,
  displayNotifier: false,
};
/** Plotly's scene follows its camera with a delay of some frames. */
const SCENE_DELAY_MS = 60;

const delay = (ms) =>
  new Promise((resolve) => {
    setTimeout(() => requestAnimationFrame(resolve), ms);
  });

/** @returns {string[]} what of Plotly's private API is not as expected, empty when all is well */
export function missingFields(Plotly, gd, dims) {
  const missing = [];
  const need = (name, value, type) => {
    if (typeof value !== type || value === null) missing.push(name);
  };
  if (Plotly?.version !== PLOTLY_VERSION) missing.push(`plotly.js ${PLOTLY_VERSION} (this is ${Plotly?.version})`);
  const layout = gd?._fullLayout ?? {};
  if (dims === 2) {
    for (const name of ['xaxis', 'yaxis']) {
      for (const key of ['_offset', '_length']) need(`_fullLayout.${name}.${key}`, layout[name]?.[key], 'number');
      need(`_fullLayout.${name}.range`, layout[name]?.range, 'object');
    }
  } else {
    const scene = layout.scene?._scene;
    for (const key of ['eye', 'center', 'up']) need(`_scene.camera.${key}`, scene?.camera?.[key], 'object');
    for (const key of ['view', 'projection', 'model'])
      need(`_scene.glplot.cameraParams.${key}`, scene?.glplot?.cameraParams?.[key], 'object');
    need('_scene.glplot.onrender', scene?.glplot?.onrender, 'function');
    need('_scene.dataScale', scene?.dataScale, 'object');
  }
  return missing;
}

/** @typedef {ReturnType<typeof createAxes>} Axes */

/**
 * @param {HTMLElement} div that Plotly fills
 * @param {{moved: () => void, failed: (message: string) => void}} on moved: the axes or the camera may have changed
 */
export function createAxes(div, on) {
  const axes = { Plotly: null, div, on, shown: null, wanted: null, busy: false };
  const isLive = (dims) =>
    Boolean(axes.Plotly && axes.shown?.dims === dims && axes.wanted === axes.shown && !axes.busy);
  const start = () => {
    if (axes.Plotly && axes.wanted && !axes.busy) void settle(axes);
  };
  return {
    load(Plotly) {
      axes.Plotly = Plotly;
      start();
    },
    /** @param {object} spec {dims, view, box, aspect, area, width, height}; the newest one wins */
    show(spec) {
      axes.wanted = spec;
      start();
    },
    /** Ask for that later: until `show` Plotly stays as it is. */
    hold(spec) {
      axes.wanted = spec;
    },
    isBehind: () => Boolean(axes.Plotly) && axes.wanted !== axes.shown && !axes.busy,
    /** Whether Plotly shows what was wanted, so that it is the one to ask. */
    isLive,
    view: (dims) => (isLive(dims) ? readView(div, dims) : null),
    transform: (dims) => (isLive(dims) ? readTransform(div, dims) : null),
    /** @returns {Element | null} what takes wheel and drags */
    target: () => div.querySelector('.nsewdrag') ?? div.querySelector('.gl-container canvas'),
  };
}

async function settle(axes) {
  const { Plotly, div, on } = axes;
  axes.busy = true;
  try {
    while (axes.wanted !== axes.shown) {
      const spec = axes.wanted;
      await bring(Plotly, div, axes.shown, spec);
      if (spec.dims === 3) await delay(SCENE_DELAY_MS);
      listen(axes, spec.dims);
      axes.shown = spec;
    }
  } catch (error) {
    axes.Plotly = null;
    div.replaceChildren();
    on.failed(`Plotly could not draw the axes: ${error.message}`);
  } finally {
    axes.busy = false;
  }
  on.moved();
}

function listen(axes, dims) {
  const { Plotly, div, on } = axes;
  const missing = missingFields(Plotly, div, dims);
  if (missing.length) throw new Error(`not found: ${missing.join(', ')}`);
  for (const event of ['plotly_relayouting', 'plotly_relayout']) {
    div.removeAllListeners(event);
    div.on(event, () => {
      if (!axes.busy) on.moved();
    });
  }
  if (dims === 3) hook(axes);
}

/** Draw with each frame of the scene, once its matrices are set; a scene may be made anew. */
function hook(axes) {
  const { glplot } = axes.div._fullLayout.scene._scene;
  if (hooked.has(glplot.onrender)) return;
  const render = glplot.onrender;
  glplot.onrender = () => {
    render();
    if (!axes.busy) axes.on.moved();
  };
  hooked.add(glplot.onrender);
}

const hooked = new WeakSet();

function readView(gd, dims) {
  const layout = gd._fullLayout;
  if (dims === 2) return { dims, x: [...layout.xaxis.range], y: [...layout.yaxis.range] };
  // Not by getCamera(), which moves the matrix on in the middle of a frame.
  const { eye, center, up, _ortho } = layout.scene._scene.camera;
  const point = ([x, y, z]) => ({ x, y, z });
  return {
    dims,
    eye: point(eye),
    center: point(center),
    up: point(up),
    projection: { type: _ortho ? 'orthographic' : 'perspective' },
  };
}

/** @returns {object} for project2 or project3, in pixels of the div */
function readTransform(gd, dims) {
  const layout = gd._fullLayout;
  if (dims === 2) {
    const { xaxis, yaxis } = layout;
    return transform2(
      { x: xaxis.range, y: yaxis.range },
      { left: xaxis._offset, width: xaxis._length, top: yaxis._offset, height: yaxis._length },
    );
  }
  const { dataScale, glplot } = layout.scene._scene;
  const { projection, view, model } = glplot.cameraParams;
  const scaled = model.slice();
  for (let j = 0; j < 3; j++) for (let i = 0; i < 4; i++) scaled[4 * j + i] *= dataScale[j];
  return multiply(projection, multiply(view, scaled));
}

const sameBut = (a, b, keys) =>
  Object.keys(a).every((key) => keys.includes(key) || JSON.stringify(a[key]) === JSON.stringify(b[key]));

async function bring(Plotly, div, before, spec) {
  const same = before && before.dims === spec.dims;
  if (same && sameBut(before, spec, ['view', 'box'])) {
    if (spec.dims === 2) {
      const { x, y } = readView(div, 2);
      if (JSON.stringify([x, y]) !== JSON.stringify([spec.view.x, spec.view.y]))
        await Plotly.relayout(div, { 'xaxis.range': [...spec.view.x], 'yaxis.range': [...spec.view.y] });
      return;
    }
    if (sameBut(before, spec, ['view'])) {
      await Plotly.relayout(div, { 'scene.camera': cameraOf(spec.view) });
      return;
    }
  }
  if (before && !same) Plotly.purge(div);
  await (same ? Plotly.react : Plotly.newPlot)(div, traces(spec), layout(spec), CONFIG);
}

const cameraOf = ({ eye, center, up, projection }) => ({
  eye: { ...eye },
  center: { ...center },
  up: { ...up },
  projection: { type: projection?.type ?? 'perspective' },
});

/** Two points that are not seen give Plotly its axes. */
function traces({ dims, box }) {
  const invisible = { mode: 'markers', marker: { size: 1, opacity: 0 }, hoverinfo: 'skip', showlegend: false };
  const at = (j) => [box.min[j], box.max[j]];
  if (dims === 2) return [{ type: 'scatter', x: at(0), y: at(1), ...invisible }];
  return [{ type: 'scatter3d', x: at(0), y: at(1), z: at(2), ...invisible }];
}

function layout({ dims, view, box, aspect, area, width, height }) {
  const axis = (range) => ({ range: [...range], autorange: false, visible: false });
  const common = {
    width,
    height,
    autosize: false,
    hovermode: false,
    showlegend: false,
    dragmode: 'pan',
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    margin: {
      l: area.left,
      t: area.top,
      r: width - area.left - area.width,
      b: height - area.top - area.height,
      pad: 0,
      autoexpand: false,
    },
  };
  if (dims === 2) return { ...common, xaxis: axis(view.x), yaxis: axis(view.y) };
  const axis3 = (j) => ({ ...axis([box.min[j], box.max[j]]), showspikes: false });
  return {
    ...common,
    scene: {
      dragmode: 'orbit',
      hovermode: false,
      bgcolor: 'rgba(0,0,0,0)',
      aspectmode: 'manual',
      aspectratio: { x: aspect[0], y: aspect[1], z: aspect[2] },
      camera: cameraOf(view),
      xaxis: axis3(0),
      yaxis: axis3(1),
      zaxis: axis3(2),
    },
  };
}

/** @returns {any} what Plotly's transform will be, for before it has run and where there is none */
export function ownTransform({ dims, view, box, aspect, area }) {
  return dims === 2 ? transform2(view, area) : clipMatrix(view, box, aspect, area);
}
