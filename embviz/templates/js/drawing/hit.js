/**
 * Which points lie in a drawn shape. Positions are (n, 2) screen pixels, NaN where a point is behind the camera;
 * occluded points count, hidden ones (visible 0) do not. The plot's edges `area` bound what can be caught.
 */

/** @returns {Int32Array} rows in the rectangle between two corners, ascending */
export function rowsInBox(xy, visible, [x0, y0], [x1, y1]) {
  const [left, right, top, bottom] = [Math.min(x0, x1), Math.max(x0, x1), Math.min(y0, y1), Math.max(y0, y1)];
  const n = xy.length / 2;
  const rows = new Int32Array(n);
  let count = 0;
  for (let i = 0; i < n; i++) {
    const x = xy[2 * i];
    const y = xy[2 * i + 1];
    if (x >= left && x <= right && y >= top && y <= bottom && (!visible || visible[i])) rows[count++] = i;
  }
  return rows.slice(0, count);
}

/**
 * @param {number[][]} polygon [x, y] corners; closed by itself, even-odd where it crosses itself
 * @returns {Int32Array} rows within, ascending
 */
export function rowsInLasso(xy, visible, polygon) {
  const xs = polygon.map(([x]) => x);
  const ys = polygon.map(([, y]) => y);
  const candidates = rowsInBox(xy, visible, [Math.min(...xs), Math.min(...ys)], [Math.max(...xs), Math.max(...ys)]);
  if (polygon.length < 3) return new Int32Array(0);
  const top = Math.floor(Math.min(...ys));
  const bands = edgeBands(polygon, top, Math.floor(Math.max(...ys)) - top + 1);
  const rows = new Int32Array(candidates.length);
  let count = 0;
  for (const row of candidates) {
    const y = xy[2 * row + 1];
    if (crossings(bands[Math.floor(y) - top], xy[2 * row], y) & 1) rows[count++] = row;
  }
  return rows.slice(0, count);
}

/** For every pixel row, the edges [x0, y0, x1, y1] that reach into it, so that a point meets few of them. */
function edgeBands(polygon, top, height) {
  const bands = Array.from({ length: height }, () => []);
  polygon.forEach(([x1, y1], i) => {
    const [x0, y0] = polygon[(i + polygon.length - 1) % polygon.length];
    const last = Math.floor(Math.max(y0, y1)) - top;
    for (let band = Math.floor(Math.min(y0, y1)) - top; band <= last; band++) bands[band].push(x0, y0, x1, y1);
  });
  return bands;
}

function crossings(edges, x, y) {
  let count = 0;
  for (let e = 0; e < edges.length; e += 4) {
    const y0 = edges[e + 1];
    const y1 = edges[e + 3];
    if (y0 > y !== y1 > y && x < edges[e] + ((y - y0) / (y1 - y0)) * (edges[e + 2] - edges[e])) count++;
  }
  return count;
}

/** @returns {boolean} whether a point is in a polygon, even-odd */
export function isInside(polygon, x, y) {
  return rowsInLasso(Float32Array.of(x, y), null, polygon).length === 1;
}

/**
 * @param {Int32Array} rows (width * height) row numbers, -1 where nothing is drawn
 * @param {number} radius how far around the pointer to look, in pixels
 * @returns {number} the row on top at the pixel, else the nearest one around, else -1
 */
export function rowNear(rows, width, height, x, y, radius) {
  const px = Math.floor(x);
  const py = Math.floor(y);
  let best = -1;
  let least = Infinity;
  for (let v = Math.max(0, py - radius); v <= Math.min(height - 1, py + radius); v++) {
    for (let u = Math.max(0, px - radius); u <= Math.min(width - 1, px + radius); u++) {
      const row = rows[v * width + u];
      const distance = (u - px) ** 2 + (v - py) ** 2;
      if (row >= 0 && distance < least && distance <= radius * radius) {
        best = row;
        least = distance;
      }
    }
  }
  return best;
}

/**
 * @param {Float32Array} xy (n, 2) screen positions, NaN where a point is not seen @param {number} n
 * @param {Uint8Array | null} visible @param {number[]} at x, y
 * @returns {number} the visible row nearest to a place, -1 where there is none
 */
export function nearestTo(xy, n, visible, at) {
  const [x, y] = at;
  let best = -1;
  let least = Infinity;
  for (let row = 0; row < n; row++) {
    const away = (xy[2 * row] - x) ** 2 + (xy[2 * row + 1] - y) ** 2;
    if (away < least && (!visible || visible[row])) {
      best = row;
      least = away;
    }
  }
  return best;
}
