import { affinities, squaredDistances } from '#js/affinities.js';
import { principalComponents, projectRows } from '#js/pca.js';
import { createSpace } from '#js/space.js';
import { createRun, startFrom } from '#js/tsne.js';

/**
 * What runs beside the page. Messages to it: {kind: 'pca' | 'tsne', vectors, spherize, …} once, then 'pause' and
 * 'resume'. From it: {kind: 'progress', text}, {kind: 'step', iteration, kl, coordinates, frame} and {kind: 'done', …}.
 * Ending the worker stops it.
 */

const SLICE_MS = 60;
const N_FRAMES = 30;
const tell = (message, transfer = []) => globalThis.postMessage(message, transfer);

function runPca({ vectors, spherize, wanted }) {
  const { directions, mean, shares, total } = principalComponents(createSpace(vectors, null, spherize), wanted);
  tell({ kind: 'done', directions, mean, shares, total });
}

/** @returns {{x: Float64Array, n: number, d: number}} the rows; under cosine at length 1, a zero row staying zero */
function readRows(space, metric) {
  const { n, d, read } = space;
  const x = new Float64Array(n * d);
  for (let i = 0; i < n; i++) {
    read(i, x, i * d);
    let sum = 0;
    for (let j = 0; j < d; j++) sum += x[i * d + j] ** 2;
    if (metric === 'cosine' && sum > 0) for (let j = 0, length = Math.sqrt(sum); j < d; j++) x[i * d + j] /= length;
  }
  return { x, n, d };
}

let running = null;

function prepare({ vectors, spherize, metric, options }) {
  tell({ kind: 'progress', text: 'Neighbors' });
  const space = createSpace(vectors, null, spherize);
  const { x, n, d } = readRows(space, metric);
  let said = 0;
  const squared = squaredDistances(x, n, d, (part) => {
    if (part - said < 0.1 || n < 1000) return;
    said = part;
    tell({ kind: 'progress', text: `Neighbors ${Math.round(100 * part)} %` });
  });
  const p = affinities(squared, n, options.perplexity);
  const found = principalComponents(space, options.dims);
  const components = projectRows(space, found);
  const k = found.directions.length;
  const start = new Float32Array(n * options.dims);
  for (let i = 0; i < n; i++) for (let c = 0; c < k; c++) start[i * options.dims + c] = components[i * k + c];
  return createRun(p, startFrom(start, n, options.dims, options.seed), options);
}

function report(state, frame) {
  const { run } = state;
  const coordinates = Float32Array.from(run.points());
  // The divergence costs as much as a step, so it is told with the frames only.
  if (frame) state.kl = run.divergence();
  tell({ kind: run.isDone() ? 'done' : 'step', iteration: run.iteration(), kl: state.kl, coordinates, frame }, [coordinates.buffer]);
}

function schedule(state) {
  state.waiting = true;
  setTimeout(() => advance(state));
}

function advance(state) {
  state.waiting = false;
  if (state.paused) return;
  const until = performance.now() + SLICE_MS;
  let frame = false;
  do {
    state.run.step();
    frame = state.run.iteration() % state.every === 0;
  } while (!frame && !state.run.isDone() && performance.now() < until);
  report(state, frame || state.run.isDone());
  if (!state.run.isDone()) schedule(state);
}

globalThis.onmessage = ({ data }) => {
  if (data.kind === 'pca') runPca(data);
  else if (data.kind === 'tsne') {
    running = { run: prepare(data), every: Math.max(1, Math.ceil(data.options.iterations / N_FRAMES)), paused: false, waiting: false };
    report(running, true);
    schedule(running);
  } else if (data === 'pause') running.paused = true;
  else if (data === 'resume' && running.paused) {
    running.paused = false;
    if (!running.waiting && !running.run.isDone()) schedule(running);
  }
};
