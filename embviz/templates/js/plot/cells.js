import { cellsAt, grayAt, scaleOf, underlay } from '#js/drawing/cells.js';
import { createPicture, straighten } from '#js/drawing/raster.js';
import { FONT } from '#js/plot/marks.js';
import { imageOf } from '#js/plot/surface.js';
import { format, h } from '#js/dom.js';

/**
 * What stands over the points of how densely all points lie: the scale of the grays, and the count of the cell under
 * the pointer. Lengths are CSS pixels; `context` is a canvas's, or what stands for one (svg.js).
 *
 * @import { Plotting, Spec } from '#js/plot/types.js'
 * @typedef {NonNullable<ReturnType<typeof cellsAt>> & {at: number[], text: string}} Cell under the pointer
 */

const SMALL = FONT.replace('12px', '11px');
const BAR = { width: 72, height: 8, slices: 24 };
const EDGE = 10;
const HIGH = 20;
const SEEN = 4;

const isDrawn = ({ scene, style }) => Boolean(style.density) && scene.dims === 2;

/**
 * The density by itself, where the points are drawn by other means than pixels.
 *
 * @param {any} context @param {Spec} spec @param {number} scale picture pixels a CSS pixel
 */
export function drawGround(context, spec, scale) {
  if (!isDrawn(spec)) return;
  const { style, width, height } = spec;
  const picture = createPicture(width, height, scale);
  underlay(picture, style.density, { ...spec, dark: style.dark });
  straighten(picture);
  const canvas = h('canvas', { width: picture.width, height: picture.height });
  canvas.getContext('2d').putImageData(imageOf(picture), 0, 0);
  context.drawImage(canvas, 0, 0, width, height);
}

/** @returns {[string, string]} the ends of the scale, with what they count */
function endsOf({ style: { density }, transform }) {
  const { most, cells } = scaleOf(density, transform);
  const rounded = Math.round(cells > 1 ? Number(most.toPrecision(2)) : most);
  const what = rounded === 1 ? 'point' : 'points';
  return [most > 1 ? '1' : '', `${format(rounded)} ${what} a ${cells > 1 ? 'pixel' : 'cell'}`];
}

/** @returns {{left: number, top: number, width: number, ends: [string, string], low: number}} */
function placeOf(context, spec) {
  const { area } = spec;
  context.font = SMALL;
  const ends = endsOf(spec);
  const [low, high] = ends.map((text) => context.measureText(text).width);
  const width = low + BAR.width + high + 6 * (low ? 4 : 3);
  return {
    left: area.left + area.width - width - EDGE,
    top: area.top + area.height - HIGH - EDGE,
    width,
    ends,
    low: low ? low + 6 : 0,
  };
}

/** @param {any} context @param {Spec} spec @returns {number[][]} the box of the scale, which names keep clear of */
export function scaleBoxes(context, spec) {
  if (!isDrawn(spec)) return [];
  const { left, top, width } = placeOf(context, spec);
  return [[left, top, left + width, top + HIGH]];
}

/** The scale of the grays, at the lower right. @param {any} context @param {Spec} spec */
export function drawScale(context, spec) {
  if (!isDrawn(spec)) return;
  const { left, top, width, ends, low } = placeOf(context, spec);
  const { chrome, dark } = spec.style;
  drawPlate(context, [left, top, width, HIGH], chrome);
  const middle = top + HIGH / 2;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillStyle = chrome.muted;
  if (ends[0]) context.fillText(ends[0], left + 6, middle);
  context.fillText(ends[1], left + low + BAR.width + 12, middle);
  const slice = BAR.width / BAR.slices;
  const x = left + low + 6;
  for (let i = 0; i < BAR.slices; i++) {
    context.fillStyle = grayAt(ends[0] ? i / (BAR.slices - 1) : 1, dark);
    context.beginPath();
    box(context, x + i * slice, middle - BAR.height / 2, slice + (i < BAR.slices - 1 ? 0.5 : 0), BAR.height);
    context.fill();
  }
}

function box(context, x, y, width, height) {
  context.moveTo(x, y);
  context.lineTo(x + width, y);
  context.lineTo(x + width, y + height);
  context.lineTo(x, y + height);
  context.closePath();
}

function drawPlate(context, [x, y, width, height], chrome) {
  context.fillStyle = chrome.background;
  context.globalAlpha = 0.88;
  context.beginPath();
  context.roundRect(x, y, width, height, 3);
  context.fill();
  context.globalAlpha = 1;
}

/** @param {Plotting} plot @param {number[]} at from the host's corner @returns {Cell | null} */
export function cellUnder({ scene: { points, style }, view: { area, transform } }, at) {
  if (!style.density || points.dims !== 2 || !transform || !area) return null;
  const [x, y] = [at[0] - area.left, at[1] - area.top];
  if (x < 0 || y < 0 || x >= area.width || y >= area.height) return null;
  const found = cellsAt(style.density, transform, at);
  return found && { ...found, at, text: wordsOf(found, style.density.n_points) };
}

function wordsOf({ count, columns, rows }, n_points) {
  const where = columns * rows === 1 ? 'this cell' : `these ${format(columns)} × ${format(rows)} cells`;
  return `${format(count)} of ${format(n_points)} points in ${where}`;
}

/** @param {CanvasRenderingContext2D} context @param {Cell | null} cell @param {Spec} spec */
export function drawCell(context, cell, { style, area, width }) {
  if (!cell || !style.density) return;
  const { chrome } = style;
  const [left, top, right, bottom] = cell.corners;
  if (right - left >= SEEN && bottom - top >= SEEN) {
    context.lineWidth = 1.5;
    context.strokeStyle = chrome.text;
    context.strokeRect(left, top, right - left, bottom - top);
  }
  context.font = FONT;
  const span = context.measureText(cell.text).width + 12;
  const [x, y] = cell.at;
  const from = Math.max(area.left, Math.min(x + 14, width - span - 4));
  const under = y + 16 + 22 < area.top + area.height ? y + 16 : y - 30;
  drawPlate(context, [from, under, span, 22], chrome);
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillStyle = chrome.text;
  context.fillText(cell.text, from + 6, under + 11);
}
