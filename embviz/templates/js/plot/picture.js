import { h } from '#js/dom.js';
import { marks } from '#js/plot/rings.js';
import { drawTile } from '#js/plot/thumbnail.js';
import { framed } from '#js/drawing/frame.js';
import { createSvgContext, discs, element, svgDocument, thumbnails } from '#js/drawing/svg.js';
import { hasLightGround, inkOf, tileSides } from '#js/drawing/tiles.js';

/**
 * @import { Frame } from '#js/drawing/frame.js'
 * @import { Plot } from '#js/plot/plot.js'
 * @typedef {Omit<Frame, 'perUnit' | 'chrome'>} Told of a picture
 */

/** The view as PNG, and as SVG: axes, labels and discs as shapes, thumbnails as one picture. */

const MOST_PIXELS = 2 ** 24;
const DIMMED = 0.3;
const SHARPNESS = 2;
/** Around each tile its own edge goes on, since viewers interpolate across the edges of what they show. */
const EDGE = 1;

/** @returns {{width: number, height: number, places: {left: number, top: number}[]}} where plots lie together */
function arranged(plots) {
  const boxes = plots.map((plot) => plot.place());
  const [left, top] = [Math.min(...boxes.map((box) => box.left)), Math.min(...boxes.map((box) => box.top))];
  const places = boxes.map((box) => ({ left: box.left - left, top: box.top - top }));
  return {
    width: Math.max(...boxes.map(({ width }, i) => places[i].left + width)),
    height: Math.max(...boxes.map(({ height }, i) => places[i].top + height)),
    places,
  };
}

/** What stands around the plots. @param {Plot[]} plots @param {Told} told @returns {ReturnType<typeof framed>} */
function frameOf(plots, told) {
  const { spec } = plots[0].parts();
  const camera = plots[0].camera();
  const isMap = plots.length === 1 && camera?.dims === 2 && !spec.scene.axes;
  const perUnit = isMap ? spec.area.width / Math.abs(camera.x[1] - camera.x[0]) : null;
  return framed(arranged(plots), { ...told, chrome: spec.style.chrome, perUnit });
}

/**
 * @param {Plot[]} plots @param {number} scale picture pixels a CSS pixel @param {Told} told
 * @returns {HTMLCanvasElement} the plots where they lie on the page, with what is told of them around
 */
export function pictureCanvas(plots, scale, told) {
  const { width, height, left, top, draw } = frameOf(plots, told);
  const canvas = h('canvas', { width: Math.round(width * scale), height: Math.round(height * scale) });
  const context = canvas.getContext('2d');
  context.fillStyle = plots[0].parts().spec.style.chrome.background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(plotsCanvas(plots, scale), Math.round(left * scale), Math.round(top * scale));
  context.scale(scale, scale);
  draw(context);
  return canvas;
}

/** @returns {HTMLCanvasElement} */
function plotsCanvas(plots, scale) {
  if (plots.length === 1) return plots[0].toCanvas(scale);
  const { width, height, places } = arranged(plots);
  const canvas = h('canvas', { width: Math.round(width * scale), height: Math.round(height * scale) });
  const context = canvas.getContext('2d');
  context.fillStyle = plots[0].parts().spec.style.chrome.grid;
  context.fillRect(0, 0, canvas.width, canvas.height);
  plots.forEach((plot, i) =>
    context.drawImage(plot.toCanvas(scale), Math.round(places[i].left * scale), Math.round(places[i].top * scale)),
  );
  return canvas;
}

/**
 * @param {Plot[]} plots @param {Told} told
 * @returns {string} the file
 */
export function pictureText(plots, told) {
  const { places } = arranged(plots);
  const { width, height, left, top, draw } = frameOf(plots, told);
  const { background } = plots[0].parts().spec.style.chrome;
  const around = svgContext();
  draw(around);
  const title = [told.title, told.subtitle].filter(Boolean).join(', ');
  return svgDocument(
    { width, height, title, background, around: around.parts },
    plots.map((plot, i) => ({ left: left + places[i].left, top: top + places[i].top, ...paneOf(plot) })),
  );
}

function svgContext() {
  const probe = h('canvas').getContext('2d');
  const measure = (font, text) => {
    probe.font = font;
    return probe.measureText(text).width;
  };
  const paint = (color) => {
    probe.fillStyle = color;
    return String(probe.fillStyle);
  };
  return createSvgContext(measure, paint);
}

/** @param {Plot} plot */
function paneOf(plot) {
  const parts = plot.parts();
  const { area } = parts.spec;
  const below = svgContext();
  parts.below(below, SHARPNESS);
  const above = svgContext();
  parts.above(above, SHARPNESS);
  const rows = shownRows(parts);
  const points = parts.look.tile ? tileParts(parts, rows) : discParts(parts, rows);
  return { clip: area, layers: [{ parts: below.parts }, { parts: points, clipped: true }, { parts: above.parts }] };
}

/** In the order of drawing, of those in sight. */
function shownRows({ spec: { style, area }, xy, order }) {
  const inSight = (row) => {
    const [x, y] = [xy[2 * row] - area.left, xy[2 * row + 1] - area.top];
    return x > -40 && y > -40 && x < area.width + 40 && y < area.height + 40 && (!style.visible || style.visible[row]);
  };
  return order.filter(inSight);
}

const channels = ({ colors, chrome }, row) =>
  colors ? colors.subarray(4 * row, 4 * row + 3) : [1, 3, 5].map((at) => parseInt(chrome.accent.slice(at, at + 2), 16));
const hex = (rgb) => `#${Array.from(rgb, (c) => c.toString(16).padStart(2, '0')).join('')}`;

function discParts({ spec: { style }, look, xy, arrange }, rows) {
  const color = (row) => hex(channels(style, row));
  const all = discs(rows, xy, color, { radius: look.radius, opacity: look.opacity });
  const out = [look.dims ? element('g', { opacity: look.strength }, all) : all];
  const there = new Set(rows);
  for (const { kind, rows: marked, radius, ring, color: edge } of marks(style, look)) {
    const seen = (kind === 'selected' ? arrange(marked) : marked).filter((row) => there.has(row));
    const put = (r, shade) => out.push(discs(seen, xy, shade, { radius: r, opacity: 1 }));
    put(radius + ring + 1, () => style.chrome.background);
    put(radius + ring + 0.25, () => edge);
    put(radius + 0.25 + (ring > 1 ? 0.5 : 0), () => style.chrome.background);
    put(radius, color);
  }
  return out;
}

function tileParts({ spec: { style }, look, xy }, rows) {
  const { sprite } = style;
  const there = rows.filter((row) => sprite.tile(row) >= 0 && !Number.isNaN(xy[2 * row]));
  if (!there.length) return [];
  const columns = Math.ceil(Math.sqrt(there.length));
  const native = Math.max(sprite.tileWidth, sprite.tileHeight);
  const most = Math.floor(Math.sqrt(MOST_PIXELS) / columns) - 2 * EDGE;
  const tile = tileSides(sprite, Math.max(1, Math.min(native, most, Math.ceil(look.tile * SHARPNESS))));
  const canvas = paintSheet(style, there, tile, columns);
  const marked = new Set(marks(style, look).flatMap(({ rows: list }) => [...list]));
  const tiles = Array.from(there, (row, i) => ({
    row,
    x: xy[2 * row],
    y: xy[2 * row + 1],
    at: placeOf(i, tile, columns),
    frame: sprite.ink ? null : hex(channels(style, row)),
  }));
  const sheet = {
    href: canvas.toDataURL('image/png'),
    width: canvas.width,
    height: canvas.height,
    tile,
    size: tileSides(sprite, look.tile),
  };
  return [
    thumbnails(sheet, [
      { tiles: tiles.filter(({ row }) => !marked.has(row)), opacity: look.dims ? DIMMED : 0.9 },
      { tiles: tiles.filter(({ row }) => marked.has(row)), opacity: 1 },
    ]),
  ];
}

const cellOf = ({ width, height }) => ({ width: width + 2 * EDGE, height: height + 2 * EDGE });

/** @returns {[number, number]} where a tile begins in the sheet, in its pixels */
function placeOf(i, tile, columns) {
  const cell = cellOf(tile);
  return [(i % columns) * cell.width + EDGE, Math.floor(i / columns) * cell.height + EDGE];
}

/** Each point's tile once, ink in the point's color. */
function paintSheet({ sprite, colors, chrome }, rows, tile, columns) {
  const cell = cellOf(tile);
  const canvas = h('canvas', { width: columns * cell.width, height: Math.ceil(rows.length / columns) * cell.height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  rows.forEach((row, i) => {
    const [x, y] = placeOf(i, tile, columns);
    drawTile(context, sprite, sprite.tile(row), { x: x - EDGE, y: y - EDGE, ...cell });
    context.clearRect(x, y, tile.width, tile.height);
    drawTile(context, sprite, sprite.tile(row), { x, y, ...tile });
  });
  if (!sprite.ink) return canvas;
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  const ink = inkOf(image.data, sprite.light ?? hasLightGround(image.data, canvas.width, canvas.height));
  const shades = Array.from(rows, (row) => channels({ colors, chrome }, row));
  for (let at = 0; at < ink.length; at++) {
    const shade =
      shades[
        Math.floor(Math.floor(at / canvas.width) / cell.height) * columns + Math.floor((at % canvas.width) / cell.width)
      ];
    for (let c = 0; shade && c < 3; c++) image.data[4 * at + c] = shade[c];
    image.data[4 * at + 3] = shade ? ink[at] : 0;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
