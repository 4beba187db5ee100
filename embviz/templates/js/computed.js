import { pcaCost, principalComponents, projectRows } from '#js/pca.js';
import { entryFor } from '#js/projections.js';
import { createSpace, takeVectors } from '#js/space.js';
import { runOptions } from '#js/tsne.js';

/** More multiplications than that are left to a worker, so that the page goes on answering. */
const MOST_AT_ONCE = 3e9;
const A_SECOND = 1.3e9;
const MOST_FRAME_VALUES = 8e6;

/**
 * What the page computes itself, as entries like those of the manifest: PCA of the isolated points or of spherized
 * vectors, and t-SNE run anew.
 *
 * @param {object} page {manifest, table, tabs, vectors, startWorker: () => Worker}
 * @param {object} store see store.js; `run` and `results` are set here
 */
export function createComputed(page, store) {
  const kept = { pca: null, job: null, run: null, count: 0 };
  const waiting = new Set();
  const { tabs } = page;
  const announce = (patch = {}) => {
    store.set({ results: store.get().results + 1, ...patch });
    if (!kept.job) for (const done of [...waiting]) done();
  };

  /** @returns {object | undefined} what a tab shows, whoever computed it */
  function entry(state = store.get(), name = state.projection, dims = state.dims) {
    const given = entryFor(tabs.get(name), dims);
    if (name === 'pca' && given) {
      const shown = pcaEntry(page, kept, announce, given, state);
      if (!kept.job) for (const done of [...waiting]) done();
      return shown;
    }
    const { run } = kept;
    if (name === 'tsne' && state.run && run?.entry && run.dims === dims && run.isolated === state.isolated) return run.entry;
    return given;
  }

  return {
    entry,
    /** @returns {Promise<void>} when what is shown is what was asked for */
    settled: () => new Promise((resolve) => {
      entry();
      if (!kept.job) return resolve();
      const done = () => { waiting.delete(done); resolve(); };
      return waiting.add(done);
    }),
    run: (options) => startRun(page, store, kept, options),
    pause: () => steer(store, kept, 'running', 'pause', 'paused'),
    resume: () => steer(store, kept, 'paused', 'resume', 'running'),
    /** End the run, if there is one, and forget it. */
    drop: () => stopRun(kept),
  };
}

/** @returns {boolean} whether the PCA that came with the page is of spherized vectors */
export const isSpherized = (page) => page.tabs.get('pca')?.entries[0].params.normalize === 'sphere';

function pcaEntry(page, kept, announce, given, { isolated, spherize }) {
  const isGiven = isolated === null && spherize === isSpherized(page);
  if (!page.vectors || isGiven) {
    dropJob(kept);
    return isolated === null || page.manifest.vectors ? given : memoNote(kept, given, isolated, 'The vectors are not in this page: PCA of all points.');
  }
  if (isolated !== null && isolated.length < 2) return memoNote(kept, given, isolated, 'One point alone has no components: PCA of all points.');
  const known = kept.pca;
  if (known && known.isolated === isolated && known.spherize === spherize) return known.entry;
  dropJob(kept);
  const cost = pcaCost(isolated?.length ?? page.vectors.n, page.vectors.d) + page.vectors.n * page.vectors.d * given.n_components;
  if (cost <= MOST_AT_ONCE) {
    const found = principalComponents(createSpace(page.vectors, isolated, spherize), given.n_components);
    kept.pca = { isolated, spherize, entry: toEntry(page, given, found, isolated, spherize) };
  } else {
    const seconds = Math.round(cost / A_SECOND);
    kept.pca = { isolated, spherize, entry: { ...given, note: `PCA of these points is being computed, which takes about ${seconds} seconds; until then that of the whole file is shown.` } };
    kept.job = startPca(page, isolated, spherize, given.n_components, (found, problem) => {
      kept.job = null;
      kept.pca = { isolated, spherize, entry: found ? toEntry(page, given, found, isolated, spherize) : { ...given, note: `PCA of these points could not be computed: ${problem}.` } };
      announce();
    });
  }
  return kept.pca.entry;
}

function memoNote(kept, given, isolated, note) {
  if (kept.pca?.isolated !== isolated || kept.pca.entry.note !== note) kept.pca = { isolated, spherize: null, entry: { ...given, note } };
  return kept.pca.entry;
}

function dropJob(kept) {
  kept.job?.terminate();
  kept.job = null;
}

function startPca(page, isolated, spherize, wanted, done) {
  const worker = page.startWorker();
  worker.onmessage = ({ data }) => {
    worker.terminate();
    done(data);
  };
  worker.onerror = ({ message }) => {
    worker.terminate();
    done(null, message);
  };
  const rows = isolated ?? Int32Array.from({ length: page.vectors.n }, (_, i) => i);
  worker.postMessage({ kind: 'pca', vectors: takeVectors(page.vectors, rows, spherize), spherize, wanted });
  return worker;
}

/** Components of a part as an entry: all points of the page lie on its axes, which there are as many of as before. */
function toEntry(page, given, found, isolated, spherize) {
  const k = given.n_components;
  const n = page.vectors.n;
  const components = found.directions.length;
  const along = projectRows(createSpace(page.vectors, null, spherize), found);
  const data = components === k ? along : new Float32Array(n * k);
  if (data !== along) for (let i = 0; i < n; i++) for (let c = 0; c < components; c++) data[i * k + c] = along[i * components + c];
  const count = isolated ? `the ${isolated.length.toLocaleString('en')} isolated points` : 'all points';
  return {
    ...given, data, id: ++entries,
    params: { n_components: k, normalize: spherize ? 'sphere' : 'none', points: isolated?.length ?? n },
    stats: { variance_shares: [...found.shares, ...new Array(k - components).fill(0)], total_variance: found.total },
    note: isolated ? `PCA of ${count} alone, computed anew.` : `PCA of ${spherize ? 'spherized' : 'raw'} vectors, computed in this page.`,
  };
}

let entries = 0;

/**
 * Run t-SNE on the points shown. The state's `run` tells how far it is.
 *
 * @param {object} options see runOptions in tsne.js
 * @returns {Promise<{entry: object, rows: Int32Array}>} when all iterations are done; it rejects when another run
 *   takes its place
 * @throws {RangeError} when the options do not fit the points
 */
function startRun(page, store, kept, options) {
  const { isolated, spherize, metric } = store.get();
  if (!page.vectors) throw new RangeError(page.manifest.vectors_note);
  const rows = isolated ?? Int32Array.from({ length: page.vectors.n }, (_, i) => i);
  const asked = runOptions(rows.length, { dims: store.get().dims, ...options });
  stopRun(kept);
  const worker = page.startWorker();
  const run = { worker, isolated, rows, dims: asked.dims, options: asked, entry: null, frames: [], id: ++entries, promise: null };
  kept.run = run;
  const status = { dims: asked.dims, points: rows.length, perplexity: asked.perplexity, learning_rate: asked.learning_rate, iterations: asked.iterations, seed: asked.seed, metric };
  run.promise = new Promise((resolve, reject) => {
    run.reject = reject;
    const hear = (data) => {
      const { run: before } = store.get();
      if (!before) return;
      if (data.kind === 'progress') return store.set({ run: { ...before, doing: data.text } });
      takeStep(page, run, data, status, spherize);
      store.set({ run: { ...before, doing: '', iteration: data.iteration, kl: data.kl, status: data.kind === 'done' ? 'done' : before.status } });
      if (data.kind === 'done') {
        worker.terminate();
        resolve({ entry: run.entry, rows });
      }
    };
    worker.onmessage = ({ data }) => { if (kept.run === run) hear(data); };
    worker.onerror = (event) => { if (kept.run === run) { stopRun(kept); store.set({ run: null }); } reject(new Error(event.message)); };
  });
  run.promise.catch(() => {});
  store.set({ projection: 'tsne', dims: asked.dims, frame: null, playing: false, placed: null, sphere: null, run: { id: run.id, ...status, status: 'running', doing: 'Starting', iteration: 0, kl: null } });
  worker.postMessage({ kind: 'tsne', vectors: takeVectors(page.vectors, rows, spherize), spherize, metric, options: asked });
  return run.promise;
}

function stopRun(kept) {
  if (!kept.run) return;
  kept.run.worker.terminate();
  kept.run.reject(new Error('The run was stopped'));
  kept.run = null;
}

function steer(store, kept, from, message, to) {
  const { run } = store.get();
  if (run?.status !== from) return;
  kept.run.worker.postMessage(message);
  store.set({ run: { ...run, status: to } });
}

/** Put a step's coordinates where the points are; points that take no part have none. */
function takeStep(page, run, { kind, iteration, kl, coordinates, frame }, status, spherize) {
  const n = page.table.n_points;
  const { rows, dims } = run;
  const data = new Float32Array(n * dims).fill(NaN);
  rows.forEach((row, i) => { for (let c = 0; c < dims; c++) data[row * dims + c] = coordinates[i * dims + c]; });
  if (frame && (run.frames.length + 1) * data.length <= MOST_FRAME_VALUES) run.frames.push({ iteration, kl, data });
  const isDone = kind === 'done';
  run.entry = {
    name: 'tsne', title: 't-SNE', n_components: dims, axes: [], data, id: run.id, live: !isDone,
    params: { ...status, learning_rate: status.learning_rate ?? 'n / exaggeration', normalize: spherize ? 'sphere' : 'none' }, stats: { kl_divergence: kl },
    note: `Run here on ${rows.length.toLocaleString('en')} points. Neighborhoods are meaningful, distances between clusters are not.`,
  };
  if (isDone && run.frames.length > 1) {
    const all = new Float32Array(run.frames.length * data.length);
    run.frames.forEach((item, i) => all.set(item.data, i * data.length));
    Object.assign(run.entry, { frameData: all, frames: { iterations: run.frames.map((item) => item.iteration), losses: run.frames.map((item) => item.kl) } });
    run.frames = [];
  }
}
