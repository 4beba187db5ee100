import { h } from '#js/dom.js';
import { cleanLabel, labelBox, placeLabels, SIDES } from '#js/drawing/labels.js';
import { rgba } from '#js/plot/layer.js';
import { marks } from '#js/plot/rings.js';
import { drawTile } from '#js/plot/thumbnail.js';
import { hasLightGround, tileSides, tintInk } from '#js/drawing/tiles.js';

/** @import { Label, Look, Spec } from '#js/plot/types.js' */

/** What is drawn with the canvas's own means above the points: labels, thumbnails on plates. */

export const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
const BOLD = `600 ${FONT}`;
const LINE = 16;
const MOST_TRIED = 4000;
const MOST_PLACED = 400;
const MOST_PLATES = 300;
const MOST_OBSTACLES = 400;
/** Selected points up to which their labels come before the names of groups. */
const MOST_BEFORE_NAMES = 60;
/** Pixels beyond which nothing is written. */
const FAR_AWAY = 20000;

/**
 * Choose labels and their sides for this view. Between those of points that stand out and all others come the names of
 * groups; where so many stand out that their labels would fill a group, its name comes first.
 *
 * @param {any} context @param {Spec} spec @param {Look} look
 * @param {{xy: Float32Array, order: Int32Array | null}} points order is far to near
 * @param {(boxes: number[][]) => number[][]} name gives names room beside some boxes, and tells where they are
 * @returns {Label[]}
 */
export function chooseLabels(context, spec, look, { xy, order }, name) {
  const { style, area, width, height, foot } = spec;
  const plates = plateBoxes(style, look, xy);
  const few = style.selected.length <= MOST_BEFORE_NAMES;
  if (style.labelled === 'none') {
    name(few ? plates : []);
    return [];
  }
  const wanted = wantedLabels(context, spec, look, { xy, order });
  const bounds = { left: 0, top: area.top, width, height: height - foot.height - area.top };
  const obstacles = look.count <= MOST_OBSTACLES ? discBoxes(xy, style.visible, look) : [];
  const place = (labels, taken) => {
    const sides = placeLabels(labels, bounds, obstacles, taken);
    return labels.map((label, i) => ({ ...label, side: sides[i] })).filter(({ side }) => side >= 0);
  };
  const marked = wanted.filter(({ kind }) => kind !== 'plain');
  const plain = wanted.filter(({ kind }) => kind === 'plain');
  const first = few ? place(marked, []) : [];
  const taken = few ? [...boxesOfLabels(first, xy), ...markBoxes(marked)] : [];
  const named = name(few ? [...taken, ...plates] : []);
  const next = few ? plain : wanted;
  return [...first, ...place(next, [...taken, ...named])].slice(0, MOST_PLACED);
}

/** Labels in the order of their importance. */
function wantedLabels(context, { style, area }, look, { xy, order }) {
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
    if (text)
      wanted.push({
        row,
        source,
        text,
        kind,
        x,
        y,
        width: context.measureText(text).width,
        height: LINE,
        gap,
        strength: kind === 'plain' ? 0 : kind === 'selected' && style.selected.length === 1 ? 2 : 1,
      });
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
  return wanted;
}

/** @param {Label[]} labels @returns {number[][]} their boxes where their points are now */
export const boxesOfLabels = (labels, xy) =>
  labels
    .map(({ row, width, height, gap, side }) => labelBox(xy[2 * row], xy[2 * row + 1], width, height, gap, side))
    .filter((box) => box.every(Number.isFinite));

/** The points that stand out, which the names of groups do not cover. */
const markBoxes = (labels) =>
  labels.map(({ x, y, gap }) => [x - 0.6 * gap, y - 0.6 * gap, x + 0.6 * gap, y + 0.6 * gap]);

function plateBoxes(style, look, xy) {
  const sizes = plateSizes(style, look);
  if (!sizes) return [];
  return marks(style, look).flatMap(({ kind, rows }) =>
    Array.from(rows, (row) => {
      const [x, y, half] = [xy[2 * row], xy[2 * row + 1], sizes[kind] / 2];
      return [x - half, y - half, x + half, y + half];
    }).filter((box) => box.every((side) => Math.abs(side) < FAR_AWAY)),
  );
}

function discBoxes(xy, visible, { radius, tile }) {
  const half = tile ? tile / 2.6 : radius;
  const boxes = [];
  for (let i = 0; i < xy.length / 2; i++) {
    const x = xy[2 * i];
    if (!Number.isNaN(x) && (!visible || visible[i]))
      boxes.push([x - half, xy[2 * i + 1] - half, x + half, xy[2 * i + 1] + half]);
  }
  return boxes;
}

/** @param {Label[]} labels @param {boolean} halo whether to set them off from what is below */
export function drawLabels(context, labels, xy, chrome, halo) {
  for (const { row, text, side, gap, kind } of labels)
    drawLabel(context, text, xy[2 * row], xy[2 * row + 1], { side, gap, kind, chrome, halo });
}

function drawLabel(context, text, x, y, { side, gap, kind, chrome, halo }) {
  if (Number.isNaN(x)) return;
  context.font = kind === 'plain' || kind === 'neighbor' ? FONT : BOLD;
  context.textAlign = side === SIDES.right ? 'left' : side === SIDES.left ? 'right' : 'center';
  context.textBaseline = 'middle';
  const at = [
    side === SIDES.right ? x + gap : side === SIDES.left ? x - gap : x,
    side === SIDES.above ? y - gap - LINE / 2 : side === SIDES.below ? y + gap + LINE / 2 : y,
  ];
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

/** @typedef {ReturnType<typeof createPlates>} Plates */

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
    drawTile(context, sprite, index, sides);
    if (sprite.ink) {
      scratch = context.getImageData(0, 0, sides.width, sides.height);
      const text = rgba(chrome.text);
      tintInk(scratch.data, sprite.light ?? hasLightGround(scratch.data, sides.width, sides.height), [
        text & 255,
        (text >> 8) & 255,
        (text >> 16) & 255,
      ]);
      context.putImageData(scratch, 0, 0);
    }
    tiles.set(key, canvas);
    return canvas;
  }

  /** A plate: `size` is its side in CSS pixels, `color` and `line` are its frame's. */
  function drawPlate(context, style, row, x, y, { size, color, line, ratio }) {
    const index = style.sprite.tile(row);
    if (Number.isNaN(x) || !(index >= 0)) return;
    const sides = tileSides(style.sprite, size - 4);
    context.beginPath();
    context.roundRect(x - sides.width / 2 - 2, y - sides.height / 2 - 2, sides.width + 4, sides.height + 4, 3);
    context.fillStyle = style.chrome.background;
    context.fill();
    context.drawImage(
      tileCanvas(style.sprite, index, tileSides(style.sprite, (size - 4) * ratio), style.chrome),
      x - sides.width / 2,
      y - sides.height / 2,
      sides.width,
      sides.height,
    );
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
          drawPlate(context, style, row, xy[2 * row], xy[2 * row + 1], {
            size: sizes[kind],
            color,
            line: kind === 'selected' ? 2.5 : 1.5,
            ratio,
          });
        }
      }
    },
  };
}

const cssColor = ({ colors, chrome }, row) =>
  colors ? `rgb(${colors[4 * row]} ${colors[4 * row + 1]} ${colors[4 * row + 2]})` : chrome.accent;

/** What a map is called, in its corner. */
export function drawName(context, { name, chrome }) {
  if (!name) return;
  context.font = BOLD;
  context.fillStyle = chrome.text;
  context.textAlign = 'left';
  context.textBaseline = 'top';
  context.fillText(cleanLabel(name), 12, 12);
}

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
