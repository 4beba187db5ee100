import { METHODS } from '#js/runs/methods.js';
import { nearestStep, pageAt, rowsThere } from '#js/data/steps.js';
import { tagged } from '#js/data/tags.js';
import { createFrames } from '#js/runs/frames.js';
import { takeVectors } from '#js/numbers/space.js';
import { readLabels } from '#js/numbers/supervise.js';

/** @import { Entry, Page, RunStatus, State } from '#js/data/types.js' */

let made = 0;

/**
 * The methods that the page runs itself, in workers: for each and each number of dimensions the last run is kept.
 *
 * @param {Page} page
 * @param {() => State} get @param {(patch: Partial<State>) => void} report `run` is what is known of the run of the tab
 *   and dimensions shown
 */
export function createRuns(page, get, report) {
  const runs = new Map();
  const find = (name, dims) => runs.get(`${name} ${dims}`);
  const current = ({ projection, dims } = get()) => find(projection, dims);

  function tell(run, patch) {
    run.status = { ...run.status, ...patch };
    if (run.entry && patch.status && patch.status !== 'done') run.entry = { ...run.entry, note: noteOf(run) };
    if (current() === run) report({ run: run.status });
  }

  function stop(run) {
    run.worker.terminate();
    run.reject(new Error('The run was stopped'));
    runs.delete(`${run.name} ${run.dims}`);
  }

  function start(name, options) {
    const run = prepare(pageAt(page, get()), get(), name, options);
    const before = find(name, run.dims);
    if (before) stop(before);
    runs.set(`${name} ${run.dims}`, run);
    run.promise = listen(page, run, tell, () => {
      if (find(name, run.dims) === run) stop(run);
      if (get().run?.id === run.status.id) report({ run: null });
    });
    // Who started it from a button does not wait for it.
    run.promise.catch(() => {});
    report({
      projection: name,
      dims: run.dims,
      frame: null,
      playing: false,
      placed: null,
      sphere: null,
      run: run.status,
      // The other side has no such map: beside each other they could not be compared.
      ...(page.steps?.kind === 'comparison' ? { layout: 'one', step: nearestStep(page, get()), stepping: false } : {}),
    });
    run.worker.postMessage(run.message);
    delete run.message;
    return run.promise;
  }

  function steer(from, message, to) {
    const run = current();
    if (!from.includes(run?.status.status)) return;
    run.worker.postMessage(message);
    tell(run, to(run.status));
  }

  return {
    start,
    /** @returns {Entry | undefined} what a run has come to, if it is on the points that are shown */
    entry(state, name, dims) {
      const run = find(name, dims);
      const isHere = run?.entry && run.vectors === pageAt(page, state).vectors && isOn(run, state.isolated);
      return isHere ? run.entry : undefined;
    },
    /** @returns {RunStatus | null} what is known of the run of a tab, for the state */
    status: (name, dims) => find(name, dims)?.status ?? null,
    pause: () => steer(['running'], 'pause', () => ({ status: 'paused' })),
    resume: () => steer(['paused'], 'resume', () => ({ status: 'running' })),
    /** Push every point of a run that takes it a little to where chance has it. */
    perturb: () => {
      if (current()?.method.run.isPerturbed)
        steer(['running', 'paused'], 'perturb', ({ perturbed }) => ({ perturbed: perturbed + 1 }));
    },
    /** End the run of the tab shown, if there is one, and forget it. */
    drop() {
      const run = current();
      if (run) stop(run);
    },
  };
}

/** @throws {RangeError} when the options do not fit the points */
function prepare(page, { isolated, spherize, metric, dims, tags }, name, options) {
  if (!page.vectors) throw new RangeError(page.space.vectors_note);
  const { method: kind } = page.tabs.get(name);
  const method = METHODS[kind];
  const all = isolated ?? Int32Array.from({ length: page.vectors.n }, (_, i) => i);
  const rows = rowsThere(page.vectors, all);
  const { supervise = null, ...others } = options;
  const asked = method.run.check(rows.length, { dims, ...others });
  const labels = supervise ? readLabels(tagged(page.table, tags), rows, supervise) : null;
  const id = ++made;
  const told = {
    name,
    points: rows.length,
    ...asked,
    iterations: asked[method.run.count],
    metric,
    ...(method.run.isSupervised ? { supervise } : {}),
    ...(method.run.isPerturbed ? { perturbed: 0 } : {}),
  };
  return {
    name,
    kind,
    method,
    rows,
    isolated,
    vectors: page.vectors,
    dims: asked.dims,
    normalize: spherize ? 'sphere' : 'none',
    entry: null,
    frames: createFrames(page.table.n_points * asked.dims, method.run.step),
    worker: page.startWorker(),
    status: { id, ...told, status: 'running', doing: 'Starting', iteration: 0, kl: null },
    message: {
      kind,
      vectors: takeVectors(page.vectors, rows, spherize),
      spherize,
      metric,
      options: asked,
      labels,
      factor: supervise?.factor ?? 0,
    },
  };
}

/**
 * @returns {Promise<{entry: Entry, rows: Int32Array}>} when all iterations are done; it rejects when the run is
 *   stopped
 */
function listen(page, run, tell, fail) {
  const { worker } = run;
  return new Promise((resolve, reject) => {
    run.reject = reject;
    worker.onmessage = ({ data }) => {
      if (data.kind === 'progress') return tell(run, { doing: data.text });
      takeStep(page, run, data);
      const isDone = data.kind === 'done';
      if (isDone) worker.terminate();
      tell(run, { doing: '', iteration: data.iteration, kl: data.kl, ...(isDone ? { status: 'done' } : {}) });
      if (isDone) resolve({ entry: run.entry, rows: run.rows });
      return undefined;
    };
    worker.onerror = (event) => {
      reject(new Error(event.message));
      fail();
    };
  });
}

/** Put a step's coordinates where the points are; points that take no part have none. */
function takeStep(page, run, { kind, iteration, kl, coordinates, frame }) {
  const { rows, dims, method, status } = run;
  const data = new Float32Array(page.table.n_points * dims).fill(NaN);
  rows.forEach((row, i) => {
    for (let c = 0; c < dims; c++) data[row * dims + c] = coordinates[i * dims + c];
  });
  if (frame) run.frames.add({ iteration, kl, data });
  const isDone = kind === 'done';
  run.entry = {
    key: run.name,
    method: run.kind,
    title: method.title,
    kind: 'map',
    n_components: dims,
    axes: [],
    data,
    id: status.id,
    live: !isDone,
    params: { ...method.run.params(paramsOf(status)), normalize: run.normalize },
    stats: kl === null ? {} : { kl_divergence: kl },
    note: noteOf(run, isDone ? 'done' : status.status, iteration),
    ...(isDone ? run.frames.take() : {}),
  };
}

const DOING = { running: 'Running', paused: 'Paused', done: 'Run' };

/** What is said of the picture of a run. */
function noteOf({ rows, method, status: run }, status = run.status, iteration = run.iteration) {
  const by = run.supervise ? `, supervised by ${run.supervise.column}` : '';
  const steps = status === 'done' ? '' : `: ${format(iteration)} of ${format(run.iterations)} ${method.run.count}`;
  return `${DOING[status]} here on ${format(rows.length)} points${by}${steps}.`;
}

const format = (x) => x.toLocaleString('en');

function paramsOf({ id, name, status, doing, iteration, kl, supervise, perturbed, ...params }) {
  if (supervise)
    Object.assign(params, {
      supervised_by: supervise.column,
      supervise_factor: supervise.factor,
      ...(supervise.ignore ? { ignored_label: supervise.ignore } : {}),
    });
  if (perturbed) params.perturbed = perturbed;
  return params;
}

/** Whether a run is on just these points. What was found for an array is remembered. */
function isOn(run, isolated) {
  if (isolated === run.isolated) return true;
  if (isolated === run.other || isolated === null || run.isolated === null || isolated.length !== run.isolated.length)
    return false;
  // A link has them in their order, a selection as it was made.
  const there = new Set(run.isolated);
  const isSame = isolated.every((row) => there.has(row));
  run[isSame ? 'isolated' : 'other'] = isolated;
  return isSame;
}
