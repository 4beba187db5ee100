import { createOccupied } from '#js/drawing/labels.js';

/**
 * Names of groups of points: where each stands in the map, and which of them have room in a view. The preview has the
 * same in embviz/preview/names.py.
 *
 * A name stands at the densest part of its group, not at the middle of all: of a class that lies in two islands the
 * middle is between them. Of each group as many points are looked at as say where it lies.
 */

/** Points of a group that are looked at, spread evenly over its rows. */
const LOOKED_AT = 256;
/** Cells of a group's own box along each axis, in 2D and 3D. */
const CELLS = { 2: 16, 3: 8 };
/** A part ends where there are fewer points than this share of what surrounds the usual point. */
const SPARSE = 0.3;
/** Pixels that names keep from each other and from what else is written. */
const APART = 8;
/** A name of a finer level is drawn where its group is at least this part as wide as the name. */
const LEAST = 0.6;
/** A group that reaches beyond this many views is named after all finer ones. */
const MOST = 1.2;
const ROUNDING = 1e-6;

/**
 * @param {Int32Array} codes group of each point, -1 for none @param {number} n_groups
 * @param {Uint8Array | null} visible 0 where a point is hidden
 * @returns {{sizes: Int32Array, rows: Int32Array[]}} how many points of each group are shown, and those of them that
 *   say where it lies
 */
export function gatherGroups(codes, n_groups, visible) {
  const sizes = new Int32Array(n_groups);
  for (let i = 0; i < codes.length; i++) if (codes[i] >= 0 && (!visible || visible[i])) sizes[codes[i]]++;
  const rows = Array.from(sizes, (size) => new Int32Array(Math.min(size, LOOKED_AT)));
  const seen = new Int32Array(n_groups);
  const taken = new Int32Array(n_groups);
  for (let i = 0; i < codes.length; i++) {
    const g = codes[i];
    if (g < 0 || (visible && !visible[i])) continue;
    seen[g]++;
    if (Math.floor((seen[g] * rows[g].length) / sizes[g]) > taken[g]) rows[g][taken[g]++] = i;
  }
  return { sizes, rows };
}

/** @param {ArrayLike<number>} sorted @returns {number} */
const middle = (sorted) => sorted[Math.floor((sorted.length - 1) / 2)];

/**
 * @param {Float32Array} coordinates (n, dims) row by row @param {number} dims 2 or 3 @param {Int32Array} rows
 * @returns {{at: number[], reach: number[]} | null} where a group's name stands, and how far the part of the group
 *   around it reaches along each axis; null where none of its points has a place
 */
export function placeGroup(coordinates, dims, rows) {
  const there = rows.filter((row) => {
    for (let j = 0; j < dims; j++) if (!Number.isFinite(coordinates[row * dims + j])) return false;
    return true;
  });
  if (!there.length) return null;
  const columns = Array.from({ length: dims }, (_, j) =>
    Float64Array.from(there, (row) => coordinates[row * dims + j]),
  );
  const { members, cells, kept, cellOf } = densestPart(columns);
  const part = columns.map((column) => Float64Array.from(members, (i) => column[i]).sort());
  const at = part.map(middle);
  const reach = part.map((x) => (x[Math.ceil(0.9 * (x.length - 1))] - x[Math.floor(0.1 * (x.length - 1))]) / 2);
  // Of a crescent the middle is outside: the nearest of its points then.
  if (!kept[cellOf((j) => at[j])]) {
    let [best, least] = [0, Infinity];
    for (const i of members) {
      const away = columns.reduce((sum, column, j) => sum + (column[i] - at[j]) ** 2 / (cells.span[j] || 1) ** 2, 0);
      if (away < least) [best, least] = [i, away];
    }
    return { at: columns.map((column) => column[best]), reach };
  }
  return { at, reach };
}

/** The largest part of a group that holds together, by a grid over where most of its points lie. */
function densestPart(columns) {
  const dims = columns.length;
  const side = CELLS[dims];
  const count = columns[0].length;
  const sorted = columns.map((column) => column.slice().sort());
  const low = sorted.map((x) => x[Math.floor(0.05 * (count - 1))]);
  const span = sorted.map((x, j) => x[Math.ceil(0.95 * (count - 1))] - low[j]);
  const along = (x, j) => {
    const part = span[j] > 0 ? (x - low[j]) / span[j] : x === low[j] ? 0 : -1;
    return part >= 0 && part <= 1 ? Math.min(side - 1, Math.floor(part * side)) : NaN;
  };
  /** @returns {number} the cell of a place, -1 outside */
  const cellOf = (at) => {
    let cell = 0;
    for (let j = 0; j < dims; j++) cell = cell * side + along(at(j), j);
    return cell >= 0 ? cell : -1;
  };
  const of = new Int32Array(count);
  for (let i = 0; i < count; i++) of[i] = cellOf((j) => columns[j][i]);
  const counts = new Int32Array(side ** dims);
  for (const cell of of) if (cell >= 0) counts[cell]++;
  const around = sumsAround(counts, dims, side);
  const usual = middle(
    Int32Array.from(
      of.filter((cell) => cell >= 0),
      (cell) => around[cell],
    ).sort(),
  );
  const kept = largestPart(counts, around, SPARSE * usual, dims, side);
  const members = [];
  of.forEach((cell, i) => cell >= 0 && kept[cell] && members.push(i));
  return { members, kept, cellOf, cells: { span } };
}

/** @returns {Int32Array} points in each cell and those beside it, corners too */
function sumsAround(counts, dims, side) {
  let sums = counts;
  for (let j = 0, step = 1; j < dims; j++, step *= side) {
    const next = new Int32Array(sums.length);
    for (let c = 0; c < sums.length; c++) {
      const at = Math.floor(c / step) % side;
      next[c] = sums[c] + (at > 0 ? sums[c - step] : 0) + (at < side - 1 ? sums[c + step] : 0);
    }
    sums = next;
  }
  return sums;
}

/** @returns {Uint8Array} 1 for the cells of the part with the most points; of equal ones the first */
function largestPart(counts, around, least, dims, side) {
  const part = new Int32Array(counts.length).fill(-1);
  let [best, most] = [-1, -1];
  for (let start = 0; start < counts.length; start++) {
    if (part[start] >= 0 || around[start] < least || !counts[start]) continue;
    const stack = [start];
    part[start] = start;
    let total = 0;
    while (stack.length) {
      const cell = stack.pop();
      total += counts[cell];
      for (let j = 0, step = 1; j < dims; j++, step *= side) {
        const at = Math.floor(cell / step) % side;
        for (const next of [at > 0 ? cell - step : -1, at < side - 1 ? cell + step : -1]) {
          if (next < 0 || part[next] >= 0 || around[next] < least) continue;
          part[next] = start;
          stack.push(next);
        }
      }
    }
    if (total > most) [best, most] = [start, total];
  }
  return Uint8Array.from(part, (of) => (of === best ? 1 : 0));
}

/**
 * A name that could be drawn. Lengths are CSS pixels.
 *
 * @typedef {{text: string, x: number, y: number, dx: number, dy: number, width: number, height: number,
 *   level: number, finest: boolean, size: number}} Wanted `dx` and `dy` are how far its group reaches to each side,
 *   `level` is 0 for the coarsest, `size` how many points of the group are shown
 */

/**
 * The order in which names are given room: the larger group first, what is too large for the view last; names of
 * groups that are too small for this zoom are left out.
 *
 * @param {Wanted[]} names @param {{width: number, height: number}} area
 * @returns {number[]} places in the list
 */
export function orderNames(names, area) {
  const isLarge = ({ finest, dx, dy }) => !finest && (2 * dx > MOST * area.width || 2 * dy > MOST * area.height);
  return names
    .map((name, i) => ({ ...name, i, late: isLarge(name) ? 1 : 0 }))
    .filter(({ level, dx, dy, width }) => level === 0 || 2 * Math.max(dx, dy) >= LEAST * width)
    .sort((a, b) => a.late - b.late || b.size - a.size || a.level - b.level || a.i - b.i)
    .map(({ i }) => i);
}

/**
 * Give names room, the first in the order first: at the middle of its group, else a little beside it, else not at all.
 *
 * @param {Wanted[]} names @param {number[]} order of what may be drawn
 * @param {{left: number, top: number, width: number, height: number}} bounds names stay within
 * @param {number[][]} taken boxes [left, top, right, bottom] of what else is written
 * @returns {(number[] | null)[]} the box of each name
 */
export function placeNames(names, order, bounds, taken = []) {
  const occupied = createOccupied();
  for (const box of taken) occupied.add(box);
  const said = new Map();
  /** @type {(number[] | null)[]} */
  const out = names.map(() => null);
  for (const i of order) {
    const { text, level, width, height } = names[i];
    // A finer group with the name of the one around it says nothing new.
    if (said.has(text) && said.get(text) !== level) continue;
    const box = positions(names[i], bounds)
      .map(([x, y]) => [x - width / 2, y - height / 2, x + width / 2, y + height / 2])
      .find((b) => !occupied.hits([b[0] - APART, b[1] - APART / 2, b[2] + APART, b[3] + APART / 2]));
    if (!box) continue;
    occupied.add(box);
    said.set(text, level);
    out[i] = box;
  }
  return out;
}

/** Where the middle of a name may be: on its group, and the whole name within the bounds. */
function positions({ x, y, dx, dy, width, height }, bounds) {
  const up = Math.min(height, dy);
  const aside = Math.min(width / 2, dx);
  const [left, right] = [bounds.left + width / 2, bounds.left + bounds.width - width / 2];
  const [top, bottom] = [bounds.top + height / 2, bounds.top + bounds.height - height / 2];
  if (left > right || top > bottom) return [];
  return [
    [x, y],
    [x, y - up],
    [x, y + up],
    [x - aside, y],
    [x + aside, y],
  ]
    .map(([u, v]) => [Math.min(Math.max(u, left), right), Math.min(Math.max(v, top), bottom)])
    .filter(([u, v]) => Math.abs(u - x) <= dx + ROUNDING && Math.abs(v - y) <= dy + ROUNDING);
}

/** @returns {string[]} a name in one line, or in two of about the same length where it is long */
export function nameLines(text, most = 20) {
  const characters = Array.from(text);
  if (characters.length <= most) return [text];
  const spaces = characters.flatMap((c, i) => (c === ' ' ? [i] : []));
  if (!spaces.length) return [text];
  const half = (characters.length - 1) / 2;
  const at = spaces.reduce((best, i) => (Math.abs(i - half) < Math.abs(best - half) ? i : best));
  return [characters.slice(0, at).join(''), characters.slice(at + 1).join('')];
}
