/** Pixels of a picture that several sheets are joined in, and its longest side. */
const MOST_PIXELS = 2 ** 26;
const MOST_SIDE = 16384;

/**
 * The tile of the joined picture: the sheets' own, or as much smaller as keeps the picture in bounds.
 *
 * @param {{tile_width: number, tile_height: number, columns: number}} entry
 * @param {number} rows of tiles in all sheets
 * @returns {{width: number, height: number}}
 */
export function joinedTile({ tile_width: width, tile_height: height, columns }, rows) {
  let k = Math.min(
    1,
    Math.sqrt(MOST_PIXELS / (width * columns * height * rows)),
    MOST_SIDE / (height * rows),
    MOST_SIDE / (width * columns),
  );
  if (k < 1) k = Math.min(k, Math.max(1, Math.floor(width * k)) / width);
  return { width: Math.max(1, Math.floor(width * k)), height: Math.max(1, Math.floor(height * k)) };
}

/**
 * One picture of all sheets, one below the other, so that a tile's row goes on from sheet to sheet.
 *
 * @param {{tile_width: number, tile_height: number, columns: number}} entry @param {Blob[]} blobs a sheet each
 * @returns {Promise<{image: ImageBitmap | OffscreenCanvas, tileWidth: number, tileHeight: number,
 *   cut: ((tile: number) => Promise<ImageBitmap>) | null}>} `cut` gives a tile as it is in its sheet, where the picture
 *   is smaller
 */
export async function joinSheets(entry, blobs) {
  const { tile_width: tileWidth, tile_height: tileHeight, columns } = entry;
  const first = await createImageBitmap(blobs[0]);
  if (blobs.length === 1) return { image: first, tileWidth, tileHeight, cut: null };
  const rows = Math.floor(first.height / tileHeight);
  const tile = joinedTile(entry, rows * blobs.length);
  const image = new OffscreenCanvas(columns * tile.width, rows * blobs.length * tile.height);
  const context = image.getContext('2d');
  context.imageSmoothingQuality = 'high';
  for (let i = 0; i < blobs.length; i++) {
    const sheet = i ? await createImageBitmap(blobs[i]) : first;
    context.drawImage(
      sheet,
      0,
      0,
      columns * tileWidth,
      rows * tileHeight,
      0,
      i * rows * tile.height,
      image.width,
      rows * tile.height,
    );
    sheet.close();
  }
  const size = columns * rows;
  const cut = (index) =>
    createImageBitmap(
      blobs[Math.floor(index / size)],
      (index % columns) * tileWidth,
      Math.floor((index % size) / columns) * tileHeight,
      tileWidth,
      tileHeight,
    );
  return { image, tileWidth: tile.width, tileHeight: tile.height, cut: tile.width === tileWidth ? null : cut };
}
