import { projectPoint } from '#js/drawing/camera.js';
import { clippedLine } from '#js/drawing/lines.js';
import { cleanLabel } from '#js/drawing/labels.js';
import { FONT } from '#js/plot/marks.js';
import { ticksOf } from '#js/drawing/ticks.js';

/**
 * Grid, numbers and captions of the axes, drawn from the transform that places the points: they are there before Plotly
 * has run, where it cannot, and in a picture of the view as lines and text.
 * A `spec` is {scene, style: {chrome}, transform, area, view, box}, lengths in CSS pixels.
 */

const NUMBERS = FONT.replace('12px', '11px');
const WIDE = 90;
const HIGH = 56;
const MOST_IN_3D = 6;
/** Two numbers along an edge in 3D lie at least so far apart. */
const APART = 30;

/** Below the points. */
export function drawGrid(context, spec) {
  if (!spec.scene.axes) return;
  context.lineWidth = 1;
  context.strokeStyle = spec.style.chrome.grid;
  context.fillStyle = spec.style.chrome.muted;
  context.font = NUMBERS;
  if (spec.scene.dims === 2) grid2(context, spec);
  else grid3(context, spec);
}

/**
 * @returns {{x: {at: number, text: string}[], y: {at: number, text: string}[]}} where on the screen which numbers stand
 */
export function ticks2({ transform: { kx, bx, ky, by }, area }) {
  const along = (k, b, start, length, room) =>
    ticksOf((start - b) / k, (start + length - b) / k, Math.min(10, Math.max(2, length / room))).map(
      ({ value, text }) => ({ at: k * value + b, text }),
    );
  return { x: along(kx, bx, area.left, area.width, WIDE), y: along(ky, by, area.top, area.height, HIGH) };
}

function grid2(context, spec) {
  const { area } = spec;
  const { x, y } = ticks2(spec);
  const bottom = area.top + area.height;
  const crisp = (at) => Math.round(at - 0.5) + 0.5;
  context.beginPath();
  context.textAlign = 'center';
  context.textBaseline = 'top';
  for (const { at, text } of x) {
    context.moveTo(crisp(at), area.top);
    context.lineTo(crisp(at), bottom);
    context.fillText(text, at, bottom + 5);
  }
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const { at, text } of y) {
    context.moveTo(area.left, crisp(at));
    context.lineTo(area.left + area.width, crisp(at));
    context.fillText(text, area.left - 5, at);
  }
  context.stroke();
}

/** The three far faces of the box with their grids, and the numbers along its outline. */
function grid3(context, spec) {
  const { box, transform, area } = spec;
  const far = farFaces(spec);
  context.beginPath();
  const line = (a, b) => {
    const [from, to] = clippedLine(a, b, transform, area) ?? [];
    if (!from) return;
    context.moveTo(...from);
    context.lineTo(...to);
  };
  const edges = edgesOf(spec, far);
  for (let j = 0; j < 3; j++) {
    const [k, l] = others(j);
    const at = (values) => values.reduce((out, [axis, x]) => Object.assign(out, { [axis]: x }), [0, 0, 0]);
    const ticks = ticksOf(box.min[j], box.max[j], MOST_IN_3D);
    for (const value of [box.min[j], box.max[j], ...ticks.map((tick) => tick.value)]) {
      line(
        at([
          [j, value],
          [k, far[k]],
          [l, box.min[l]],
        ]),
        at([
          [j, value],
          [k, far[k]],
          [l, box.max[l]],
        ]),
      );
      line(
        at([
          [j, value],
          [l, far[l]],
          [k, box.min[k]],
        ]),
        at([
          [j, value],
          [l, far[l]],
          [k, box.max[k]],
        ]),
      );
    }
    numbers3(
      context,
      edges[j],
      ticks.map((tick) => ({ ...tick, part: (tick.value - box.min[j]) / (box.max[j] - box.min[j]) })),
      spec,
    );
  }
  context.stroke();
}

const others = (j) => [(j + 1) % 3, (j + 2) % 3];

/** @returns {number[]} along each axis, which end of the box the camera sees the inside of */
function farFaces({ view, box }) {
  const { eye, center, projection } = view;
  const flat = projection?.type === 'orthographic';
  return ['x', 'y', 'z'].map((name, j) =>
    (flat ? eye[name] - center[name] : eye[name]) > 0 ? box.min[j] : box.max[j],
  );
}

/**
 * For each axis the edge of the box that its numbers stand along: one of its outline, lowest or farthest out.
 *
 * @returns {{from: number[], to: number[], corners: number[][], out: number[]}[]} from and to on the screen, NaN behind
 *   the camera; out is the unit vector away from the box
 */
function edgesOf({ box, transform, area }, far) {
  const near = far.map((x, j) => (x === box.min[j] ? box.max[j] : box.min[j]));
  const center = projectPoint(
    box.min.map((x, j) => (x + box.max[j]) / 2),
    transform,
    area,
  );
  return [0, 1, 2].map((j) => {
    const [k, l] = others(j);
    const made = [
      [far[k], near[l]],
      [near[k], far[l]],
    ].map(([a, b]) => {
      const corners = [box.min[j], box.max[j]].map((x) => Object.assign([0, 0, 0], { [j]: x, [k]: a, [l]: b }));
      const [from, to] = corners.map((corner) => projectPoint(corner, transform, area));
      return { from, to, corners };
    });
    const score = ({ from, to }) => {
      const push = middle(from, to).map((x, i) => x - center[i]);
      return Math.hypot(...push) + push[1] / 2 - push[0] / 4;
    };
    const best = score(made[1]) > score(made[0]) ? made[1] : made[0];
    return { ...best, out: outward(best, center) };
  });
}

const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];

/** Across the edge on the screen, away from the box's middle. */
function outward({ from, to }, center) {
  const along = [to[0] - from[0], to[1] - from[1]];
  const length = Math.hypot(...along) || 1;
  const across = [-along[1] / length, along[0] / length];
  const away = middle(from, to).map((x, i) => x - center[i]);
  return across[0] * away[0] + across[1] * away[1] < 0 ? across.map((x) => -x) : across;
}

function numbers3(context, { from, to, corners, out }, ticks, { transform, area }) {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  if (!(length > 2 * APART)) return;
  const step = Math.ceil((APART * Math.max(1, ticks.length - 1)) / length);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (const { part, index, text } of ticks) {
    if (index % step) continue;
    const at = projectPoint(
      corners[0].map((x, j) => x + (corners[1][j] - x) * part),
      transform,
      area,
    );
    const away = 8 + (Math.abs(out[0]) * context.measureText(text).width) / 2 + Math.abs(out[1]) * 6;
    if (at.every(Number.isFinite)) context.fillText(text, at[0] + out[0] * away, at[1] + out[1] * away);
  }
}

const ends = ({ title, low, high }) => {
  const clean = (text) => cleanLabel(text, 48);
  return low || high
    ? { title: '', low: low && `← ${clean(low)}`, high: high && `${clean(high)} →` }
    : { title: clean(title), low: '', high: '' };
};

/** What the axes mean, at their ends or, for components, in the middle; above the points. */
export function drawCaptions(context, spec) {
  const {
    scene,
    area,
    style: { chrome },
  } = spec;
  if (!scene.axes) return;
  context.font = FONT;
  context.textBaseline = 'middle';
  if (scene.dims === 3) {
    edgesOf(spec, farFaces(spec)).forEach((edge, j) => caption3(context, edge, ends(scene.axes[j]), spec));
    return;
  }
  caption2(context, [area.left, area.top + area.height + 34, 0], ends(scene.axes[0]), area.width, chrome);
  if (scene.axes[1])
    caption2(context, [14, area.top + area.height, -Math.PI / 2], ends(scene.axes[1]), area.height, chrome);
}

function caption2(context, [x, y, angle], { title, low, high }, length, chrome) {
  context.save();
  context.translate(x, y);
  context.rotate(angle);
  for (const [text, align, at, color] of [
    [low, 'left', 0, chrome.text],
    [high, 'right', length, chrome.text],
    [title, 'center', length / 2, chrome.muted],
  ]) {
    context.textAlign = align;
    context.fillStyle = color;
    if (text) context.fillText(text, at, 0);
  }
  context.restore();
}

function caption3(context, edge, words, spec) {
  context.textAlign = 'center';
  for (const { text, x, y, color } of captions3(context, edge, words, spec)) {
    context.fillStyle = color;
    context.fillText(text, x, y);
  }
}

/** What is written along an edge of the box, and where its middle is. */
function captions3(context, { from, to, out }, { title, low, high }, { area, style: { chrome } }) {
  const put = (text, part, color) => {
    const half = context.measureText(text).width / 2 + 4;
    const away = 26 + Math.abs(out[0]) * (half + 10) + Math.abs(out[1]) * 8;
    const at = [from[0] + (to[0] - from[0]) * part + out[0] * away, from[1] + (to[1] - from[1]) * part + out[1] * away];
    if (!text || !at.every(Number.isFinite)) return [];
    const x = Math.min(Math.max(at[0], area.left + half), area.left + area.width - half);
    const y = Math.min(Math.max(at[1], area.top + 10), area.top + area.height - 10);
    return [{ text, x, y, half, color }];
  };
  return [...put(low, 0.08, chrome.text), ...put(high, 0.92, chrome.text), ...put(title, 0.5, chrome.muted)];
}

/** @returns {number[][]} the boxes of what is written along the axes within the area */
export function captionBoxes(context, spec) {
  const { scene } = spec;
  if (!scene.axes || scene.dims !== 3) return [];
  context.font = FONT;
  return edgesOf(spec, farFaces(spec)).flatMap((edge, j) =>
    captions3(context, edge, ends(scene.axes[j]), spec).map(({ x, y, half }) => [x - half, y - 8, x + half, y + 8]),
  );
}
