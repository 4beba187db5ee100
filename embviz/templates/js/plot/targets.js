import { orbited, panned2, zoomed2, zoomed3 } from '#js/drawing/camera.js';
import { panned3 } from '#js/drawing/fingers.js';
import { nearestTo, rowsInBox, rowsInLasso } from '#js/drawing/hit.js';
import { limitedFactor, showsPoints } from '#js/drawing/limits.js';
import { cellUnder } from '#js/plot/cells.js';
import { axesSpec, resetView, setCamera, showAxes, tellCamera } from '#js/plot/view.js';

/**
 * What the gestures over the plot do to it.
 *
 * @import { Mode } from '#js/data/types.js'
 * @import { Group, Plotting } from '#js/plot/types.js'
 * @typedef {ReturnType<typeof createTargets>} GestureTargets
 */

/**
 * @param {Plotting} plot
 * @param {() => void} redraw what follows the pointer
 */
export function createTargets(plot, redraw) {
  const { scene, view, host } = plot;
  const { frames, layer, axes, on } = host;
  /** The row that was told of last. */
  let reported = -1;
  /** Show that a name can be clicked, and say what is known of its group. @param {Group | null} group */
  function point(group) {
    const { element } = host;
    const title = group ? `${group.text}\n${group.title}` : '';
    element.classList.toggle('on-name', group !== null);
    if (element.title !== title) element.title = title;
  }
  const move = (camera) => {
    setCamera(plot, camera, true);
    tellCamera(plot, false);
  };
  return {
    isOurs: () => !axes.isLive(scene.points.dims),
    target: axes.target,
    pan(dx, dy) {
      const { camera, area, height } = view;
      if (camera)
        move(
          camera.dims === 2
            ? panned2(camera, area, dx, dy)
            : orbited(camera, (-Math.PI * dx) / height, (-Math.PI * dy) / height),
        );
    },
    /** @param {number} factor @param {number[]} [at] what stays where it is */
    zoom(factor, at) {
      const { camera, area } = view;
      const allowed = camera ? allowedZoom(plot, factor, at) : 1;
      if (allowed !== 1) move(camera.dims === 2 ? zoomed2(camera, area, allowed, at) : zoomed3(camera, allowed));
    },
    /** Whether the limits leave a zoom something to do. */
    canZoom: (factor, at) => Boolean(view.camera) && allowedZoom(plot, factor, at) !== 1,
    touch: createTouch(plot),
    reset() {
      resetView(plot);
      if (view.camera) tellCamera(plot, true);
    },
    hover(at, { clientX, clientY }) {
      const isOff = at === null || frames.isMoving();
      const group = isOff ? null : nameAt(plot, at);
      point(group);
      const row = isOff || group ? -1 : rowAt(plot, at);
      const cell = isOff || group || row >= 0 ? null : cellUnder(plot, at);
      if (cell !== scene.cell) {
        scene.cell = cell;
        redraw();
      }
      // A pointer has a place on the screen, the cross-hair of the keys has not.
      if (clientX === undefined) on.told?.(cell?.text ?? '');
      if (row === reported) return;
      reported = row;
      host.element.classList.toggle('on-point', row >= 0);
      on.hover?.(row, clientX, clientY);
    },
    /** @param {number[]} at @param {Mode} mode */
    click(at, mode) {
      const group = nameAt(plot, at);
      if (!group || on.name?.(group, mode) === false) on.click?.(rowAt(plot, at), mode);
    },
    /** What a click is with the pointer, Enter is with the keys: for the point nearest the middle. */
    pickMiddle(mode) {
      const row = rowAtMiddle(plot);
      if (row >= 0) on.click?.(row, mode);
    },
    pointAtMiddle() {
      const row = rowAtMiddle(plot);
      reported = row;
      on.hover?.(row);
    },
    isEmpty: (at) => !nameAt(plot, at) && rowAt(plot, at) < 0,
    /** @param {{kind: string, points: [number, number][]}} shape @param {Mode} mode */
    select({ kind, points }, mode) {
      if (!view.area) return;
      frames.flush();
      const xy = layer.positions();
      const { visible } = scene.style;
      const rows =
        kind === 'box'
          ? rowsInBox(xy, visible, points[0], points[points.length - 1])
          : rowsInLasso(xy, visible, points);
      on.select?.(rows.filter(isInside(xy, view.area)), mode);
    },
    redraw,
  };
}

/** @param {Plotting} plot @returns {number} as much of a zoom as is allowed, 1 for nothing */
function allowedZoom({ scene: { points, style, box }, view }, factor, at) {
  const allowed = limitedFactor(factor, view, box, points.grain);
  const { camera, area } = view;
  if (allowed <= 1 || camera.dims === 3) return allowed;
  return showsPoints(points.coordinates, style.visible, zoomed2(camera, area, allowed, at)) ? allowed : 1;
}

/** @returns {[number, number]} */
const middleOf = ({ left, top, width, height }) => [left + width / 2, top + height / 2];

/** What one finger or two do: Plotly comes after once they rest. @param {Plotting} plot */
function createTouch(plot) {
  const { view, host } = plot;
  const hold = (camera) => {
    view.camera = camera;
    host.axes.hold(axesSpec(plot));
    host.frames.request(true);
    tellCamera(plot, false);
  };
  return {
    pan(dx, dy) {
      const { camera, area, height } = view;
      if (!camera) return;
      if (camera.dims === 2) hold(panned2(camera, area, dx, dy));
      else hold(orbited(camera, (-Math.PI * dx) / height, (-Math.PI * dy) / height));
    },
    /** @param {{dx: number, dy: number, factor: number, at: [number, number]}} pinch see fingers.js */
    pinch({ dx, dy, factor, at }) {
      const { camera, area } = view;
      if (!camera) return;
      hold(camera.dims === 2 ? panned2(camera, area, dx, dy) : panned3(camera, dx, dy, area.height));
      const allowed = allowedZoom(plot, factor, at);
      const moved = view.camera;
      hold(moved.dims === 2 ? zoomed2(moved, area, allowed, at) : zoomed3(moved, allowed));
    },
    rest() {
      if (!view.camera) return;
      showAxes(plot);
      host.frames.request(false);
      tellCamera(plot, true);
    },
  };
}

const isInside =
  (xy, { left, top, width, height }) =>
  (row) =>
    xy[2 * row] >= left && xy[2 * row] <= left + width && xy[2 * row + 1] >= top && xy[2 * row + 1] <= top + height;

/** @param {Plotting} plot @param {number[]} at from the host's corner @returns {number} row or -1 */
export function rowAt({ view: { area }, host: { frames, layer } }, [x, y]) {
  frames.flush();
  return area && isNear(area, x, y) ? layer.rowAt(x, y) : -1;
}

/** @param {Plotting} plot @param {number[]} at from the host's corner @returns {Group | null} whose name is there */
function nameAt({ host: { frames, names } }, at) {
  frames.flush();
  return names.at(at);
}

const EDGE = 4;
const isNear = ({ left, top, width, height }, x, y) =>
  x >= left - EDGE && x <= left + width + EDGE && y >= top - EDGE && y <= top + height + EDGE;

/** @param {Plotting} plot @returns {number} the shown point nearest the middle of the plot's area, or -1 */
function rowAtMiddle({ scene: { points, style }, view: { area }, host: { frames, layer } }) {
  frames.flush();
  if (!area) return -1;
  return nearestTo(layer.positions(), points.n, style.visible, middleOf(area));
}
