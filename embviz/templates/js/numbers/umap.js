import { createNormal, createRandom } from '#js/numbers/random.js';

/**
 * Uniform manifold approximation and projection (McInnes, Healy and Melville 2018, arXiv:1802.03426) for some thousands
 * of points, with the defaults of umap-learn 0.5 that embviz/projections/umap.py keeps: one neighbor at full
 * membership, spread 1, five negative samples an edge, a rate that falls linearly to 0, and a start from PCA.
 */

const BISECTIONS = 64;
const TOLERANCE = 1e-5;
/** A bandwidth is at least this share of the mean distance. */
const LEAST_BANDWIDTH = 1e-3;
const SPREAD = 1;
const NEGATIVES = 5;
const LARGEST_MOVE = 4;
const EXTENT = 10;
const JITTER = 1e-3;
const FEW_EPOCHS = 10;
const USUAL_EPOCHS = 500;

/**
 * How far each point's neighborhood reaches: sigma such that the memberships exp(-(distance - rho) / sigma) sum to
 * log2(k).
 *
 * @param {Float32Array} distances (n, k - 1) to the nearest other points, ascending
 * @param {number} k neighbors, the point itself among them
 * @returns {{sigmas: Float64Array, rhos: Float64Array}} rho is the distance to the nearest point at another place
 */
export function bandwidths(distances, n, k) {
  const width = k - 1;
  const target = Math.log2(k);
  const sigmas = new Float64Array(n);
  const rhos = new Float64Array(n);
  const overall = distances.reduce((sum, x) => sum + x, 0) / (n * k);
  for (let i = 0; i < n; i++) {
    const row = distances.subarray(i * width, (i + 1) * width);
    rhos[i] = row.find((x) => x > 0) ?? 0;
    // As in umap-learn the mean counts the point itself, at distance 0.
    const mean = rhos[i] > 0 ? row.reduce((sum, x) => sum + x, 0) / k : overall;
    sigmas[i] = Math.max(bisect(row, rhos[i], target), LEAST_BANDWIDTH * mean);
  }
  return { sigmas, rhos };
}

function bisect(row, rho, target) {
  let [low, middle, high] = [0, 1, Infinity];
  for (let step = 0; step < BISECTIONS; step++) {
    let sum = 0;
    for (const x of row) sum += x > rho ? Math.exp(-(x - rho) / middle) : 1;
    if (Math.abs(sum - target) < TOLERANCE) break;
    if (sum > target) high = middle;
    else low = middle;
    middle = high === Infinity ? middle * 2 : (low + high) / 2;
  }
  return middle;
}

/**
 * The fuzzy union of all neighborhoods, a + b - a b of an edge's two memberships.
 *
 * @param {Int32Array} indices (n, k - 1) the nearest other points @param {Float32Array} distances theirs
 * @param {number} k neighbors, the point itself among them
 * @returns {{heads: Int32Array, tails: Int32Array, weights: Float64Array}} both directions of each edge, by head
 */
export function fuzzyGraph(indices, distances, n, k) {
  const { sigmas, rhos } = bandwidths(distances, n, k);
  const rows = Array.from({ length: n }, () => new Map());
  for (let i = 0, at = 0; i < n; i++) {
    for (let c = 0; c < k - 1; c++, at++) {
      const beyond = distances[at] - rhos[i];
      rows[i].set(indices[at], beyond <= 0 || sigmas[i] === 0 ? 1 : Math.exp(-beyond / sigmas[i]));
    }
  }
  const heads = [];
  const tails = [];
  const weights = [];
  const add = (i, j, weight) => {
    heads.push(i, j);
    tails.push(j, i);
    weights.push(weight, weight);
  };
  rows.forEach((row, i) => {
    for (const [j, there] of row) {
      const back = rows[j].get(i);
      if (back === undefined) add(i, j, there);
      else if (i < j) add(i, j, there + back - there * back);
    }
  });
  const order = Int32Array.from(heads, (_, e) => e).sort((e, f) => heads[e] - heads[f] || tails[e] - tails[f]);
  return {
    heads: Int32Array.from(order, (e) => heads[e]),
    tails: Int32Array.from(order, (e) => tails[e]),
    weights: Float64Array.from(order, (e) => weights[e]),
  };
}

/**
 * The curve 1 / (1 + a x^2b) nearest, by least squares, to one that is 1 up to the minimal distance and then falls
 * exponentially: the minimum that umap-learn's find_ab_params finds, by Levenberg and Marquardt's method.
 *
 * @param {number} min_distance 0 .. 1 @returns {{a: number, b: number}}
 */
export function fitCurve(min_distance) {
  const xs = Float64Array.from({ length: 300 }, (_, i) => (3 * SPREAD * i) / 299);
  const ys = xs.map((x) => (x < min_distance ? 1 : Math.exp(-(x - min_distance) / SPREAD)));
  let [a, b, damping] = [1, 1, 1e-3];
  let now = normalEquations(xs, ys, a, b);
  for (let step = 0; step < 200; step++) {
    const [aa, bb] = [now.aa * (1 + damping), now.bb * (1 + damping)];
    const determinant = aa * bb - now.ab * now.ab;
    const da = (bb * now.a - now.ab * now.b) / determinant;
    const db = (aa * now.b - now.ab * now.a) / determinant;
    const next = normalEquations(xs, ys, a + da, b + db);
    if (next.squares < now.squares) {
      [a, b, now, damping] = [a + da, b + db, next, damping / 10];
    } else if (Math.abs(da) + Math.abs(db) < 1e-12) break;
    else damping *= 10;
  }
  return { a, b };
}

function normalEquations(xs, ys, a, b) {
  const sums = { aa: 0, ab: 0, bb: 0, a: 0, b: 0, squares: 0 };
  xs.forEach((x, i) => {
    const power = x > 0 ? x ** (2 * b) : 0;
    const value = 1 / (1 + a * power);
    const residual = ys[i] - value;
    const slopeA = -power * value * value;
    const slopeB = x > 0 ? 2 * a * Math.log(x) * slopeA : 0;
    sums.aa += slopeA * slopeA;
    sums.ab += slopeA * slopeB;
    sums.bb += slopeB * slopeB;
    sums.a += slopeA * residual;
    sums.b += slopeB * residual;
    sums.squares += residual * residual;
  });
  return sums;
}

/**
 * Where a run begins: the leading components, each spread over 0 .. 10, with a little noise so that points at one
 * place can part.
 *
 * @param {Float32Array} components (n, dims) @returns {Float64Array} (n, dims)
 */
export function startFrom(components, n, dims, seed) {
  const peak = components.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const scale = peak > 0 ? EXTENT / peak : 0;
  const normal = createNormal(createRandom(seed));
  const out = Float64Array.from(components, (x) => x * scale + normal() * JITTER);
  for (let c = 0; c < dims; c++) {
    let [low, high] = [Infinity, -Infinity];
    for (let at = c; at < out.length; at += dims) {
      low = Math.min(low, out[at]);
      high = Math.max(high, out[at]);
    }
    for (let at = c; at < out.length; at += dims) out[at] = (EXTENT * (out[at] - low)) / (high - low || 1);
  }
  return out;
}

/** The edges that a run of so many epochs draws at least once, and every how many epochs it draws each. */
function schedule({ heads, tails, weights }, epochs) {
  const largest = weights.reduce((most, w) => Math.max(most, w), 0);
  const least = largest / (epochs > FEW_EPOCHS ? epochs : USUAL_EPOCHS);
  const kept = Int32Array.from(heads, (_, e) => e).filter((e) => weights[e] >= least);
  return {
    heads: Int32Array.from(kept, (e) => heads[e]),
    tails: Int32Array.from(kept, (e) => tails[e]),
    periods: Float64Array.from(kept, (e) => largest / weights[e]),
  };
}

const clip = (x) => (x > LARGEST_MOVE ? LARGEST_MOVE : x < -LARGEST_MOVE ? -LARGEST_MOVE : x);

/**
 * One optimization, advanced epoch by epoch: stochastic gradient descent on the cross-entropy of the two fuzzy graphs.
 *
 * @param {{heads, tails, weights}} graph see fuzzyGraph @param {Float64Array} start (n, dims)
 * @param {{dims, epochs, learning_rate, min_distance, seed}} options see umapOptions in run_options.js
 * @returns {{step: () => void, iteration: () => number, isDone: () => boolean, points: () => Float64Array}}
 */
export function createRun(graph, start, { dims, epochs, learning_rate, min_distance, seed }) {
  const n = start.length / dims;
  const edges = schedule(graph, epochs);
  const next = Float64Array.from(edges.periods);
  const nextNegative = edges.periods.map((period) => period / NEGATIVES);
  const { a, b } = fitCurve(min_distance);
  // Three coordinates a point always, so that one loop does for both; in two dimensions the third stays 0.
  const y = new Float64Array(3 * n);
  for (let i = 0; i < n; i++) for (let c = 0; c < dims; c++) y[3 * i + c] = start[i * dims + c];
  const random = createRandom(seed ^ 0x9e3779b9);
  let epoch = 0;

  function step() {
    const rate = learning_rate * (1 - epoch / epochs);
    for (let e = 0; e < next.length; e++) {
      if (next[e] > epoch) continue;
      const head = 3 * edges.heads[e];
      attract(y, head, 3 * edges.tails[e], { a, b, rate });
      next[e] += edges.periods[e];
      const period = edges.periods[e] / NEGATIVES;
      const negatives = Math.floor((epoch - nextNegative[e]) / period);
      for (let s = 0; s < negatives; s++) repel(y, head, 3 * Math.floor(random() * n), { a, b, rate });
      nextNegative[e] += negatives * period;
    }
    epoch++;
  }

  return {
    step,
    iteration: () => epoch,
    isDone: () => epoch >= epochs,
    points: () => Float64Array.from({ length: n * dims }, (_, at) => y[3 * Math.floor(at / dims) + (at % dims)]),
  };
}

function attract(y, i, j, { a, b, rate }) {
  const u = y[i] - y[j];
  const v = y[i + 1] - y[j + 1];
  const w = y[i + 2] - y[j + 2];
  const squared = u * u + v * v + w * w;
  if (!(squared > 0)) return;
  const power = Math.exp(b * Math.log(squared));
  const pull = (-2 * a * b * power) / (squared * (a * power + 1));
  const [du, dv, dw] = [rate * clip(pull * u), rate * clip(pull * v), rate * clip(pull * w)];
  y[i] += du;
  y[i + 1] += dv;
  y[i + 2] += dw;
  y[j] -= du;
  y[j + 1] -= dv;
  y[j + 2] -= dw;
}

function repel(y, i, j, { a, b, rate }) {
  const u = y[i] - y[j];
  const v = y[i + 1] - y[j + 1];
  const w = y[i + 2] - y[j + 2];
  const squared = u * u + v * v + w * w;
  if (!(squared > 0)) return;
  const push = (2 * b) / ((0.001 + squared) * (a * Math.exp(b * Math.log(squared)) + 1));
  y[i] += rate * clip(push * u);
  y[i + 1] += rate * clip(push * v);
  y[i + 2] += rate * clip(push * w);
}
