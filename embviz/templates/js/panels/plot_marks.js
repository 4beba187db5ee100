import { projectPoint } from '#js/camera.js';
import { h } from '#js/dom.js';
import { cleanLabel, placeLabels, SIDES } from '#js/labels.js';
import { marks, rgba } from '#js/panels/plot_layer.js';
import { hasLightGround, tilePlace, tileSides, tintInk } from '#js/thumbnails.js';

/** What is drawn with the canvas's own means above the points: labels, thumbnails on plates, captions of axes. */

export const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
const BOLD = `600 ${FONT}`;
const LINE = 16;
const MOST_TRIED = 4000;
const MOST_PLACED = 400;
const MOST_PLATES = 300;
const MOST_OBSTACLES = 400;

/**
 * Choose labels and their sides for this view.
 *
 * @param {object} spec {style, area, width, height} @param {object} look see plot_layer.js
 * @param {Float32Array} xy @param {Int32Array | null} order far to near
 * @returns {{row, text, side, gap, kind}[]}
 */
export function chooseLabels(context, spec, look, xy, order) {
  const { style, area, width, height } = spec;
  if (style.labelled === 'none') return [];
  const taken = new Set();
  const wanted = [];
  const want = (row, kind, gap) => {
    const x = xy[2 * row];
    const y = xy[2 * row + 1];
    const inside = x >= area.left && x <= area.left + area.width && y >= area.top && y <= area.top + area.height;
    if (!inside || taken.has(row) || (style.visible && !style.visible[row])) return;
    taken.add(row);
    const source = style.label(row);
    const text = cleanLabel(source);
    context.font = kind === 'selected' ? BOLD : FONT;
    if (text) wanted.push({ row, source, text, kind, x, y, width: context.measureText(text).width, height: LINE, gap, strength: kind === 'plain' ? 0 : kind === 'selected' && style.selected.length === 1 ? 2 : 1 });
  };
  const sizes = plateSizes(style, look);
  for (const { kind, rows, radius, ring } of marks(style, look).reverse()) {
    // A plate shows what its point is; few labels are for points.
    if (sizes && style.labelled === 'few') break;
    for (const row of rows.subarray(0, MOST_TRIED)) want(row, kind, sizes ? sizes[kind] / 2 + 3 : radius + ring + 3);
  }
  if (style.labelled === 'many') {
    const n = order ? order.length : xy.length / 2;
    const gap = look.tile ? look.tile / 2 + 2 : look.radius + 3;
    for (let k = 0; k < n && wanted.length < MOST_TRIED; k++) want(order ? order[n - 1 - k] : k, 'plain', gap);
  }
  const bounds = { left: 0, top: area.top, width, height: height - area.top };
  const obstacles = look.count <= MOST_OBSTACLES ? discBoxes(xy, style.visible, look) : [];
  const sides = placeLabels(wanted, bounds, obstacles);
  return wanted.map((label, i) => ({ ...label, side: sides[i] })).filter(({ side }) => side >= 0).slice(0, MOST_PLACED);
}

function discBoxes(xy, visible, { radius, tile }) {
  const half = tile ? tile / 2.6 : radius;
  const boxes = [];
  for (let i = 0; i < xy.length / 2; i++) {
    const x = xy[2 * i];
    if (x === x && (!visible || visible[i])) boxes.push([x - half, xy[2 * i + 1] - half, x + half, xy[2 * i + 1] + half]);
  }
  return boxes;
}

/** @param {object[]} labels see chooseLabels @param {boolean} halo whether to set them off from what is below */
export function drawLabels(context, labels, xy, chrome, halo) {
  for (const { row, text, side, gap, kind } of labels) drawLabel(context, text, xy[2 * row], xy[2 * row + 1], { side, gap, kind, chrome, halo });
}

function drawLabel(context, text, x, y, { side, gap, kind, chrome, halo }) {
  if (!(x === x)) return;
  context.font = kind === 'plain' || kind === 'neighbor' ? FONT : BOLD;
  context.textAlign = side === SIDES.right ? 'left' : side === SIDES.left ? 'right' : 'center';
  context.textBaseline = 'middle';
  const at = [side === SIDES.right ? x + gap : side === SIDES.left ? x - gap : x, side === SIDES.above ? y - gap - LINE / 2 : side === SIDES.below ? y + gap + LINE / 2 : y];
  if (halo) {
    context.strokeStyle = chrome.background;
    context.lineJoin = 'round';
    context.lineWidth = 3;
    context.strokeText(text, ...at);
  }
  context.fillStyle = kind === 'selected' ? chrome.accent : chrome.text;
  context.fillText(text, ...at);
}

/** @returns {{neighbor: number, selected: number} | null} sides of plates in CSS pixels; null where there are none */
function plateSizes(style, look) {
  if (!look.tile || style.selected.length + style.neighbors.length > MOST_PLATES) return null;
  const most = Math.max(20, look.tile * 1.35);
  return { neighbor: most, selected: style.selected.length === 1 ? Math.max(34, look.tile * 1.8) : most };
}

export function createPlates() {
  const tiles = new Map();
  let scratch = null;
  let of = null;

  /** A tile of its own, ink in the text's color. */
  function tileCanvas(sprite, index, sides, chrome) {
    if (of !== sprite) tiles.clear();
    of = sprite;
    const key = `${index} ${sides.width} ${sides.height} ${chrome.text}`;
    if (tiles.has(key)) return tiles.get(key);
    if (tiles.size > 2 * MOST_PLATES) tiles.clear();
    const canvas = h('canvas', sides);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const { x, y, width, height } = tilePlace(sprite, index);
    context.imageSmoothingQuality = 'high';
    context.drawImage(sprite.image, x, y, width, height, 0, 0, sides.width, sides.height);
    if (sprite.ink) {
      scratch = context.getImageData(0, 0, sides.width, sides.height);
      const text = rgba(chrome.text);
      tintInk(scratch.data, sprite.light ?? hasLightGround(scratch.data, sides.width, sides.height), [text & 255, (text >> 8) & 255, (text >> 16) & 255]);
      context.putImageData(scratch, 0, 0);
    }
    tiles.set(key, canvas);
    return canvas;
  }

  /** @param {number} size of the plate, CSS pixels @param {string} color of its frame @param {number} line its width */
  function drawPlate(context, style, row, x, y, { size, color, line, ratio }) {
    const index = style.sprite.tile(row);
    if (!(x === x) || !(index >= 0)) return;
    const sides = tileSides(style.sprite, size - 4);
    context.beginPath();
    context.roundRect(x - sides.width / 2 - 2, y - sides.height / 2 - 2, sides.width + 4, sides.height + 4, 3);
    context.fillStyle = style.chrome.background;
    context.fill();
    context.drawImage(tileCanvas(style.sprite, index, tileSides(style.sprite, (size - 4) * ratio), style.chrome), x - sides.width / 2, y - sides.height / 2, sides.width, sides.height);
    context.strokeStyle = color;
    context.lineWidth = line;
    context.stroke();
  }

  return {
    drawPlate,
    drawAll(context, style, look, xy, ratio) {
      const sizes = plateSizes(style, look);
      if (!sizes) return;
      for (const { kind, rows } of marks(style, look)) {
        for (let i = rows.length - 1; i >= 0; i--) {
          const row = rows[i];
          if (style.visible && !style.visible[row]) continue;
          const color = kind === 'selected' ? style.chrome.accent : cssColor(style, row);
          drawPlate(context, style, row, xy[2 * row], xy[2 * row + 1], { size: sizes[kind], color, line: kind === 'selected' ? 2.5 : 1.5, ratio });
        }
      }
    },
  };
}

const cssColor = ({ colors, chrome }, row) => (colors ? `rgb(${colors[4 * row]} ${colors[4 * row + 1]} ${colors[4 * row + 2]})` : chrome.accent);

/** The point under the pointer: larger, framed in the text's color, with its label. */
export function drawHovered(context, { style, area, width }, look, xy, plates, ratio) {
  const row = style.hovered;
  const x = xy[2 * row];
  const y = xy[2 * row + 1];
  if (row < 0 || !(x >= 0 && x <= width) || (style.visible && !style.visible[row])) return;
  const { chrome } = style;
  let gap = Math.max(look.radius * 1.6, 5);
  if (look.tile) {
    const size = Math.max(44, look.tile * 1.6);
    plates.drawPlate(context, style, row, x, y, { size, color: cssColor(style, row), line: 2, ratio });
    gap = size / 2 + 4;
  } else {
    context.beginPath();
    context.arc(x, y, gap, 0, 2 * Math.PI);
    context.fillStyle = cssColor(style, row);
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = chrome.text;
    context.stroke();
    gap += 5;
  }
  const text = style.labelled === 'none' ? '' : cleanLabel(style.label(row));
  if (!text) return;
  context.font = BOLD;
  const right = x + gap + context.measureText(text).width + 6 <= area.left + area.width + 20;
  const span = context.measureText(text).width + 8;
  context.fillStyle = chrome.background;
  context.globalAlpha = 0.88;
  context.beginPath();
  context.roundRect(right ? x + gap - 4 : x - gap + 4 - span, y - LINE / 2 - 2, span, LINE + 4, 3);
  context.fill();
  context.globalAlpha = 1;
  drawLabel(context, text, x, y, { side: right ? SIDES.right : SIDES.left, gap, kind: 'hovered', chrome, halo: false });
}

const ends = ({ title, low, high }) => {
  const clean = (text) => cleanLabel(text, 48);
  return low || high ? { title: '', low: low && `← ${clean(low)}`, high: high && `${clean(high)} →` } : { title: clean(title), low: '', high: '' };
};

/** What the axes mean, at their ends or, for components, in the middle. */
export function drawCaptions(context, { scene, area, style, transform, box }) {
  if (!scene.axes) return;
  context.textBaseline = 'middle';
  if (scene.dims === 3) {
    captions3(context, scene, area, style.chrome, transform, box);
    return;
  }
  const line = (text, align, at, color) => {
    context.font = FONT;
    context.textAlign = align;
    context.fillStyle = color;
    if (text) context.fillText(text, at, 0);
  };
  const draw = (caption, length) => {
    line(caption.low, 'left', 0, style.chrome.text);
    line(caption.high, 'right', length, style.chrome.text);
    line(caption.title, 'center', length / 2, style.chrome.muted);
  };
  context.save();
  context.translate(area.left, area.top + area.height + 34);
  draw(ends(scene.axes[0]), area.width);
  context.restore();
  if (!scene.axes[1]) return;
  context.save();
  context.translate(14, area.top + area.height);
  context.rotate(-Math.PI / 2);
  draw(ends(scene.axes[1]), area.height);
  context.restore();
}

/** Along that edge of the box, of the four parallel to each axis, that lies farthest out below or beside it. */
function captions3(context, scene, area, chrome, transform, box) {
  const corner = (bits) => projectPoint(bits.map((bit, j) => box[bit ? 'max' : 'min'][j]), transform, area);
  const center = projectPoint(box.min.map((x, j) => (x + box.max[j]) / 2), transform, area);
  context.font = FONT;
  context.textAlign = 'center';
  scene.axes.forEach((axis, j) => {
    const edges = [[0, 0], [0, 1], [1, 0], [1, 1]].map(([a, b]) => [0, 1].map((bit) => {
      const bits = [a, b];
      bits.splice(j, 0, bit);
      return corner(bits);
    }));
    const outward = ([p, q]) => Math.hypot((p[0] + q[0]) / 2 - center[0], (p[1] + q[1]) / 2 - center[1]) + (p[1] + q[1]) / 8;
    const [from, to] = edges.reduce((best, edge) => (outward(edge) > outward(best) ? edge : best));
    const push = [(from[0] + to[0]) / 2 - center[0], (from[1] + to[1]) / 2 - center[1]];
    const k = 44 / (Math.hypot(...push) || 1);
    const caption = ends(axis);
    const put = (text, t, color) => {
      const at = [from[0] + (to[0] - from[0]) * t + k * push[0], from[1] + (to[1] - from[1]) * t + k * push[1]];
      const half = context.measureText(text).width / 2 + 4;
      if (!text || !at.every(Number.isFinite)) return;
      context.fillStyle = color;
      context.fillText(text, Math.min(Math.max(at[0], area.left + half), area.left + area.width - half), Math.min(Math.max(at[1], area.top + 10), area.top + area.height - 10));
    };
    put(caption.low, 0.08, chrome.text);
    put(caption.high, 0.92, chrome.text);
    put(caption.title, 0.5, chrome.muted);
  });
}

/** Grid and numbers of Plotly's 2D axes, for a picture of the view. @param {{x, y}} ticks [{at, text}] */
export function drawGrid(context, ticks, area, chrome) {
  context.font = FONT.replace('12px', '11px');
  context.lineWidth = 1;
  context.strokeStyle = chrome.grid;
  context.fillStyle = chrome.muted;
  const bottom = area.top + area.height;
  context.beginPath();
  context.textAlign = 'center';
  context.textBaseline = 'top';
  for (const { at, text } of ticks.x) {
    context.moveTo(Math.round(at) + 0.5, area.top);
    context.lineTo(Math.round(at) + 0.5, bottom);
    context.fillText(text, at, bottom + 5);
  }
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const { at, text } of ticks.y) {
    context.moveTo(area.left, Math.round(at) + 0.5);
    context.lineTo(area.left + area.width, Math.round(at) + 0.5);
    context.fillText(text, area.left - 5, at);
  }
  context.stroke();
}
