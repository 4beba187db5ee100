import { pcaCost, principalComponents, projectRows } from '#js/numbers/pca.js';
import { entryFor, ownTab } from '#js/state/tabs.js';
import { createRuns } from '#js/runs/runs.js';
import { bounds } from '#js/numbers/coordinates.js';
import { onceEach } from '#js/data/kept.js';
import { pageAt, rowsThere, stepName } from '#js/data/steps.js';
import { LETTERS, ofSide, sideNames } from '#js/state/sides.js';
import { createSpace, joinSpaces, takeVectors, withCommonMean } from '#js/numbers/space.js';

/** @import { Entry, Found, Page, State, Vectors } from '#js/data/types.js' */

/** More multiplications than that are left to a worker, so that the page goes on answering. */
const MOST_AT_ONCE = 3e9;
const A_SECOND = 1.3e9;

/**
 * @typedef {ReturnType<typeof createComputed>} Computed
 * @typedef {{isolated: Int32Array | null, spherize: boolean, vectors: Vectors[]}} Asked of which points and vectors
 */

/**
 * What the page computes itself, as entries like those of the manifest: PCA of the isolated points or of spherized
 * vectors, and t-SNE and UMAP run anew. `ensure` and `prepare` compute; `entry` only reads what is there.
 *
 * @param {Page} page
 * @param {() => State} get @param {(patch: Partial<State>) => void} report to change `run` and `components_here`
 */
export function createComputed(page, get, report) {
  const runs = createRuns(page, get, report);
  const waiting = new Set();
  const { tabs } = page;
  const isPaired = sideNames(page) !== null;
  /** @type {Worker | null} */
  let job = null;

  /** @returns {Entry | undefined} what a tab shows, whoever computed it */
  function entry(state = get(), name = state.projection, dims = state.dims) {
    const tab = tabs.get(name);
    const given = entryFor(tab, dims);
    if (tab?.role !== 'components' || !given) return runs.entry(state, name, dims) ?? given;
    const { shown, ask } = needed(pageAt(page, state), tab, given, state);
    return ask ? (find(state.components_here, given, ask)?.entry ?? given) : shown;
  }

  /** @returns {Found[]} the components of a state that were computed here; what takes long is reported later */
  function ensure(state, name = state.projection, dims = state.dims) {
    const tab = tabs.get(name);
    const given = entryFor(tab, dims);
    if (tab?.role !== 'components' || !given) return state.components_here;
    const wanted = (isPaired ? LETTERS.map((_, side) => ofSide(state, side)) : [state])
      .map((each) => ({ at: pageAt(page, each), step: stepName(page, each) }))
      .map(({ at, step }) => ({ at, step, ask: needed(at, tab, given, state).ask }))
      .filter(({ ask }) => ask);
    const isFound = ({ ask }) => find(state.components_here, given, ask);
    if (wanted.length && wanted.every(isFound)) return state.components_here;
    let known = drop(state.components_here);
    for (const { at, step, ask } of wanted) {
      // What takes long is computed one after the other.
      if (job) break;
      if (!find(known, given, ask)) known = put(known, given, compute(at, step, given, ask), isPaired);
    }
    release();
    return known;
  }

  /** @returns {Found} PCA of what is asked for; where it takes long, a note until it is reported */
  function compute(at, step, given, ask) {
    const seconds = secondsFor(at, given, ask);
    if (seconds === 0) {
      const parts = readable(ask).map((v) => createSpace(v, rowsThere(v, ask.isolated), ask.spherize));
      const found = principalComponents(joinSpaces(parts), given.n_components);
      return { ...ask, entry: toEntry(at, step, given, found, ask), isDone: true };
    }
    job = startPca(at, ask, given.n_components, (found, problem) => {
      job = null;
      const failed = { note: `PCA of these points could not be computed: ${problem}.`, failed: problem };
      const result = found ? toEntry(at, step, given, found, ask) : remarked(given, failed);
      report({ components_here: put(get().components_here, given, { ...ask, entry: result, isDone: true }, isPaired) });
      if (isPaired) report({ components_here: ensure(get()) });
      release();
    });
    const note =
      `PCA of these points is being computed, which takes about ${seconds} seconds; ` +
      'until then that of the whole file is shown.';
    return { ...ask, entry: remarked(given, { note }), isDone: false };
  }

  /** @returns {Found[]} those that are done; what is under way is given up */
  function drop(known) {
    job?.terminate();
    job = null;
    return known.every(({ isDone }) => isDone) ? known : known.filter(({ isDone }) => isDone);
  }

  /** Tell who waits, unless there is something to wait for. */
  function release() {
    for (const resolve of job ? [] : [...waiting]) {
      waiting.delete(resolve);
      resolve();
    }
  }

  return {
    entry,
    ensure,
    /** Compute what a tab that is perhaps not shown needs. */
    prepare: (name, dims) => report({ components_here: ensure(get(), name, dims) }),
    /** @returns {Promise<void>} when what is shown is what was asked for */
    settled: () =>
      new Promise((resolve) => {
        waiting.add(resolve);
        release();
      }),
    runs,
  };
}

/** @returns {boolean} whether the PCA that came with the page is of spherized vectors */
export const isSpherized = (page) => ownTab(page.tabs, 'components')?.entries[0].params.normalize === 'sphere';

/**
 * What a tab of PCA shows in a state: an entry that is there, or what is to be asked for.
 *
 * @returns {{shown?: Entry, ask?: Asked}}
 */
function needed(page, tab, given, { isolated, spherize }) {
  const isGivenSphere = given.params.normalize === 'sphere';
  // Beside PCA as the state has it, others stay of the vectors that they are of.
  const ask = { isolated, spherize: tab.isOwn ? spherize : isGivenSphere, vectors: comparable(page) };
  if (isolated === null && ask.spherize === isGivenSphere) return { shown: given };
  if (!page.vectors)
    return { shown: isolated === null || page.space.vectors ? given : withNote(given, NOTES.noVectors) };
  if (isolated !== null && rowsThere(page.vectors, isolated).length < 2) return { shown: withNote(given, NOTES.alone) };
  return { ask };
}

/** @returns {Vectors[]} as they are asked for: several are spherized by the mean of all */
const readable = ({ vectors, spherize }) => (spherize && vectors.length > 1 ? withCommonMean(vectors) : vectors);

/**
 * Vectors whose components are in common, so that a point which stays has its place: those of all steps where these are
 * of one width, else of the step shown.
 *
 * @param {Page} page at a step @returns {Vectors[]} the same list each time
 */
function comparable({ steps, vectors }) {
  if (!vectors) return [];
  return steps?.vectors.every((each) => each?.d === vectors.d) ? steps.vectors : alone(vectors);
}

const alone = onceEach((/** @type {Vectors} */ vectors) => [vectors]);

/** An entry with something else said of it; what is loaded into the first is in the other too. */
const remarked = (given, said) => Object.assign(Object.create(given), said);

const NOTES = {
  noVectors: 'The vectors are not in this page: PCA of all points.',
  alone: 'One point alone has no components: PCA of all points.',
};

const notesOf = onceEach((/** @type {Entry} */ given) =>
  Object.fromEntries(Object.values(NOTES).map((note) => [note, remarked(given, { note })])),
);

/** The same object each time. */
const withNote = (given, note) => notesOf(given)[note];

const find = (known, given, { isolated, spherize, vectors }) =>
  known.find(
    (found) =>
      found.isolated === isolated &&
      found.spherize === spherize &&
      found.vectors === vectors &&
      isOf(found.entry, given),
  );

/** @returns {Found[]} with one more, without those of other points and the one in its place */
const put = (known, given, one, isPaired = false) => [
  ...known.filter(
    (found) =>
      found.isolated === one.isolated &&
      (!isOf(found.entry, given) || (isPaired && found.vectors !== one.vectors && found.spherize === one.spherize)),
  ),
  one,
];

/** @returns {number} about how long PCA takes, 0 where that is short enough for the page to wait */
function secondsFor({ vectors: { n, d } }, given, { isolated, vectors }) {
  const times = vectors.length;
  const cost = pcaCost(times * (isolated?.length ?? n), d) + times * n * d * given.n_components;
  return cost <= MOST_AT_ONCE ? 0 : Math.round(cost / A_SECOND);
}

/** Whether an entry stands for a given one, of perhaps several of PCA. */
const isOf = (entry, given) => entry.key === given.key && entry.n_components === given.n_components;

function startPca(page, { isolated, spherize, vectors }, wanted, done) {
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
  const parts = readable({ vectors, spherize }).map((each) => takeVectors(each, rowsThere(each, rows), spherize));
  worker.postMessage({ kind: 'components', vectors: parts, spherize, wanted });
  return worker;
}

/** Components of a part as an entry: all points of the page lie on its axes, which there are as many of as before. */
function toEntry(page, step, given, found, { isolated, spherize, vectors }) {
  const k = given.n_components;
  const n = page.vectors.n;
  const components = found.directions.length;
  const space = joinSpaces(readable({ vectors, spherize }).map((each) => createSpace(each, null, spherize)));
  const { coordinates: along, unit } = projectRows(space, found);
  const all = components === k ? along : new Float32Array(space.n * k);
  if (all !== along)
    for (let i = 0; i < space.n; i++) for (let c = 0; c < components; c++) all[i * k + c] = along[i * components + c];
  const isOfAll = vectors.length > 1;
  const ofStep = isOfAll ? ' of all steps together' : step ? ` at step ${step}, with axes of its own` : '';
  const { frames, frameData, isOfSteps, ...own } = given;
  const count = isolated ? `the ${isolated.length.toLocaleString('en')} isolated points` : 'all points';
  return {
    ...own,
    ...(isOfAll ? asSteps(page.steps, all, n, k) : { data: all }),
    id: ++entries,
    params: {
      n_components: k,
      normalize: spherize ? 'sphere' : 'none',
      points: isolated?.length ?? n,
      ...(unit === 1 ? {} : { unit }),
    },
    stats: {
      variance_shares: [...found.shares, ...new Array(k - components).fill(0)],
      total_variance: found.total * (space.unit / unit) ** 2,
    },
    note: isolated
      ? `PCA of ${count} alone${ofStep}, computed anew.`
      : `PCA of ${spherize ? 'spherized' : 'raw'} vectors${ofStep}, computed in this page.`,
  };
}

/** The places at all steps as those of the file: a point that is not there has its place of the next step. */
function asSteps({ names, present }, all, n, k) {
  for (let s = names.length - 2; s >= 0; s--)
    for (let i = 0; present[s] && i < n; i++)
      if (!present[s][i]) all.copyWithin((s * n + i) * k, ((s + 1) * n + i) * k, ((s + 1) * n + i + 1) * k);
  return {
    data: all.subarray((names.length - 1) * n * k),
    frameData: all,
    frames: { unit: 'step', steps: names, figures: {}, bounds: bounds(all, k) },
    isOfSteps: true,
  };
}

let entries = 0;
