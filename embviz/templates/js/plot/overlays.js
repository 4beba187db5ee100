import { projectPoint } from '#js/drawing/camera.js';
import { sequenceColor } from '#js/data/sequences.js';
import { sphereOutline } from '#js/drawing/sphere.js';

/** @import { Spec } from '#js/plot/types.js' */

/** What is drawn over the points with the canvas's own lines: sequences, and the outline of the selection sphere. */

const MOST_COLORS = 60;

/**
 * Lines from point to point of each sequence; they are left out where a point is hidden.
 *
 * @param {CanvasRenderingContext2D} context @param {Spec} spec @param {Float32Array} xy
 */
export function drawPaths(context, { style: { paths, visible, dark, thumbnails } }, xy) {
  if (!paths?.length) return;
  context.save();
  context.lineWidth = thumbnails ? 2 : 1.25;
  context.lineJoin = 'round';
  context.globalAlpha = paths.length > 500 ? 0.35 : 0.7;
  const groups = Math.min(paths.length, MOST_COLORS);
  for (let group = 0; group < groups; group++) {
    context.beginPath();
    for (let i = group; i < paths.length; i += groups) tracePath(context, paths[i], visible, xy);
    context.strokeStyle = sequenceColor(group, groups, dark);
    context.stroke();
  }
  context.globalAlpha = 1;
  context.restore();
}

function tracePath(context, path, visible, xy) {
  let drawing = false;
  for (const row of path) {
    const x = xy[2 * row];
    const y = xy[2 * row + 1];
    const isShown = (!visible || visible[row]) && Number.isFinite(x) && Number.isFinite(y);
    if (isShown && drawing) context.lineTo(x, y);
    else if (isShown) context.moveTo(x, y);
    drawing = isShown;
  }
}

/** @param {CanvasRenderingContext2D} context @param {Spec} spec */
export function drawSphere(context, { scene, style, view, box, aspect, transform, area }) {
  const { sphere, chrome } = style;
  if (!sphere || scene.dims !== 3) return;
  const middle = [0, 1, 2].map((j) => scene.coordinates[3 * sphere.row + j]);
  const ring = sphereOutline(view, { box, aspect }, middle, sphere.radius).map((p) => projectPoint(p, transform, area));
  if (ring.length < 3 || !ring.flat().every(Number.isFinite)) return;
  context.save();
  context.beginPath();
  ring.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
  context.globalAlpha = 0.08;
  context.fillStyle = chrome.accent;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1.5;
  context.strokeStyle = chrome.accent;
  context.stroke();
  context.restore();
}
