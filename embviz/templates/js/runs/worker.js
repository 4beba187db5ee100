import { affinities, nearestRows, squaredDistances } from '#js/numbers/affinities.js';
import { principalComponents, projectRows } from '#js/numbers/pca.js';
import { createSpace, joinSpaces, metricRows } from '#js/numbers/space.js';
import { supervised } from '#js/numbers/supervise.js';
import * as tsne from '#js/numbers/tsne.js';
import * as umap from '#js/numbers/umap.js';

/**
 * What runs beside the page. Messages to it: {kind: 'components' | 'tsne' | 'umap', vectors, spherize, …} once, then
 * 'pause', 'resume' and 'perturb'. From it: {kind: 'progress', text}, {kind: 'step', iteration, kl, coordinates, frame}
 * and {kind: 'done', …}. Ending the worker stops it.
 */

const SLICE_MS = 60;
const N_FRAMES = 30;
const tell = (message, transfer = []) => self.postMessage(message, { transfer });

function runPca({ vectors, spherize, wanted }) {
  const space = joinSpaces(vectors.map((each) => createSpace(each, null, spherize)));
  const { directions, mean, shares, total } = principalComponents(space, wanted);
  tell({ kind: 'done', directions, mean, shares, total });
}

function distancesOf(space, metric) {
  tell({ kind: 'progress', text: 'Neighbors' });
  const { n, d } = space;
  const x = metricRows(space, metric);
  let said = 0;
  return squaredDistances(x, n, d, (part) => {
    if (part - said < 0.1 || n < 1000) return;
    said = part;
    tell({ kind: 'progress', text: `Neighbors ${Math.round(100 * part)} %` });
  });
}

/** @returns {Float32Array} (n, dims) the leading components, 0 where there are no more */
function componentsOf(space, dims) {
  tell({ kind: 'progress', text: 'Principal components' });
  const found = principalComponents(space, dims);
  const { coordinates: components } = projectRows(space, found);
  const k = found.directions.length;
  if (k === dims) return components;
  const out = new Float32Array(space.n * dims);
  for (let i = 0; i < space.n; i++) for (let c = 0; c < k; c++) out[i * dims + c] = components[i * k + c];
  return out;
}

const PREPARE = {
  tsne(space, { metric, options, labels, factor }) {
    const p = affinities(distancesOf(space, metric), space.n, options.perplexity);
    const start = tsne.startFrom(componentsOf(space, options.dims), space.n, options.dims, options.seed);
    return tsne.createRun(labels ? supervised(p, labels, factor) : p, start, options);
  },
  umap(space, { metric, options }) {
    const k = options.neighbors;
    const near = nearestRows(distancesOf(space, metric), space.n, k - 1);
    const graph = umap.fuzzyGraph(near.indices, near.squared.map(Math.sqrt), space.n, k);
    const start = umap.startFrom(componentsOf(space, options.dims), space.n, options.dims, options.seed);
    return umap.createRun(graph, start, options);
  },
};

let running = null;

function begin(message) {
  const run = PREPARE[message.kind](createSpace(message.vectors, null, message.spherize), message);
  const { iterations, epochs } = message.options;
  running = {
    run,
    kl: null,
    every: Math.max(1, Math.ceil((iterations ?? epochs) / N_FRAMES)),
    paused: false,
    waiting: false,
  };
  report(running, true);
  schedule(running);
}

function report(state, frame) {
  const { run } = state;
  const coordinates = Float32Array.from(run.points());
  // The divergence costs as much as a step, so it is told with the frames only.
  if (frame && run.divergence) state.kl = run.divergence();
  tell({ kind: run.isDone() ? 'done' : 'step', iteration: run.iteration(), kl: state.kl, coordinates, frame }, [
    coordinates.buffer,
  ]);
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

self.onmessage = ({ data }) => {
  if (data.kind === 'components') runPca(data);
  else if (data.kind in PREPARE) begin(data);
  else if (data === 'pause') running.paused = true;
  else if (data === 'perturb' && !running.run.isDone()) {
    running.run.perturb();
    report(running, false);
  } else if (data === 'resume' && running.paused) {
    running.paused = false;
    if (!running.waiting && !running.run.isDone()) schedule(running);
  }
};
