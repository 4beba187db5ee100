/**
 * Where the points of a class lie thick: outlines of its density (Mayorga and Gleicher, "Splatterplots", IEEE TVCG
 * 2013). The density is that of a Gaussian kernel whose width on each axis is by Scott's rule, n^(-1/6) standard
 * deviations, on a grid of 256 x 256 over the class; the kernel is three running means in turn. The bound is the
 * density above which four of five of the class's points lie.
 */

const CELLS = 256;
const SHARE = 0.8;
const LEAST = 10;

/**
 * @param {Float32Array} coordinates (n, 2) @param {Int32Array} rows of one class
 * @returns {Float32Array[]} closed lines, (m, 2) in the units of the coordinates, the first place once; none of fewer
 *   than 10 points
 */
export function contoursOf(coordinates, rows) {
  const there = rows.filter(
    (row) => Number.isFinite(coordinates[2 * row]) && Number.isFinite(coordinates[2 * row + 1]),
  );
  if (there.length < LEAST) return [];
  const axes = [0, 1].map((j) => axisOf(Float64Array.from(there, (row) => coordinates[2 * row + j])));
  if (axes.some(({ cell }) => !(cell > 0))) return [];
  const [x, y] = axes.map(({ values, from, cell }) => values.map((value) => (value - from) / cell));
  const grid = densityOf(x, y, axes);
  const heights = x.map((_, i) => heightAt(grid, x[i], y[i])).sort();
  const lines = outlines(grid, heights[Math.floor((1 - SHARE) * heights.length)]);
  return lines.map((line) => Float32Array.from(line, (at, i) => axes[i % 2].from + at * axes[i % 2].cell));
}

/** One axis of a grid over some values: where it begins, its cells, and the width of the kernel in cells. */
function axisOf(values) {
  const n = values.length;
  let [low, high, sum] = [Infinity, -Infinity, 0];
  for (const value of values) [low, high, sum] = [Math.min(low, value), Math.max(high, value), sum + value];
  let squares = 0;
  for (const value of values) squares += (value - sum / n) ** 2;
  const width = n ** (-1 / 6) * Math.sqrt(squares / n);
  const cell = (high - low + 8 * width) / (CELLS - 9);
  return { values, cell, from: low - 4 * width - 4 * cell, width: Math.max(1, width / cell) };
}

function densityOf(x, y, axes) {
  const grid = new Float64Array(CELLS * CELLS);
  for (let i = 0; i < x.length; i++) {
    const [u, v] = [Math.floor(x[i]), Math.floor(y[i])];
    const [fu, fv] = [x[i] - u, y[i] - v];
    const at = v * CELLS + u;
    grid[at] += (1 - fu) * (1 - fv);
    grid[at + 1] += fu * (1 - fv);
    grid[at + CELLS] += (1 - fu) * fv;
    grid[at + CELLS + 1] += fu * fv;
  }
  axes.forEach(({ width }, j) => {
    // Three means of m cells have the variance (m^2 - 1) / 4.
    const half = Math.max(1, Math.round((Math.sqrt(4 * width * width + 1) - 1) / 2));
    for (let pass = 0; pass < 3; pass++) runningMean(grid, half, j === 0 ? [1, CELLS] : [CELLS, 1]);
  });
  return grid;
}

/** The mean of each cell with `half` cells on both sides, in place, line by line. */
function runningMean(grid, half, [step, next]) {
  const line = new Float64Array(CELLS + 2 * half + 1);
  for (let start = 0; start < CELLS; start++) {
    // Sums from the first on: a window is the difference of two.
    for (let k = 0; k < CELLS + 2 * half; k++) {
      const i = k - half;
      line[k + 1] = line[k] + (i >= 0 && i < CELLS ? grid[start * next + i * step] : 0);
    }
    for (let k = 0; k < CELLS; k++) grid[start * next + k * step] = (line[k + 2 * half + 1] - line[k]) / (2 * half + 1);
  }
}

function heightAt(grid, x, y) {
  const [u, v] = [Math.floor(x), Math.floor(y)];
  const [fu, fv] = [x - u, y - v];
  const at = v * CELLS + u;
  return (
    (grid[at] * (1 - fu) + grid[at + 1] * fu) * (1 - fv) +
    (grid[at + CELLS] * (1 - fu) + grid[at + CELLS + 1] * fu) * fv
  );
}

/** The corners of a cell clockwise, and the edge from each to the next. */
const CORNERS = [0, 1, CELLS + 1, CELLS];
const EDGES = [0, 3, 2 * CELLS, 1];

/**
 * Marching squares. Edges are numbered: 2 at from a cell's corner to the right, 2 at + 1 from it down.
 *
 * @returns {Float64Array[]} closed lines, (m, 2) in cells; what is above the level lies on one side of all
 */
function outlines(grid, level) {
  const next = new Map();
  for (let v = 0; v < CELLS - 1; v++)
    for (let u = 0; u < CELLS - 1; u++) {
      const at = v * CELLS + u;
      const heights = CORNERS.map((corner) => grid[at + corner]);
      const isIn = heights.map((height) => height >= level);
      const count = isIn.filter(Boolean).length;
      if (count === 0 || count === 4) continue;
      const isEnd = (k) => !isIn[k] && isIn[(k + 1) % 4];
      // Where two corners across are above, the middle says whether they are one.
      const turn = heights.reduce((a, b) => a + b) / 4 >= level ? 1 : 3;
      for (let k = 0; k < 4; k++) {
        if (!isIn[k] || isIn[(k + 1) % 4]) continue;
        let to = (k + turn) % 4;
        while (!isEnd(to)) to = (to + turn) % 4;
        next.set(2 * at + EDGES[k], 2 * at + EDGES[to]);
      }
    }
  const lines = [];
  for (const first of next.keys()) {
    const line = [];
    for (let edge = first; next.has(edge);) {
      line.push(...crossing(grid, level, edge));
      const after = next.get(edge);
      next.delete(edge);
      edge = after;
    }
    if (line.length) lines.push(Float64Array.from(line));
  }
  return lines;
}

function crossing(grid, level, edge) {
  const at = edge >> 1;
  const part = (other) => (level - grid[at]) / (grid[other] - grid[at]);
  const [u, v] = [at % CELLS, Math.floor(at / CELLS)];
  return edge % 2 ? [u, v + part(at + CELLS)] : [u + part(at + 1), v];
}
