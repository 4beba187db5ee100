import { h } from '#js/dom.js';
import { joinSheets } from '#js/plot/sheets.js';
import { tilePlace } from '#js/drawing/tiles.js';

/** @import { Sheet } from '#js/plot/types.js' */

/** From this size on, in CSS pixels, a thumbnail shows the sheet's own pixels and opens its image. */
const LARGE = 48;

let alone = null;

/**
 * Draw one tile at some size. Scaled straight from the sheet it would take a seam of its neighbors along: browsers
 * interpolate across the edges of what is cut out. So it is cut out first.
 *
 * @param {CanvasRenderingContext2D} context @param {Sheet} sprite
 * @param {number} index of the tile @param {{x?: number, y?: number, width: number, height: number}} to
 */
export function drawTile(context, sprite, index, { x = 0, y = 0, width, height }) {
  const from = tilePlace(sprite, index);
  alone ??= new OffscreenCanvas(1, 1);
  // Setting a side clears the canvas.
  alone.width = from.width;
  alone.height = from.height;
  alone
    .getContext('2d')
    .drawImage(sprite.image, from.x, from.y, from.width, from.height, 0, 0, from.width, from.height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(alone, x, y, width, height);
}

/**
 * Small pictures of points from the sprite. @returns {(row: number, size: number) => HTMLElement | null}
 */
export function createThumbnail(page, isDark) {
  return (row, size) => {
    const { sprite } = page;
    if (!sprite) return null;
    const { tileWidth, tileHeight } = sprite;
    const ratio = window.devicePixelRatio || 1;
    const scale = size / Math.max(tileWidth, tileHeight);
    const canvas = h('canvas.thumbnail', {
      width: Math.round(tileWidth * scale * ratio),
      height: Math.round(tileHeight * scale * ratio),
      attributes: { role: 'img' },
      aria: { label: 'thumbnail' },
      style: { width: `${tileWidth * scale}px`, height: `${tileHeight * scale}px` },
    });
    canvas.classList.toggle('inverted', sprite.ink && sprite.light === isDark());
    const tile = sprite.tile(row);
    const context = canvas.getContext('2d');
    drawTile(context, sprite, tile, canvas);
    if (size >= LARGE && sprite.cut)
      sprite.cut(tile).then(
        (whole) => redraw(context, whole),
        () => {},
      );
    if (size < LARGE || !page.imageLinks) return canvas;
    return h(
      'a.thumbnail-link',
      { href: page.imageLinks[row], target: '_blank', rel: 'noopener', aria: { label: 'open the image' } },
      canvas,
    );
  };
}

function redraw(context, whole) {
  const { width, height } = context.canvas;
  context.clearRect(0, 0, width, height);
  context.drawImage(whole, 0, 0, width, height);
}

/** @returns {string[]} the names of the blocks of a sprite's sheets */
export function sheetNames(entry) {
  return Array.from({ length: entry.sheets ?? 1 }, (_, i) => (i ? `sprite_${i}` : 'sprite'));
}

/** Decode the sheets. @returns {Promise<Sheet>} what the plot and the panels draw from */
export async function openSprite(entry, sheets, table) {
  const { image, tileWidth, tileHeight, cut } = await joinSheets(
    entry,
    sheets.map((bytes) => new Blob([bytes], { type: entry.mime })),
  );
  const light = entry.ink && isLight(image);
  return {
    image,
    tileWidth,
    tileHeight,
    cut,
    columns: entry.columns,
    ink: entry.ink,
    light,
    inkShare: entry.ink ? inkShare(image, light) : 1,
    tile: entry.by_row ? (row) => table.rowNumber(row) : (row) => row,
  };
}

/** How much of the sheet is ink, 0 .. 1, from a small copy of it. */
function inkShare(image, light) {
  const context = new OffscreenCanvas(64, 64).getContext('2d');
  context.fillStyle = light ? '#fff' : '#000';
  context.fillRect(0, 0, 64, 64);
  context.drawImage(image, 0, 0, 64, 64);
  const { data } = context.getImageData(0, 0, 64, 64);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2];
  const mean = sum / (64 * 64 * 3 * 255);
  return light ? 1 - mean : mean;
}

/** Whether the ground of ink tiles is light, by the corner of the first. */
function isLight(image) {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, 1, 1);
  context.drawImage(image, 0, 0, 1, 1, 0, 0, 1, 1);
  const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
  return r + g + b > 384;
}
