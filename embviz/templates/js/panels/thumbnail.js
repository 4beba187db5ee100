import { h } from '#js/dom.js';

/**
 * Small pictures of points from the sprite. @returns {(row: number, size: number) => HTMLElement | null}
 */
export function createThumbnail(page, isDark) {
  return (row, size) => {
    const { sprite } = page;
    if (!sprite) return null;
    const { tileWidth, tileHeight, columns } = sprite;
    const ratio = window.devicePixelRatio || 1;
    const scale = size / Math.max(tileWidth, tileHeight);
    const canvas = h('canvas.thumbnail', { width: Math.round(tileWidth * scale * ratio), height: Math.round(tileHeight * scale * ratio), attributes: { role: 'img' }, aria: { label: 'thumbnail' },
      style: { width: `${tileWidth * scale}px`, height: `${tileHeight * scale}px` } });
    canvas.classList.toggle('inverted', sprite.ink && sprite.light === isDark());
    const tile = sprite.tile(row);
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(sprite.image, (tile % columns) * tileWidth, Math.floor(tile / columns) * tileHeight, tileWidth, tileHeight, 0, 0, canvas.width, canvas.height);
    return canvas;
  };
}

/** Decode the sheet. @returns {Promise<object>} what the plot and the panels draw from */
export async function openSprite(entry, bytes, table) {
  const image = await createImageBitmap(new Blob([bytes], { type: entry.mime }));
  return {
    image, tileWidth: entry.tile_width, tileHeight: entry.tile_height, columns: entry.columns, ink: entry.ink,
    light: entry.ink && isLight(image, entry),
    tile: entry.by_row ? (row) => table.rowNumber(row) : (row) => row,
  };
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
