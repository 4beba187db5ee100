import { createNormal, createRandom } from '#js/numbers/random.js';

/**
 * t-distributed stochastic neighbor embedding (van der Maaten and Hinton 2008) with its exact gradient, for some
 * thousands of points. The schedule is that of the command line (embviz/projections), with a learning rate of
 * n / exaggeration (Belkina et al. 2019) but at least 10, gains, and steps of at most 5 a point.
 */

const FAST_POINTS = 3000;
const EARLY = { exaggeration: 12, momentum: 0.8 };
const ANNEALING_STEPS = 20;
const FIRST_ANNEALED = 4;
/** Iterations; the shares of them after which exaggeration is 4 and 1; the momenta from then on. */
const FEW = { iterations: 750, earlyEnd: 2 / 15, annealingEnd: 8 / 15, annealing: 0.8, late: 0.8 };
const MANY = { iterations: 300, earlyEnd: 1 / 5, annealingEnd: 13 / 30, annealing: 0.9, late: 0.95 };
/** Few are thrown about by a high momentum; many need it to spread in few iterations. @param {number} n points */
const scheduleOf = (n) => (n < FAST_POINTS ? FEW : MANY);
/** Very few points would hardly move. */
const LEAST_RATE = 10;
const LONGEST_STEP = 5;
const DEVIATION = 1e-4;
/** Of a perturbed point, as a share of the map's radius. */
const LARGEST_SHIFT = 0.05;

/**
 * Where a run begins: leading components at a standard deviation of 1e-4, with a little noise so that points at one
 * place can part.
 *
 * @param {Float32Array} components (n, dims) @param {number} seed @returns {Float64Array} (n, dims)
 */
export function startFrom(components, n, dims, seed) {
  const out = Float64Array.from(components);
  let squares = 0;
  for (let j = 0; j < dims; j++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += out[i * dims + j] / n;
    for (let i = 0; i < n; i++) out[i * dims + j] -= mean;
  }
  for (let i = 0; i < n; i++) squares += out[i * dims] ** 2;
  const scale = squares > 0 ? DEVIATION / Math.sqrt(squares / n) : 0;
  const normal = createNormal(createRandom(seed));
  for (let i = 0; i < out.length; i++) out[i] = out[i] * scale + (normal() * DEVIATION) / 100;
  return out;
}

/** @param {number} n points @returns {number} how many iterations are run unless told otherwise */
export const usualIterations = (n) => scheduleOf(n).iterations;

/**
 * Exaggeration falls slowly from 4 to 1: so the map settles in a lower minimum than after a fall at once.
 *
 * @param {number} n points @param {number} total iterations
 * @returns {{iterations: number, exaggeration: number, momentum: number}[]} phases
 */
export function planPhases(n, total) {
  const { earlyEnd, annealingEnd, annealing, late } = scheduleOf(n);
  const [first, last] = [Math.round(total * earlyEnd), Math.round(total * annealingEnd)];
  const end = (i) => first + Math.floor(((last - first) * i) / ANNEALING_STEPS);
  const falling = Array.from({ length: ANNEALING_STEPS }, (_, i) => ({
    iterations: end(i + 1) - end(i),
    exaggeration: FIRST_ANNEALED ** (1 - i / (ANNEALING_STEPS - 1)),
    momentum: annealing,
  }));
  return [{ iterations: first, ...EARLY }, ...falling, { iterations: total - last, exaggeration: 1, momentum: late }];
}

/**
 * One optimization, advanced step by step.
 *
 * @param {{starts: Int32Array, others: Int32Array, weights: Float64Array}} p see affinities.js
 * @param {Float64Array} start (n, dims) @param {{dims, iterations, learning_rate, seed}} options see tsneOptions in
 *   runs/options.js
 * @returns {{step: () => void, perturb: () => void, iteration: () => number, isDone: () => boolean, points: () =>
 *   Float64Array, divergence: () => number}}
 */
export function createRun(p, start, { dims, iterations, learning_rate, seed = 0 }) {
  const size = start.length;
  const n = size / dims;
  const y = Float64Array.from(start);
  const update = new Float64Array(size);
  const gains = new Float64Array(size).fill(1);
  const phases = planPhases(n, iterations).flatMap((phase) => new Array(phase.iterations).fill(phase));
  const random = createRandom(seed ^ 0x9e3779b9);
  let done = 0;

  function step() {
    const { exaggeration, momentum } = phases[done];
    const { gradient } = differentiate(p, y, n, dims, exaggeration);
    move(y, update, gains, gradient, {
      n,
      dims,
      rate: learning_rate ?? Math.max(LEAST_RATE, n / exaggeration),
      momentum,
    });
    enlarge(y, update, n);
    done++;
  }

  return {
    step,
    perturb: () => perturb(y, n, dims, random),
    iteration: () => done,
    isDone: () => done >= iterations,
    points: () => y,
    divergence: () => divergence(p, y, n, dims),
  };
}

/**
 * The gradient of the Kullback-Leibler divergence over 4, as its step sizes are usually given.
 *
 * @returns {{gradient: Float64Array, total: number}} total is the sum of all 1 / (1 + distance²)
 */
export function differentiate({ starts, others, weights }, y, n, dims, exaggeration) {
  const gradient = new Float64Array(n * dims);
  const total = dims === 2 ? repel2(y, n, gradient) : repel3(y, n, gradient);
  const factor = total > 0 ? -1 / total : 0;
  for (let i = 0; i < gradient.length; i++) gradient[i] *= factor;
  const difference = new Float64Array(dims);
  for (let i = 0; i < n; i++) {
    for (let at = starts[i]; at < starts[i + 1]; at++) {
      let squared = 1;
      for (let c = 0; c < dims; c++) {
        difference[c] = y[i * dims + c] - y[others[at] * dims + c];
        squared += difference[c] * difference[c];
      }
      const pull = (exaggeration * weights[at]) / squared;
      for (let c = 0; c < dims; c++) gradient[i * dims + c] += pull * difference[c];
    }
  }
  return { gradient, total };
}

function repel2(y, n, out) {
  let total = 0;
  for (let i = 0; i < n; i++) {
    const a = y[2 * i];
    const b = y[2 * i + 1];
    let fa = 0;
    let fb = 0;
    for (let j = 0; j < i; j++) {
      const u = a - y[2 * j];
      const v = b - y[2 * j + 1];
      const q = 1 / (1 + u * u + v * v);
      total += q;
      const q2 = q * q;
      fa += q2 * u;
      fb += q2 * v;
      out[2 * j] -= q2 * u;
      out[2 * j + 1] -= q2 * v;
    }
    out[2 * i] += fa;
    out[2 * i + 1] += fb;
  }
  return 2 * total;
}

function repel3(y, n, out) {
  let total = 0;
  for (let i = 0; i < n; i++) {
    const a = y[3 * i];
    const b = y[3 * i + 1];
    const c = y[3 * i + 2];
    let fa = 0;
    let fb = 0;
    let fc = 0;
    for (let j = 0; j < i; j++) {
      const u = a - y[3 * j];
      const v = b - y[3 * j + 1];
      const w = c - y[3 * j + 2];
      const q = 1 / (1 + u * u + v * v + w * w);
      total += q;
      const q2 = q * q;
      fa += q2 * u;
      fb += q2 * v;
      fc += q2 * w;
      out[3 * j] -= q2 * u;
      out[3 * j + 1] -= q2 * v;
      out[3 * j + 2] -= q2 * w;
    }
    out[3 * i] += fa;
    out[3 * i + 1] += fb;
    out[3 * i + 2] += fc;
  }
  return 2 * total;
}

/** One step of gradient descent with momentum and gains; the middle stays at 0. */
function move(y, update, gains, gradient, { n, dims, rate, momentum }) {
  for (let i = 0; i < y.length; i++) {
    gains[i] = Math.sign(update[i]) !== Math.sign(gradient[i]) ? gains[i] + 0.2 : gains[i] * 0.8 + 0.01;
    update[i] = momentum * update[i] - rate * gains[i] * gradient[i];
  }
  for (let i = 0; i < n; i++) {
    let squared = 0;
    for (let c = 0; c < dims; c++) squared += update[i * dims + c] ** 2;
    const shorter = squared > LONGEST_STEP ** 2 ? LONGEST_STEP / Math.sqrt(squared) : 1;
    for (let c = 0; c < dims; c++) {
      update[i * dims + c] *= shorter;
      y[i * dims + c] += update[i * dims + c];
    }
  }
  center(y, n, dims);
}

/**
 * Bring a map that shrinks to one place back to about the start's deviation. Within so small a map a step is linear in
 * the points, so that its unit does not matter, and the divergence is that of one place to 1e-8; but points that round
 * to one place stay there. A power of two rounds nothing.
 */
function enlarge(y, update, n) {
  const deviation = Math.sqrt(y.reduce((sum, x) => sum + x * x, 0) / n);
  if (!(deviation > 0 && deviation < DEVIATION / 10)) return;
  const factor = 2 ** Math.round(Math.log2(DEVIATION / deviation));
  for (let i = 0; i < y.length; i++) {
    y[i] *= factor;
    update[i] *= factor;
  }
}

/**
 * Shift each coordinate by up to 5 % of the map's radius, within that radius, as the Embedding Projector's *Perturb*
 * does.
 */
function perturb(y, n, dims, random) {
  const squares = (at, by) => {
    let sum = 0;
    for (let c = 0; c < dims; c++) sum += (y[at + c] + by[c]) ** 2;
    return sum;
  };
  const by = new Float64Array(dims);
  let most = 0;
  for (let i = 0; i < n; i++) most = Math.max(most, squares(i * dims, by));
  const reach = 2 * LARGEST_SHIFT * Math.sqrt(most);
  for (let i = 0; i < n; i++) {
    for (let attempt = 0; attempt < 20; attempt++) {
      for (let c = 0; c < dims; c++) by[c] = reach * (random() - 0.5);
      if (squares(i * dims, by) > most) continue;
      for (let c = 0; c < dims; c++) y[i * dims + c] += by[c];
      break;
    }
  }
  center(y, n, dims);
}

function center(y, n, dims) {
  const mean = new Float64Array(dims);
  for (let i = 0; i < n; i++) for (let c = 0; c < dims; c++) mean[c] += y[i * dims + c] / n;
  for (let i = 0; i < y.length; i++) y[i] -= mean[i % dims];
}

/** @returns {number} the Kullback-Leibler divergence of a map from its affinities, in nats */
export function divergence({ starts, others, weights }, y, n, dims) {
  const total = dims === 2 ? repel2(y, n, new Float64Array(2 * n)) : repel3(y, n, new Float64Array(3 * n));
  let sum = 0;
  for (let i = 0; i < n; i++) {
    for (let at = starts[i]; at < starts[i + 1]; at++) {
      let squared = 1;
      for (let c = 0; c < dims; c++) squared += (y[i * dims + c] - y[others[at] * dims + c]) ** 2;
      if (weights[at] > 0) sum += weights[at] * Math.log(weights[at] * squared * total);
    }
  }
  return sum;
}
