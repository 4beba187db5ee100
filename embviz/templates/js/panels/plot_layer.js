import { project2, project3 } from '#js/camera.js';
import { h } from '#js/dom.js';
import { rowNear } from '#js/hit.js';
import { countWithin, createPicture, depthOrder, discOpacity, discRadius, discSpans, discStamps, drawRows, drawStamps, drawTiles, plusStamps, straighten } from '#js/raster.js';
import { atlasSides, createAtlas, thumbnailSize, tileSides } from '#js/thumbnails.js';

/** Above this many points, moving pictures are drawn coarser than resting ones. */
const MANY = 20000;
/** Above this many, moving points are opaque, which needs no blending. */
const VERY_MANY = 400000;
const DIMMED = 0.3;
const FADE = 0.4;
const REACH = 3;

/**
 * The pixels of the points: positions, picture, and the row numbers under the pointer.
 * `spec` is {scene, style, transform, area, width, height, magnification}.
 */
export function createPointLayer() {
  let xy = new Float32Array(0);
  let depth = new Float32Array(0);
  let sorted = null;
  let rows = null;
  let stale = true;
  let last = null;
  const atlases = createAtlases();
  const stampsOf = remembered((kind, radius, options) => (kind === 'plus' ? plusStamps(radius) : discStamps(radius, options)));

  function project({ scene, transform, area, style }) {
    const { coordinates, n, dims } = scene;
    if (xy.length !== 2 * n) xy = new Float32Array(2 * n);
    stale = true;
    sorted = null;
    if (dims === 2) return project2(coordinates, n, transform, xy);
    if (depth.length !== n) depth = new Float32Array(n);
    project3(coordinates, n, transform, area, xy, depth);
    sorted = depthOrder(depth, style.visible);
    return undefined;
  }

  /** How points look in this view. All lengths are CSS pixels. */
  function look({ scene, style, area, magnification, shown }) {
    const radius = discRadius(shown, magnification);
    const count = countWithin(xy, style.visible, area);
    const dims = style.selected.length > 1 && style.selected.length < shown;
    const tile = style.thumbnails && style.sprite ? thumbnailSize(shown, area, style.sprite, magnification) : 0;
    return { radius, opacity: discOpacity(count, radius, area) * (dims ? DIMMED : 1), tile, count, fade: scene.dims === 3 ? FADE : 0, dims };
  }

  /**
   * @param {boolean} moving coarser where there are many points
   * @param {number} ratio device pixels a CSS pixel
   * @returns {{picture: object, look: object}}
   */
  function paint(spec, ratio, moving, keep = true) {
    const { scene, style, area, width, height } = spec;
    const coarse = moving && scene.n > MANY;
    const picture = createOrClear(keep ? last?.picture : null, width, height, coarse ? 1 : ratio);
    const shape = look(spec);
    const points = { xy, colors: colorsOf(style.colors, scene.n, style.chrome), order: sorted?.order ?? null, levels: sorted?.levels ?? null, visible: sorted ? null : style.visible };
    if (shape.tile) paintTiles(picture, points, spec, shape, moving);
    else paintDiscs(picture, points, spec, shape, coarse);
    straighten(picture);
    if (keep) last = { picture, spec, shape };
    return { picture, look: shape };
  }

  function paintDiscs(picture, points, { scene, style, area }, shape, coarse) {
    const { scale } = picture;
    const opacity = coarse && scene.n > VERY_MANY && !shape.dims ? 1 : shape.opacity;
    const stamps = coarse ? stampsOf('plus', opacity) : stampsOf('disc', round(shape.radius * scale), { opacity: round(opacity), fade: shape.fade });
    drawStamps(picture, points, stamps, area);
    const put = (rows_, radius, color, inner = 0) => drawStamps(picture, { ...points, order: rows_, colors: color, levels: null, visible: style.visible },
      stampsOf('disc', round(radius * scale), { inner: inner * scale }), area);
    const ground = rgba(style.chrome.background);
    for (const { rows: marked, radius, ring, color } of marks(style, shape)) {
      put(marked, radius + ring + 1, ground);
      put(marked, radius + ring + 0.25, rgba(color), radius + 0.25 + (ring > 1 ? 0.5 : 0));
      put(marked, radius, points.colors);
    }
  }

  function paintTiles(picture, points, { style, area }, shape, moving) {
    const sides = tileSides(style.sprite, shape.tile * picture.scale);
    const atlas = atlases(style.sprite, shape.tile * picture.scale, moving);
    const size = { ...sides, frame: Math.max(1, Math.round(1.25 * picture.scale)) };
    drawTiles(picture, points, atlas, style.sprite.tile, { ...size, opacity: shape.dims ? DIMMED : 0.9 }, area);
    for (const { rows: marked } of marks(style, shape)) {
      drawTiles(picture, { ...points, order: marked, levels: null, visible: style.visible }, atlas, style.sprite.tile, { ...size, opacity: 1 }, area);
    }
  }

  /** The row numbers at rest, made when first asked for. */
  function rowPicture() {
    if (!last) return null;
    const { spec: { scene, style, area, width, height }, shape } = last;
    if (!stale && rows) return rows;
    if (!rows || rows.length !== Math.ceil(width) * Math.ceil(height)) rows = new Int32Array(Math.ceil(width) * Math.ceil(height));
    rows.fill(-1);
    const points = { xy, order: sorted?.order ?? null, visible: sorted ? null : style.visible };
    const sides = shape.tile ? tileSides(style.sprite, shape.tile) : null;
    const square = (factor) => new Int32Array(2 * Math.round((sides.height * factor) / 2) + 1).fill(Math.round((sides.width * factor) / 2));
    drawRows(rows, Math.ceil(width), Math.ceil(height), points, sides ? square(0.8) : discSpans(scene.n > MANY ? Math.max(1, shape.radius) : shape.radius), area);
    for (const { rows: marked, radius, ring } of marks(style, shape)) {
      drawRows(rows, Math.ceil(width), Math.ceil(height), { ...points, order: marked, visible: style.visible }, sides ? square(1.2) : discSpans(radius + ring), area);
    }
    stale = false;
    return rows;
  }

  return {
    project, paint, rowPicture,
    /** @param {number} x @param {number} y CSS pixels from the host's corner @returns {number} row or -1 */
    rowAt(x, y) {
      const all = rowPicture();
      return all ? rowNear(all, Math.ceil(last.spec.width), Math.ceil(last.spec.height), x, y, REACH) : -1;
    },
    positions: () => xy,
    order: () => sorted?.order ?? null,
    stale: () => { stale = true; },
  };
}

/** The points that stand out, the most important last. @returns {{rows, radius, ring, color, kind}[]} */
export function marks(style, { radius }) {
  const many = style.selected.length > 60;
  return [
    { kind: 'neighbor', rows: style.neighbors, radius: Math.max(radius * 1.15, 2.5), ring: 1.25, color: style.chrome.text },
    { kind: 'selected', rows: style.selected, radius: many ? Math.max(radius * 1.1, 2) : Math.max(radius * 1.5, 4), ring: many ? 1 : 2, color: style.chrome.accent },
  ].filter(({ rows }) => rows.length);
}

const round = (x) => Math.round(8 * x) / 8;

function createOrClear(before, width, height, scale) {
  if (before && before.scale === scale && before.width === Math.max(1, Math.round(width * scale)) && before.height === Math.max(1, Math.round(height * scale))) {
    before.pixels.fill(0);
    return before;
  }
  return createPicture(width, height, scale);
}

/** Keep what a function made, by its arguments; a few dozen of them. */
function remembered(make) {
  const kept = new Map();
  return (...inputs) => {
    const key = JSON.stringify(inputs);
    if (!kept.has(key)) {
      if (kept.size > 60) kept.clear();
      kept.set(key, make(...inputs));
    }
    return kept.get(key);
  };
}

const colorViews = new WeakMap();

/** @returns {Uint32Array | number} opaque pixels a row, without a copy where the bytes allow it */
function colorsOf(colors, n, chrome) {
  if (!colors) return rgba(chrome.accent);
  if (!colorViews.has(colors)) {
    const aligned = colors.byteOffset % 4 === 0 ? colors : colors.slice();
    colorViews.set(colors, new Uint32Array(aligned.buffer, aligned.byteOffset, n));
  }
  return colorViews.get(colors);
}

const parsed = new Map();
let probe = null;

/** @param {string} color any CSS color @returns {number} opaque little-endian RGBA */
export function rgba(color) {
  if (!parsed.has(color)) {
    probe ??= h('canvas', { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
    probe.fillStyle = '#808080';
    probe.fillStyle = color;
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
    parsed.set(color, ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0);
  }
  return parsed.get(color);
}

/** Scaled sheets; while moving, the last one serves at any size. */
function createAtlases() {
  let kept = null;
  return (sprite, size, moving) => {
    const sides = atlasSides(sprite, sprite.image, Math.round(size));
    const fits = kept && kept.sprite === sprite;
    if (fits && (moving || (kept.sides.width === sides.width && kept.sides.height === sides.height))) return kept.atlas;
    const width = sides.width * sprite.columns;
    const height = sides.height * sides.rows;
    const context = h('canvas', { width, height }).getContext('2d', { willReadFrequently: true });
    context.imageSmoothingQuality = 'high';
    context.drawImage(sprite.image, 0, 0, sprite.columns * sprite.tileWidth, sides.rows * sprite.tileHeight, 0, 0, width, height);
    kept = { sprite, sides, atlas: createAtlas(context.getImageData(0, 0, width, height).data, width, sides, sprite) };
    return kept.atlas;
  };
}
