import { project2, project3, projectPoint } from '#js/drawing/camera.js';
import { sequenceColor } from '#js/data/sequences.js';
import { sphereOutline } from '#js/drawing/sphere.js';

/** @import { Spec } from '#js/plot/types.js' */

/** What is drawn over the points with the canvas's own lines: sequences, outlines. */

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

/**
 * Outlines of classes, each in its color and set off from the points.
 *
 * @param {CanvasRenderingContext2D} context @param {Spec} spec
 */
export function drawContours(context, { scene: { dims }, style: { contours, chrome }, transform }) {
  if (!contours?.length || dims !== 2) return;
  context.save();
  context.lineJoin = 'round';
  for (const { color, lines } of contours) {
    if (!lines.length) continue;
    context.beginPath();
    for (const line of lines) {
      const xy = new Float32Array(line.length);
      project2(line, line.length / 2, transform, xy);
      for (let i = 0; i < xy.length; i += 2)
        if (i) context.lineTo(xy[i], xy[i + 1]);
        else context.moveTo(xy[i], xy[i + 1]);
      context.closePath();
    }
    strokeWith(context, chrome.background, 5);
    strokeWith(context, color, 2.5);
  }
  context.restore();
}

/**
 * Where points have been: a line through their places, fainter the older, a dot at each.
 *
 * @param {CanvasRenderingContext2D} context @param {Spec} spec
 */
export function drawTrails(context, { scene: { dims }, style, transform, area }) {
  if (!style.trails?.length) return;
  const { trails, visible, colors, chrome } = style;
  context.save();
  context.lineJoin = 'round';
  context.lineCap = 'round';
  for (const { row, places } of trails) {
    if (visible && !visible[row]) continue;
    const count = places.length / dims;
    const xy = new Float32Array(2 * count);
    if (dims === 2) project2(places, count, transform, xy);
    else project3(places, count, transform, area, xy, new Float32Array(count));
    const color = colors ? `rgb(${colors.subarray(4 * row, 4 * row + 3).join(' ')})` : chrome.accent;
    drawTrail(context, xy, trails.length > 20 ? null : chrome.background, color);
  }
  context.restore();
}

function drawTrail(context, xy, ground, color) {
  const last = xy.length / 2 - 1;
  for (let i = 1; i <= last; i++) {
    const [x0, y0, x1, y1] = xy.subarray(2 * i - 2, 2 * i + 2);
    if (![x0, y0, x1, y1].every(Number.isFinite)) continue;
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    context.globalAlpha = 1;
    if (ground) strokeWith(context, ground, 4);
    context.globalAlpha = 0.35 + (0.65 * i) / last;
    strokeWith(context, color, 2);
    context.beginPath();
    context.arc(x0, y0, 2.5, 0, 2 * Math.PI);
    context.fillStyle = color;
    context.fill();
  }
}

function strokeWith(context, color, width) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.stroke();
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
