/** @import { Camera2, Camera3 } from '#js/drawing/types.js' */

/**
 * Where coordinates land on the screen. A view is plain data:
 * {dims: 2, x: [a, b], y: [c, d]} in the coordinates' unit, or {dims: 3, eye, center, up: {x, y, z}, projection:
 * {type}} in units of the scene, where the box is `aspect` long around the origin. Screen positions are CSS pixels from
 * the host.
 */

export const NEAR = 0.01;
export const FAR = 1000;
export const FIELD_OF_VIEW = Math.PI / 4;
export const TOOLS_HEIGHT = 52;

/** @returns {{min: number[], max: number[]}} the box of all finite points; 0 .. 0 where there are none */
export function boxOf(coordinates, n, dims) {
  const min = new Array(dims).fill(Infinity);
  const max = new Array(dims).fill(-Infinity);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < dims; j++) {
      const x = coordinates[i * dims + j];
      if (x < min[j] && x > -Infinity) min[j] = x;
      if (x > max[j] && x < Infinity) max[j] = x;
    }
  }
  return { min: min.map((x) => (x < Infinity ? x : 0)), max: max.map((x) => (x > -Infinity ? x : 0)) };
}

/** @returns {{min: number[], max: number[]}} the box with every side long enough to divide by */
export function widened({ min, max }) {
  const spans = min.map((low, j) => max[j] - low);
  const largest = Math.max(...spans);
  const half = spans.map((span, j) => {
    const scale = Math.max(Math.abs(min[j]), Math.abs(max[j]));
    if (span > scale * 1e-12 && span > 0) return 0;
    return (largest > scale * 1e-12 ? largest : Math.max(1, scale * 1e-6)) / 2;
  });
  return { min: min.map((x, j) => x - half[j]), max: max.map((x, j) => x + half[j]) };
}

/**
 * The rectangle that points may fill.
 *
 * @param {number} width @param {number} height of the host
 * @param {{dims: number, axes: {title: string, low: string, high: string}[] | null}} scene
 * @param {number} [foot] the height of what lies below
 * @returns {{left: number, top: number, width: number, height: number}}
 */
export function plotArea(width, height, { dims, axes }, foot = 0) {
  const margin = { left: 0, top: 0, right: 0, bottom: foot };
  if (dims === 2 && axes) {
    const named = axes[1] && (axes[1].title || axes[1].low || axes[1].high);
    Object.assign(margin, { left: named ? 64 : 44, top: TOOLS_HEIGHT + 4, right: 24, bottom: 44 + foot });
  }
  return {
    left: margin.left,
    top: margin.top,
    width: Math.max(1, width - margin.left - margin.right),
    height: Math.max(1, height - margin.top - margin.bottom),
  };
}

/**
 * About 5 % around the points, and the `room` that one takes around its place; where they fill the host, the tools' row
 * above is left free too.
 */
function inset(area, room) {
  const x = Math.max(8, 0.05 * area.width, room + 4);
  const y = Math.max(8, 0.05 * area.height, room + 4);
  const top = area.top > 0 ? y : Math.max(y, TOOLS_HEIGHT + room);
  return { x: Math.min(x, area.width / 4), top: Math.min(top, area.height / 4), bottom: Math.min(y, area.height / 4) };
}

/**
 * Whether both axes have one scale. Where axes are shown it gives way when it would leave more than half of the area
 * empty: components of very different variance would be a thin line otherwise.
 */
export function hasEqualScale(box, area, axesShown) {
  if (!axesShown) return true;
  const a = (box.max[0] - box.min[0]) / area.width;
  const b = (box.max[1] - box.min[1]) / area.height;
  return Math.min(a, b) / Math.max(a, b) >= 0.5;
}

/**
 * @param {boolean} equal one scale on both axes @param {number} [room] that a point takes around its place, in pixels
 * @returns {Camera2} the 2D view that shows the box with a margin
 */
export function homeView2(box, area, equal, room = 0) {
  const edge = inset(area, room);
  const inner = { width: area.width - 2 * edge.x, height: area.height - edge.top - edge.bottom };
  let kx = (box.max[0] - box.min[0]) / inner.width;
  let ky = (box.max[1] - box.min[1]) / inner.height;
  if (equal) kx = ky = Math.max(kx, ky);
  const cx = (box.min[0] + box.max[0]) / 2;
  const cy = (box.min[1] + box.max[1]) / 2 + (ky * (edge.top - edge.bottom)) / 2;
  return { dims: 2, x: around(cx, kx * area.width), y: around(cy, ky * area.height) };
}

const around = (middle, span) => [middle - span / 2, middle + span / 2];
const middle = ([a, b]) => (a + b) / 2;

/** @returns {Camera2} a 2D view with one scale that shows at least what `view` shows */
export function equalized(view, area) {
  const k = Math.max(Math.abs(view.x[1] - view.x[0]) / area.width, Math.abs(view.y[1] - view.y[0]) / area.height);
  return { dims: 2, x: around(middle(view.x), k * area.width), y: around(middle(view.y), k * area.height) };
}

/** @returns {Camera2} a 2D view for another area: the same middle, as much as before along the shorter side */
export function resized2(view, before, after, equal) {
  if (!equal) return view;
  const k =
    ((view.x[1] - view.x[0]) / before.width) *
    (Math.min(before.width, before.height) / Math.min(after.width, after.height));
  return { dims: 2, x: around(middle(view.x), k * after.width), y: around(middle(view.y), k * after.height) };
}

/** @param {number} dx @param {number} dy how far the picture moves, in pixels */
export function panned2(view, area, dx, dy) {
  const mx = (dx / area.width) * (view.x[1] - view.x[0]);
  const my = (dy / area.height) * (view.y[1] - view.y[0]);
  return { dims: 2, x: view.x.map((x) => x - mx), y: view.y.map((y) => y + my) };
}

/**
 * @param {number} factor above 1 comes nearer @param {number[]} at the screen position that stays
 * @returns {Camera2}
 */
export function zoomed2(view, area, factor, at = [area.left + area.width / 2, area.top + area.height / 2]) {
  const px = view.x[0] + ((at[0] - area.left) / area.width) * (view.x[1] - view.x[0]);
  const py = view.y[1] - ((at[1] - area.top) / area.height) * (view.y[1] - view.y[0]);
  return { dims: 2, x: view.x.map((x) => px + (x - px) / factor), y: view.y.map((y) => py + (y - py) / factor) };
}

/** @returns {{kx, bx, ky, by}} screen x = kx * x + bx, screen y = ky * y + by */
export function transform2(view, area) {
  const kx = area.width / (view.x[1] - view.x[0]);
  const ky = -area.height / (view.y[1] - view.y[0]);
  return { kx, bx: area.left - kx * view.x[0], ky, by: area.top - ky * view.y[1] };
}

/** @param {Float32Array} coordinates (n, 2) @param {Float32Array} out (n, 2) screen positions */
export function project2(coordinates, n, { kx, bx, ky, by }, out) {
  for (let i = 0; i < 2 * n; i += 2) {
    out[i] = kx * coordinates[i] + bx;
    out[i + 1] = ky * coordinates[i + 1] + by;
  }
}

/** @returns {number[]} the box's sides in scene units, the longest 1; a cube where they differ more than fourfold */
export function boxAspect(box, axesShown) {
  const spans = box.max.map((x, j) => x - box.min[j]);
  const longest = Math.max(...spans);
  if (axesShown && longest > 4 * Math.min(...spans)) return [1, 1, 1];
  return spans.map((span) => Math.max(span / longest, 1e-3));
}

const vector = ({ x, y, z }) => [x, y, z];
/** @param {number[]} values */
const point = ([x, y, z]) => ({ x, y, z });
const minus = (a, b) => a.map((x, i) => x - b[i]);
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const unit = (a) => a.map((x) => x / (Math.hypot(...a) || 1));

/** @returns {number[][]} right, up and backward of a 3D view, orthonormal */
export function frame(view) {
  const back = unit(minus(vector(view.eye), vector(view.center)));
  const up = vector(view.up);
  const sideways = cross(up, back);
  const right = unit(
    Math.hypot(...sideways) > 1e-9 ? sideways : cross(Math.abs(back[0]) < 0.9 ? [1, 0, 0] : [0, 1, 0], back),
  );
  return [right, cross(back, right), back];
}

/** @returns {Float64Array} a * b of 4 x 4 matrices, column by column */
export function multiply(a, b) {
  const out = new Float64Array(16);
  for (let c = 0; c < 4; c++) {
    for (let r = 0; r < 4; r++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += a[4 * k + r] * b[4 * c + k];
      out[4 * c + r] = sum;
    }
  }
  return out;
}

/** @returns {number[]} the matrix that scales and centers data, as gl-plot3d's model matrix does */
export function modelMatrix(box, aspect) {
  const k = aspect.map((a, j) => a / (box.max[j] - box.min[j]));
  const t = k.map((x, j) => -x * (box.min[j] + (box.max[j] - box.min[j]) / 2));
  return [k[0], 0, 0, 0, 0, k[1], 0, 0, 0, 0, k[2], 0, t[0], t[1], t[2], 1];
}

/** @returns {Float64Array} projection * view * model of a 3D view, as gl-plot3d has it */
export function clipMatrix(view, box, aspect, area) {
  const [r, u, b] = frame(view);
  const eye = vector(view.eye);
  const look = [
    r[0],
    u[0],
    b[0],
    0,
    r[1],
    u[1],
    b[1],
    0,
    r[2],
    u[2],
    b[2],
    0,
    -dot(r, eye),
    -dot(u, eye),
    -dot(b, eye),
    1,
  ];
  return multiply(projectionMatrix(view, area), multiply(look, modelMatrix(box, aspect)));
}

function projectionMatrix(view, area) {
  const ratio = area.width / area.height;
  if (view.projection?.type === 'orthographic') {
    return [1 / ratio, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2 / (NEAR - FAR), 0, 0, 0, (FAR + NEAR) / (NEAR - FAR), 1];
  }
  const f = 1 / Math.tan(FIELD_OF_VIEW / 2);
  return [
    f / ratio,
    0,
    0,
    0,
    0,
    f,
    0,
    0,
    0,
    0,
    (FAR + NEAR) / (NEAR - FAR),
    -1,
    0,
    0,
    (2 * FAR * NEAR) / (NEAR - FAR),
    0,
  ];
}

/**
 * @param {ArrayLike<number>} coordinates (n, 3) @param {Iterable<number>} m clip matrix, column by column
 * @param {Float32Array} xy out, (n, 2) screen positions; NaN behind the camera
 * @param {Float32Array} depth out, (n,) grows away from the camera
 */
export function project3(coordinates, n, m, area, xy, depth) {
  const [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15] = m;
  const hw = area.width / 2;
  const hh = area.height / 2;
  const cx = area.left + hw;
  const cy = area.top + hh;
  for (let i = 0, at = 0; i < n; i++, at += 3) {
    const x = coordinates[at];
    const y = coordinates[at + 1];
    const z = coordinates[at + 2];
    const w = m3 * x + m7 * y + m11 * z + m15;
    if (w > 1e-6) {
      xy[2 * i] = cx + (hw * (m0 * x + m4 * y + m8 * z + m12)) / w;
      xy[2 * i + 1] = cy - (hh * (m1 * x + m5 * y + m9 * z + m13)) / w;
      depth[i] = m2 * x + m6 * y + m10 * z + m14;
    } else {
      xy[2 * i] = xy[2 * i + 1] = depth[i] = NaN;
    }
  }
}

/** @returns {number[]} screen x, y of one position, NaN behind the camera */
export function projectPoint(position, m, area) {
  const xy = new Float32Array(2);
  project3(position, 1, m, area, xy, new Float32Array(1));
  return [xy[0], xy[1]];
}

/** From above a corner of the box. @type {Camera3} */
const FROM_CORNER = {
  dims: 3,
  eye: { x: 1.25, y: 1.25, z: 0.9 },
  center: { x: 0, y: 0, z: 0 },
  up: { x: 0, y: 0, z: 1 },
  projection: { type: 'perspective' },
};

/**
 * The 3D view from one side, as near as all points allow; where axes are shown, their box is in sight too.
 *
 * @param {{coordinates: Float32Array, n: number, axes: any[] | null, around?: Float32Array[]}} scene (n, 3); `around`
 *   in their place where there are more
 * @param {Camera3} [from] a camera on that side @param {number} [room] that a point takes around its place, in pixels
 * @returns {Camera3}
 */
export function homeView3(scene, box, aspect, area, from = FROM_CORNER, room = 0) {
  const { coordinates, n, axes, around = [coordinates] } = scene;
  const [right, up, back] = frame(from);
  const edge = inset(area, room);
  const tanY = Math.tan(FIELD_OF_VIEW / 2) * (1 - (2 * Math.max(edge.top, edge.bottom)) / area.height);
  const tanX = Math.tan(FIELD_OF_VIEW / 2) * (area.width / area.height) * (1 - (2 * edge.x) / area.width);
  const [[r0, r1, r2], [u0, u1, u2], [b0, b1, b2]] = [right, up, back];
  const needed = (x, y, z) =>
    b0 * x +
    b1 * y +
    b2 * z +
    Math.max(Math.abs(r0 * x + r1 * y + r2 * z) / tanX, Math.abs(u0 * x + u1 * y + u2 * z) / tanY);
  const m = modelMatrix(box, aspect);
  let distance = 0.2;
  for (const places of around) {
    for (let i = 0; i < 3 * n; i += 3) {
      const x = m[0] * places[i] + m[12];
      const y = m[5] * places[i + 1] + m[13];
      const z = m[10] * places[i + 2] + m[14];
      if (Math.abs(x) <= 1 && Math.abs(y) <= 1 && Math.abs(z) <= 1) distance = Math.max(distance, needed(x, y, z));
    }
  }
  if (axes) {
    const corners = Array.from({ length: 8 }, (_, bits) =>
      aspect.map((side, j) => ((bits >> j) & 1 ? side : -side) / 2),
    );
    distance = Math.max(distance, ...corners.map(([x, y, z]) => needed(x, y, z)));
  }
  return { ...structuredClone({ ...FROM_CORNER, up: from.up }), eye: point(back.map((x) => x * distance)) };
}

/** @param {number} right @param {number} up turn of the camera around its center, in radians */
export function orbited(view, right, up) {
  const [r, u] = frame(view);
  const center = vector(view.center);
  const turn = (v) => rotated(rotated(v, u, right), r, up);
  const eye = turn(minus(vector(view.eye), center));
  return { ...view, eye: point(eye.map((x, j) => x + center[j])), up: point(turn(u)) };
}

/** Rodrigues' rotation of v around a unit axis. */
function rotated(v, axis, angle) {
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const across = cross(axis, v);
  const along = dot(axis, v) * (1 - c);
  return v.map((x, j) => x * c + across[j] * s + axis[j] * along);
}

/** @param {number} factor above 1 comes nearer */
export function zoomed3(view, factor) {
  const center = vector(view.center);
  const eye = minus(vector(view.eye), center).map((x) => x / factor);
  const distance = Math.hypot(...eye);
  if (distance < 0.02 || distance > 100) return view;
  return { ...view, eye: point(eye.map((x, j) => x + center[j])) };
}

/** @returns {number} how much nearer a view is than another of the same dims: 2 shows half as much */
export function magnification(view, home) {
  if (view.dims === 2)
    return Math.sqrt(
      Math.abs(
        ((home.x[1] - home.x[0]) * (home.y[1] - home.y[0])) / ((view.x[1] - view.x[0]) * (view.y[1] - view.y[0])),
      ),
    );
  const distance = ({ eye, center }) => Math.hypot(eye.x - center.x, eye.y - center.y, eye.z - center.z);
  return distance(home) / Math.max(1e-9, distance(view));
}

/** @returns {boolean} whether two views show the same, but for rounding and for `up`, which a scene straightens */
export function isSameView(a, b) {
  if (a?.dims !== b?.dims) return false;
  const numbers = (view) => (view.dims === 2 ? [...view.x, ...view.y] : [...vector(view.eye), ...vector(view.center)]);
  const [p, q] = [numbers(a), numbers(b)];
  const scale = a.dims === 2 ? Math.max(a.x[1] - a.x[0], a.y[1] - a.y[0]) : 1;
  return p.every((x, i) => Math.abs(x - q[i]) <= 1e-6 * scale);
}

/** @returns {boolean} whether something is a view of that many dims; it may come from a link or a file */
export function isView(view, dims) {
  const isNumber = (x) => typeof x === 'number' && Number.isFinite(x);
  if (view?.dims !== dims) return false;
  if (dims === 2)
    return [view.x, view.y].every((r) => Array.isArray(r) && r.length === 2 && r.every(isNumber) && r[0] < r[1]);
  if (!['eye', 'center', 'up'].every((key) => view[key] && vector(view[key]).every(isNumber))) return false;
  return Math.hypot(...minus(vector(view.eye), vector(view.center))) > 1e-6;
}
