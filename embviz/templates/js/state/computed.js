import { pcaCost, principalComponents, projectRows } from '#js/numbers/pca.js';
import { entryFor, ownTab } from '#js/state/tabs.js';
import { createRuns } from '#js/runs/runs.js';
import { createSpace, takeVectors } from '#js/numbers/space.js';

/** @import { Entry, Page, State, Store } from '#js/data/types.js' */

/** More multiplications than that are left to a worker, so that the page goes on answering. */
const MOST_AT_ONCE = 3e9;
const A_SECOND = 1.3e9;

/** @typedef {ReturnType<typeof createComputed>} Computed */

/**
 * What the page computes itself, as entries like those of the manifest: PCA of the isolated points or of spherized
 * vectors, and t-SNE and UMAP run anew.
 *
 * @param {Page} page
 * @param {Store<State>} store `run` and `results` are set here
 */
export function createComputed(page, store) {
  const kept = { found: null, job: null };
  const runs = createRuns(page, store);
  const waiting = new Set();
  const { tabs } = page;
  const announce = (patch = {}) => {
    store.set({ results: store.get().results + 1, ...patch });
    if (!kept.job) for (const done of [...waiting]) done();
  };

  /** @returns {Entry | undefined} what a tab shows, whoever computed it */
  function entry(state = store.get(), name = state.projection, dims = state.dims) {
    const given = entryFor(tabs.get(name), dims);
    const tab = tabs.get(name);
    if (tab?.role === 'components' && given) {
      // Beside PCA as the state has it, others stay of the vectors that they are of.
      const spherize = tab.isOwn ? state.spherize : given.params.normalize === 'sphere';
      const shown = pcaEntry(page, kept, announce, given, { isolated: state.isolated, spherize });
      if (!kept.job) for (const done of [...waiting]) done();
      return shown;
    }
    return runs.entry(state, name, dims) ?? given;
  }

  return {
    entry,
    /** @returns {Promise<void>} when what is shown is what was asked for */
    settled: () =>
      new Promise((resolve) => {
        entry();
        if (!kept.job) return resolve();
        const done = () => {
          waiting.delete(done);
          resolve();
        };
        return waiting.add(done);
      }),
    runs,
  };
}

/** @returns {boolean} whether the PCA that came with the page is of spherized vectors */
export const isSpherized = (page) => ownTab(page.tabs, 'components')?.entries[0].params.normalize === 'sphere';

function pcaEntry(page, kept, announce, given, { isolated, spherize }) {
  const isGiven = isolated === null && spherize === (given.params.normalize === 'sphere');
  if (!page.vectors || isGiven) {
    dropJob(kept);
    return isolated === null || page.space.vectors
      ? given
      : memoNote(kept, given, isolated, 'The vectors are not in this page: PCA of all points.');
  }
  if (isolated !== null && isolated.length < 2)
    return memoNote(kept, given, isolated, 'One point alone has no components: PCA of all points.');
  const known = kept.found;
  if (known && known.isolated === isolated && known.spherize === spherize && isOf(known.entry, given))
    return known.entry;
  dropJob(kept);
  const cost =
    pcaCost(isolated?.length ?? page.vectors.n, page.vectors.d) + page.vectors.n * page.vectors.d * given.n_components;
  if (cost <= MOST_AT_ONCE) {
    const found = principalComponents(createSpace(page.vectors, isolated, spherize), given.n_components);
    kept.found = { isolated, spherize, entry: toEntry(page, given, found, isolated, spherize) };
  } else {
    const seconds = Math.round(cost / A_SECOND);
    kept.found = {
      isolated,
      spherize,
      entry: {
        ...given,
        note:
          `PCA of these points is being computed, which takes about ${seconds} seconds; ` +
          'until then that of the whole file is shown.',
      },
    };
    kept.job = startPca(page, isolated, spherize, given.n_components, (found, problem) => {
      kept.job = null;
      kept.found = {
        isolated,
        spherize,
        entry: found
          ? toEntry(page, given, found, isolated, spherize)
          : { ...given, note: `PCA of these points could not be computed: ${problem}.`, failed: problem },
      };
      announce();
    });
  }
  return kept.found.entry;
}

function memoNote(kept, given, isolated, note) {
  if (kept.found?.isolated !== isolated || kept.found.entry.note !== note || !isOf(kept.found.entry, given))
    kept.found = { isolated, spherize: null, entry: { ...given, note } };
  return kept.found.entry;
}

/** Whether an entry stands for a given one, of perhaps several of PCA. */
const isOf = (entry, given) => entry.key === given.key && entry.n_components === given.n_components;

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
  worker.postMessage({ kind: 'components', vectors: takeVectors(page.vectors, rows, spherize), spherize, wanted });
  return worker;
}

/** Components of a part as an entry: all points of the page lie on its axes, which there are as many of as before. */
function toEntry(page, given, found, isolated, spherize) {
  const k = given.n_components;
  const n = page.vectors.n;
  const components = found.directions.length;
  const space = createSpace(page.vectors, null, spherize);
  const { coordinates: along, unit } = projectRows(space, found);
  const data = components === k ? along : new Float32Array(n * k);
  if (data !== along)
    for (let i = 0; i < n; i++) for (let c = 0; c < components; c++) data[i * k + c] = along[i * components + c];
  const count = isolated ? `the ${isolated.length.toLocaleString('en')} isolated points` : 'all points';
  return {
    ...given,
    data,
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
      ? `PCA of ${count} alone, computed anew.`
      : `PCA of ${spherize ? 'spherized' : 'raw'} vectors, computed in this page.`,
  };
}

let entries = 0;
