import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factsOf, isOfRun } from '#js/state/figures.js';
import { openView } from './fixture.js';

const N = 12;
const ROWS = Array.from({ length: N }, (_, i) => [Math.cos(i), Math.sin(i), i % 3]);
const PART = [0, 1, 2, 3, 4];
const TSNE = {
  key: 'tsne',
  method: 'tsne',
  title: 't-SNE',
  kind: 'map',
  n_components: 2,
  axes: [],
  params: { perplexity: 3, normalize: 'none' },
  stats: {
    kl_divergence: 0.5,
    quality: {
      2: { k: 5, sample: N, neighbors_kept: 0.6, trustworthiness: 0.9, continuity: 0.8, rank_correlation: 0.4 },
    },
  },
  data: Float32Array.from({ length: 2 * N }, (_, i) => i),
  frames: { unit: 'iteration', steps: ['0', '10', '20'], figures: { kl_divergence: [3, 2, 0.5] } },
};

/** A page with t-SNE of its file, and a worker that does what it is told. */
function opened(more = {}) {
  const workers = [];
  const startWorker = () => {
    const worker = { terminate() {}, postMessage() {} };
    workers.push(worker);
    return worker;
  };
  const found = openView({ rows: ROWS, more: [TSNE], startWorker, ...more });
  found.view.arrive();
  found.view.set({ projection: 'tsne', dims: 2 });
  const step = (kind, iteration, n) =>
    workers.at(-1).onmessage({
      data: { kind, iteration, kl: 1, coordinates: new Float32Array(2 * n).fill(iteration), frame: true },
    });
  return { ...found, step, told: () => factsOf(found.page, found.view, found.view.get()) };
}
const remarks = (told) => told.map(({ remark, facts }) => [remark, facts.length]);

test('figures of all points are marked over isolated ones, those of a run on these are not', () => {
  const { view, told, step } = opened();
  assert.deepEqual(remarks(told()), [
    ['', 1],
    ['', 1],
    ['', 5],
  ]);
  view.set({ isolated: PART });
  assert.deepEqual(remarks(told()), [
    ['', 1],
    ['Of all 12 points', 1],
    ['Of all 12 points', 5],
  ]);
  view.set({ frame: 0 });
  assert.equal(told()[2].remark, 'Of all 12 points. Of the end, iteration 20, not of the iteration shown');
  view.computed.runs.start('tsne', {});
  step('done', 5, PART.length);
  assert.deepEqual(remarks(told()).slice(0, 2), [
    ['', 4],
    ['', 1],
  ]);
});

test('how faithful the picture is stands in few words, of a sample with its largest standard error', () => {
  const quality = (more) => {
    const entry = { ...TSNE, stats: { quality: { 2: { ...TSNE.stats.quality[2], ...more } } } };
    const { view, page } = openView({ rows: ROWS, more: [entry] });
    view.arrive();
    view.set({ projection: 'tsne', dims: 2 });
    return factsOf(page, view, view.get()).at(-1).facts;
  };
  const words = (facts) => facts.map(([label, value]) => [label, value]);
  const plain = [
    ['Of nearest neighbors', '5'],
    ['Neighbors kept', '60 %'],
    ['Trustworthiness', '0.90'],
    ['Continuity', '0.80'],
    ['Distances agree', '0.40'],
  ];
  assert.deepEqual(words(quality({})), plain);
  // That of the distances is of pairs, not of points.
  assert.deepEqual(words(quality({ rank_correlation_se: 0.0034 })), plain);
  assert.match(quality({ rank_correlation_se: 0.0034 })[4][2], /; standard error 0\.003$/);
  const sampled = quality({
    ...{ k: 10, sample: 1300, neighbors_kept50: 0.7, trustworthiness50: 0.91, continuity50: 0.852 },
    ...{ trustworthiness_se: 0.0041, continuity_se: 0.0126, continuity50_se: 0.0031 },
  });
  assert.deepEqual(words(sampled), [
    ['Of nearest neighbors', '10 · 50'],
    ['Neighbors kept', '60 % · 70 %'],
    ['Trustworthiness', '0.90 · 0.91'],
    ['Continuity', '0.80 · 0.85'],
    ['Distances agree', '0.40'],
    ['Points ranked', '1,300, ± 0.01'],
  ]);
  assert.match(sampled[3][2], /missing neighbors.*; standard error 0\.01 · 0\.003$/);
});

test('of a source that is shown in part the number of points is not told', () => {
  const { view, page, told } = opened();
  page.partial = true;
  view.set({ isolated: PART });
  assert.equal(told()[1].remark, 'Of all points that were placed');
});

test('a run that is done says that it was not measured', () => {
  const { view, told, step } = opened();
  view.computed.runs.start('tsne', {});
  step('step', 5, N);
  assert.ok(
    told().every(({ facts }) => facts.length),
    'not while it goes on',
  );
  step('done', 10, N);
  assert.match(told().at(-1).remark, /trustworthiness, .* not measured of this run/);
  view.set({ run: null });
  assert.ok(told().every(({ facts }) => facts.length));
});

test('the player is the run’s while the run is shown, and the file’s over its own picture', () => {
  const { view, step } = opened();
  const isRun = () => isOfRun(view.get(), view.entry());
  assert.ok(!isRun());
  view.set({ isolated: PART });
  view.computed.runs.start('tsne', {});
  assert.ok(!isRun(), 'nothing has come of it yet');
  step('done', 10, PART.length);
  assert.ok(isRun());
  view.set({ isolated: null });
  assert.equal(view.entry(), TSNE);
  assert.ok(view.get().run, 'the run is kept');
  assert.ok(!isRun());
});

test('a unit that 32-bit floats do not hold is told with components and axes', () => {
  const rows = ROWS.map((row) => row.map((x) => (x + 2) * 1e-200));
  const vectors = { data: Float64Array.from(rows.flat()), n: N, d: 3 };
  const { view, told } = opened({ rows: vectors });
  const unit = () => Number(Object.fromEntries(told()[0].facts.map(([label, value]) => [label, value]))['In units of']);
  view.set({ projection: 'pca', isolated: [...PART, 5, 6] });
  assert.ok(unit() > 1e-201 && unit() < 1e-198);
  const shown = view.scene().coordinates[0] * unit();
  assert.ok(Math.abs(shown) > 1e-202 && Math.abs(shown) < 1e-198);
  view.set({ projection: 'custom', isolated: null, axes: [{ from: '=0', to: '=1' }] });
  assert.ok(unit() > 1e-201 && unit() < 1e-198);
  const plain = opened();
  plain.view.set({ projection: 'custom', axes: [{ from: '=0', to: '=1' }] });
  assert.deepEqual(remarks(plain.told()), []);
});

test('where Spherize does not change the picture the caption says so', () => {
  const { view, step } = opened();
  const note = (patch) => {
    view.set(patch);
    return view.scene().note;
  };
  const other = /^Spherize is for PCA and what is run here, not for this picture\./;
  assert.equal(note({}), undefined);
  assert.match(note({ spherize: true }), other);
  assert.match(note({ projection: 'custom', axes: [{ from: '=0', to: '=1' }] }), other);
  assert.doesNotMatch(note({ projection: 'pca' }), /Spherize/);
  assert.doesNotMatch(note({ projection: 'umap' }), /Spherize/, 'not run yet');
  view.computed.runs.start('tsne', {});
  step('done', 5, N);
  assert.doesNotMatch(view.scene().note, /Spherize/, 'it was run on spherized vectors');
  assert.match(note({ spherize: false }), /^Spherize is for the next run\. Run here on 12 points/);
});
