import { project2, project3 } from '#js/drawing/camera.js';
import { underlay } from '#js/drawing/cells.js';
import { deepen, densityShade } from '#js/drawing/density.js';
import { h } from '#js/dom.js';
import { fade } from '#js/drawing/fade.js';
import { rowNear } from '#js/drawing/hit.js';
import {
  countWithin,
  createPicture,
  depthOrder,
  discOpacity,
  discRadius,
  discSpans,
  discStamps,
  drawNearest,
  drawRows,
  drawStamps,
  drawTiles,
  plusStamps,
  straighten,
} from '#js/drawing/raster.js';
import { marks } from '#js/plot/rings.js';
import { createShuffle } from '#js/plot/shuffle.js';
import { atlasSides, createAtlas, spread, thumbnailSize, tileSides } from '#js/drawing/tiles.js';

/**
 * @import { Picture, Points } from '#js/drawing/types.js'
 * @import { Look } from '#js/plot/types.js'
 */

/** Above this many points, moving pictures are drawn coarser than resting ones. */
const MANY = 20000;
/** Above this many, moving points are opaque, which needs no blending. */
const VERY_MANY = 400000;
const DIMMED = 0.3;
/** Points that step back are still seen where one lies alone; they are faded together, as many would add up. */
const FAINTEST = 0.1;
const FADE = 0.4;
const REACH = 3;

/** @typedef {ReturnType<typeof createPointLayer>} PointLayer */

/**
 * The pixels of the points: their positions, a picture of them, and the row numbers under the pointer.
 * A `spec` is {scene, style, transform, area, width, height, magnification, shown}, lengths in CSS pixels.
 */
export function createPointLayer() {
  const layer = {
    xy: new Float32Array(0),
    shuffle: createShuffle(),
    drawn: null,
    drawnXy: new Float32Array(0),
    depth: null,
    sorted: null,
    nearest: new Float32Array(0),
    rows: null,
    stale: true,
    seen: null,
    last: null,
    atlases: createAtlases(),
  };
  return {
    /**
     * @param {number} ratio picture pixels a CSS pixel @param {boolean} moving coarser where there are many points
     * @param {boolean} [keep] whether this is what the pointer is over
     * @returns {{picture: Picture, look: Look}}
     */
    paint: (spec, ratio, moving, keep = true) => paint(layer, spec, ratio, moving, keep),
    /** Make the row numbers ready, so that the first look-up is as fast as the others. */
    rowPicture: () => rowPicture(layer),
    /** @param {number} x @param {number} y from the host's corner @returns {number} row or -1 */
    rowAt(x, y) {
      const picture = rowPicture(layer);
      return picture ? rowNear(picture.rows, picture.width, picture.height, x, y, REACH) : -1;
    },
    /** @returns {Float32Array} (n, 2) screen positions, NaN behind the camera; valid until the next `paint` */
    positions: () => layer.xy,
    /** @returns {Int32Array | null} the rows seen from far to near; null in 2D */
    order: (style) => (layer.depth ? drawnRows(layer, style) : null),
    /** @returns {Int32Array} the rows in the order of drawing; in 3D those seen */
    drawn: (style) => drawnRows(layer, style),
    /** @param {Int32Array} rows @returns {Int32Array} the same in the order of drawing, without regard to depth */
    arrange: (rows) => layer.drawn.arrange(rows),
  };
}

/** What of a style the row numbers depend on. */
const MARKING = ['visible', 'selected', 'neighbors', 'distances', 'thumbnails', 'sprite'];

function project(layer, spec, moving) {
  const {
    scene: { n, dims },
    style,
    transform,
    area,
  } = spec;
  const { seen, drawn } = layer;
  layer.seen = spec;
  layer.drawn = layer.shuffle(spec, colorsOf(style.colors, n, style.chrome), moving);
  // Where nothing but colors changes the points stay where they are, and what is under the pointer.
  if (seen && drawn === layer.drawn && isSamePlace(seen, spec)) {
    if (MARKING.every((key) => seen.style[key] === style[key])) return;
    layer.stale = true;
    layer.sorted = null;
    return;
  }
  if (layer.xy.length !== 2 * n) [layer.xy, layer.drawnXy] = [new Float32Array(2 * n), new Float32Array(2 * n)];
  layer.stale = true;
  layer.sorted = null;
  const { coordinates, order } = layer.drawn;
  if (dims === 2) {
    layer.depth = null;
    project2(coordinates, n, transform, layer.drawnXy);
  } else {
    if (layer.depth?.length !== n) layer.depth = new Float32Array(n);
    project3(coordinates, n, transform, area, layer.drawnXy, layer.depth);
  }
  scatter(layer.drawnXy, order, layer.xy);
}

/** Put positions that are in the order of drawing where their rows are. */
function scatter(from, order, to) {
  for (let k = 0; k < order.length; k++) {
    to[2 * order[k]] = from[2 * k];
    to[2 * order[k] + 1] = from[2 * k + 1];
  }
}

const isSame = (a, b) => a === b || Object.keys(a).every((key) => a[key] === b[key]);

const isSamePlace = (a, b) =>
  a.scene.coordinates === b.scene.coordinates &&
  a.scene.n === b.scene.n &&
  a.scene.dims === b.scene.dims &&
  a.shown === b.shown &&
  isSame(a.transform, b.transform) &&
  isSame(a.area, b.area) &&
  a.width === b.width &&
  a.height === b.height &&
  a.magnification === b.magnification;

const taken = ({ drawn }, values) => (values && typeof values === 'object' ? drawn.take(values) : values);

/** Sort by depth when first asked for. @returns {{order, levels} | null} of points as drawn; null in 2D */
function sortedOf(layer, style) {
  if (layer.depth) layer.sorted ??= depthOrder(layer.depth, taken(layer, style.visible));
  return layer.sorted;
}

function drawnRows(layer, style) {
  const { order } = layer.drawn;
  return sortedOf(layer, style)?.order.map((k) => order[k]) ?? order;
}

/**
 * How points look in this view: {radius, opacity, tile (0: discs), count (in sight), fade (with depth), dims (the
 * rest), strength (of all discs together), ground}.
 */
function lookOf({ xy }, { scene, style, area, magnification, shown }) {
  const radius = discRadius(shown, magnification);
  const count = countWithin(xy, style.visible, area);
  const dims = style.fades && style.selected.length > 0 && style.selected.length < shown;
  const ground = scene.dims === 2 ? style.density : null;
  const alone = discOpacity(count, radius, area);
  const strength = dims ? DIMMED : 1;
  // Where many overlap they let through what lies under them.
  const opacity = ground || dims ? Math.max(FAINTEST / strength, ground ? alone ** 1.5 : alone) : alone;
  const tile = style.thumbnails && style.sprite ? thumbnailSize(spread(xy, style.visible, area), style.sprite) : 0;
  return {
    radius,
    opacity,
    fade: scene.dims === 3 ? FADE : 0,
    ...{ tile, count, dims, strength, ground },
  };
}

/** @returns {Points} what raster.js draws, by row */
const pointsOf = (layer, { style, scene }) => ({
  xy: layer.xy,
  colors: colorsOf(style.colors, scene.n, style.chrome),
  order: null,
  levels: null,
  visible: style.visible,
});

/** @returns {Points} the same in the order of drawing, in which neither rows nor the legend have a say */
const drawnOf = (layer, { colors, visible }) => ({
  xy: layer.drawnXy,
  colors: taken(layer, colors),
  order: null,
  levels: null,
  visible: taken(layer, visible),
  rows: layer.drawn.order,
});

/** The same, in order of depth; the order leaves hidden points out already. */
function ordered(layer, points, style) {
  const drawn = drawnOf(layer, points);
  const sorted = sortedOf(layer, style);
  return sorted ? { ...drawn, ...sorted, rows: drawn.rows, visible: null } : drawn;
}

/** Some rows; the selected ones, who may be many, in the order of drawing. @returns {Points} */
const only = ({ drawn }, points, { kind, rows }) => ({
  ...points,
  order: kind === 'selected' ? drawn.arrange(rows) : rows,
});

function paint(layer, spec, ratio, moving, keep) {
  project(layer, spec, moving);
  const { scene, width, height } = spec;
  const coarse = moving && scene.n > MANY;
  const picture = createOrClear(keep ? layer.last?.picture : null, width, height, coarse ? 1 : ratio);
  const look = lookOf(layer, spec);
  if (look.tile) paintTiles(layer, picture, spec, look, moving);
  else paintDiscs(layer, picture, spec, look, coarse);
  if (look.ground) underlay(picture, look.ground, { ...spec, dark: spec.style.dark });
  straighten(picture);
  if (keep) layer.last = { picture, spec, look };
  return { picture, look };
}

function paintDiscs(layer, picture, spec, look, coarse) {
  const { scene, style, area } = spec;
  const { scale } = picture;
  const points = pointsOf(layer, spec);
  const opacity = finely(coarse && scene.n > VERY_MANY ? 1 : look.opacity);
  const disc = (radius, options) => stampsOf('disc', round(radius * scale), options);
  const drawn = drawnOf(layer, points);
  if (coarse && layer.depth) drawNearest(picture, drawn, layer.depth, depthBuffer(layer, picture), 1);
  else if (coarse) drawStamps(picture, drawn, stampsOf('plus', opacity), area);
  else drawStamps(picture, ordered(layer, points, style), disc(look.radius, { opacity, fade: look.fade }), area);
  if (style.oneColor) {
    const shade = densityShade(layer.xy, style.visible, area, look.opacity * Math.PI * look.radius ** 2);
    if (shade) deepen(picture, shade, area, style.dark);
  }
  if (look.dims) fade(picture, look.strength);
  const ground = rgba(style.chrome.background);
  for (const mark of marks(style, look)) {
    const { radius, ring, color } = mark;
    const put = (to, paint_, options) =>
      drawStamps(picture, { ...only(layer, points, mark), colors: paint_ }, disc(to, options), area);
    put(radius + ring + 1.5, ground);
    put(radius + ring + 0.5, rgba(color), { inner: (radius + 0.5) * scale });
    put(radius, points.colors);
  }
}

function depthBuffer(layer, { pixels }) {
  if (layer.nearest.length !== pixels.length) layer.nearest = new Float32Array(pixels.length);
  return layer.nearest;
}

function paintTiles(layer, picture, spec, look, moving) {
  const { style, area } = spec;
  const { sprite } = style;
  const side = look.tile * picture.scale;
  const points = pointsOf(layer, spec);
  const atlas = layer.atlases(sprite, side, moving);
  const size = { ...tileSides(sprite, side), frame: Math.max(1, Math.round(1.25 * picture.scale)) };
  drawTiles(
    picture,
    ordered(layer, points, style),
    atlas,
    sprite.tile,
    { ...size, opacity: look.dims ? DIMMED : 0.9 },
    area,
  );
  for (const mark of marks(style, look))
    drawTiles(picture, only(layer, points, mark), atlas, sprite.tile, { ...size, opacity: 1 }, area);
}

/** @returns {{rows: Int32Array, width: number, height: number} | null} a row number a CSS pixel */
function rowPicture(layer) {
  if (!layer.last) return null;
  const { spec, look } = layer.last;
  const { scene, style, area } = spec;
  const [width, height] = [Math.ceil(spec.width), Math.ceil(spec.height)];
  if (layer.rows?.length !== width * height) {
    layer.rows = new Int32Array(width * height);
    layer.stale = true;
  }
  const { rows } = layer;
  if (!layer.stale) return { rows, width, height };
  rows.fill(-1);
  const points = pointsOf(layer, spec);
  const sides = look.tile ? tileSides(style.sprite, look.tile) : null;
  const tile = (factor) =>
    new Int32Array(2 * Math.round((sides.height * factor) / 2) + 1).fill(Math.round((sides.width * factor) / 2));
  drawRows(
    rows,
    width,
    height,
    ordered(layer, points, style),
    sides ? tile(0.8) : discSpans(scene.n > MANY ? Math.max(1, look.radius) : look.radius),
    area,
  );
  for (const mark of marks(style, look)) {
    drawRows(
      rows,
      width,
      height,
      only(layer, points, mark),
      sides ? tile(1.2) : discSpans(mark.radius + mark.ring),
      area,
    );
  }
  layer.stale = false;
  return { rows, width, height };
}

const round = (x) => Math.round(8 * x) / 8;
/** An opacity, in finer steps where it is so faint that it could come to nothing. */
const finely = (x) => (x < 0.25 ? Math.round(64 * x) / 64 : round(x));

function createOrClear(before, width, height, scale) {
  if (
    before &&
    before.scale === scale &&
    before.width === Math.max(1, Math.round(width * scale)) &&
    before.height === Math.max(1, Math.round(height * scale))
  ) {
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

const stampsOf = remembered((kind, size, options) => (kind === 'plus' ? plusStamps(size) : discStamps(size, options)));

/**
 * Scaled sheets; while moving, the last one serves at any size. A sheet is scaled in one go, which mixes the outermost
 * pixel of a tile with its neighbor's: under the frame of a photograph, on the ground of ink.
 */
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
    context.drawImage(
      sprite.image,
      0,
      0,
      sprite.columns * sprite.tileWidth,
      sides.rows * sprite.tileHeight,
      0,
      0,
      width,
      height,
    );
    kept = { sprite, sides, atlas: createAtlas(context.getImageData(0, 0, width, height).data, width, sides, sprite) };
    return kept.atlas;
  };
}
