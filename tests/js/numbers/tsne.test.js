import assert from 'node:assert/strict';
import { test } from 'node:test';
import { affinities, nearestRows, rowAffinities, squaredDistances } from '#js/numbers/affinities.js';
import { createNormal, createRandom } from '#js/numbers/random.js';
import { MOST_POINTS, tsneOptions } from '#js/runs/options.js';
import { readLabels, supervised } from '#js/numbers/supervise.js';
import { createTable } from '#js/data/table.js';
import { createRun, differentiate, divergence, planPhases, startFrom } from '#js/numbers/tsne.js';
import { countNearestAlike } from './nearest_alike.js';

const normal = createNormal(createRandom(2));
const [n, d] = [90, 6];
const x = Float64Array.from(
  { length: n * d },
  (_, at) => normal() + (Math.floor(at / d) % 3) * 8 * (at % d === Math.floor(at / d) % 3),
);
const squared = squaredDistances(x, n, d);

test('squared distances are those of the points', () => {
  for (const [a, b] of [
    [0, 0],
    [3, 80],
    [80, 3],
    [45, 31],
    [89, 88],
  ]) {
    let want = 0;
    for (let j = 0; j < d; j++) want += (x[a * d + j] - x[b * d + j]) ** 2;
    assert.ok(Math.abs(squared[a * n + b] - want) < 1e-4);
  }
});

test('the nearest points come nearest first, without the point itself', () => {
  const near = nearestRows(squared, n, 5);
  for (const i of [0, 41, 89]) {
    const order = Array.from({ length: n }, (_, j) => j)
      .filter((j) => j !== i)
      .sort((a, b) => squared[i * n + a] - squared[i * n + b] || a - b)
      .slice(0, 5);
    assert.deepEqual([...near.indices.subarray(i * 5, i * 5 + 5)], order);
    assert.deepEqual(
      [...near.squared.subarray(i * 5, i * 5 + 5)],
      order.map((j) => squared[i * n + j]),
    );
  }
});

test('the weights of a point have the entropy of its perplexity', () => {
  const near = Float64Array.from({ length: 30 }, (_, i) => (i + 1) ** 1.5);
  for (const perplexity of [2, 5, 9.5]) {
    const p = rowAffinities(near, perplexity);
    const entropy = -p.reduce((sum, w) => sum + w * Math.log(w), 0);
    assert.ok(Math.abs(Math.exp(entropy) - perplexity) < 1e-5);
    assert.ok(Math.abs(p.reduce((a, b) => a + b) - 1) < 1e-12);
  }
  assert.deepEqual([...rowAffinities(new Float64Array(4), 2)], [0.25, 0.25, 0.25, 0.25]);
});

test('affinities are symmetric, sum to 1 and leave out the point itself', () => {
  const { starts, others, weights } = affinities(squared, n, 8);
  assert.ok(Math.abs(weights.reduce((a, b) => a + b) - 1) < 1e-9);
  const find = (i, j) => {
    for (let at = starts[i]; at < starts[i + 1]; at++) if (others[at] === j) return weights[at];
    return 0;
  };
  for (let i = 0; i < n; i += 7) {
    assert.equal(find(i, i), 0);
    for (let at = starts[i]; at < starts[i + 1]; at++) assert.ok(Math.abs(find(others[at], i) - weights[at]) < 1e-15);
  }
});

for (const dims of [2, 3]) {
  test(`the gradient in ${dims}D is a quarter of the slope of the divergence`, () => {
    const p = affinities(squared, n, 8);
    const y = Float64Array.from({ length: n * dims }, normal);
    const { gradient } = differentiate(p, y, n, dims, 1);
    for (const at of [0, 5, 77, n * dims - 1]) {
      const moved = (by) =>
        divergence(
          p,
          y.map((v, i) => (i === at ? v + by : v)),
          n,
          dims,
        );
      const slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
      assert.ok(Math.abs(4 * gradient[at] - slope) < 1e-6, `${4 * gradient[at]} ${slope}`);
    }
  });

  test(`a run in ${dims}D puts neighbors together, and a seed repeats it`, () => {
    const p = affinities(squared, n, 8);
    const options = tsneOptions(n, { dims, perplexity: 8, iterations: 250, seed: 4 });
    const components = Float32Array.from({ length: n * dims }, (_, at) => x[Math.floor(at / dims) * d + (at % dims)]);
    const finish = (seed) => {
      const run = createRun(p, startFrom(components, n, dims, seed), options);
      while (!run.isDone()) run.step();
      return run;
    };
    const one = finish(4);
    assert.equal(one.iteration(), 250);
    assert.ok(one.divergence() < 0.5, String(one.divergence()));
    assert.deepEqual(one.points(), finish(4).points());
    assert.notDeepEqual(one.points(), finish(5).points());
    const y = one.points();
    const right = countNearestAlike(y, n, dims, (i) => i % 3);
    assert.ok(right > 0.97 * n, `${right} of ${n}`);
  });
}

test('what does not fit is refused with the numbers that do', () => {
  assert.throws(() => tsneOptions(3), /3 points are too few for t-SNE, which needs 4/);
  assert.throws(() => tsneOptions(MOST_POINTS + 1), /at most 5,000 points; isolate fewer of these 5,001/);
  assert.throws(() => tsneOptions(31, { perplexity: 11 }), /1 to 10 do/);
  for (const odd of [
    { perplexity: 0.5 },
    { perplexity: NaN },
    { learning_rate: 0 },
    { iterations: 1.5 },
    { iterations: 0 },
    { seed: -1 },
    { dims: 4 },
  ]) {
    assert.throws(() => tsneOptions(1000, odd), RangeError);
  }
  assert.deepEqual(tsneOptions(1000), { dims: 2, perplexity: 30, learning_rate: null, iterations: 750, seed: 0 });
  assert.equal(tsneOptions(3000).iterations, 300);
  assert.equal(tsneOptions(31).perplexity, 10);
});

test('points at one place are parted', () => {
  const p = affinities(new Float32Array(100), 10, 3);
  const run = createRun(
    p,
    startFrom(new Float32Array(20), 10, 2, 0),
    tsneOptions(10, { perplexity: 3, iterations: 50 }),
  );
  while (!run.isDone()) run.step();
  assert.ok(run.points().every(Number.isFinite));
  assert.equal(new Set(run.points().map((v) => Math.round(v * 1e9))).size > 15, true);
});

test('perturbing moves each point by up to 5 % of the radius, within it, and a seed repeats it', () => {
  const p = affinities(squared, n, 8);
  const from = startFrom(Float32Array.from({ length: 2 * n }, normal), n, 2, 0).map((v) => v * 1e5);
  const perturbed = (seed) => {
    const run = createRun(p, from, tsneOptions(n, { perplexity: 8, seed }));
    run.perturb();
    return run.points();
  };
  const y = perturbed(1);
  const radius = (points) =>
    Math.max(...Array.from({ length: n }, (_, i) => Math.hypot(points[2 * i], points[2 * i + 1])));
  const middle = [0, 1].map((c) => y.reduce((sum, v, at) => sum + (at % 2 === c ? v : 0), 0) / n);
  assert.ok(middle.every((v) => Math.abs(v) < 1e-9));
  const shifts = Array.from(y, (v, at) => Math.abs(v - from[at]) / radius(from));
  // The middle is brought back, which moves all by a little more.
  assert.ok(Math.max(...shifts) < 0.06 && Math.max(...shifts) > 0.03, String(Math.max(...shifts)));
  assert.ok(radius(y) < 1.02 * radius(from));
  assert.deepEqual(y, perturbed(1));
  assert.notDeepEqual(y, perturbed(2));
});

test('supervising raises affinities within a class and lowers those between two', () => {
  const p = affinities(squared, n, 8);
  // 30 of class 0, 30 of class 1, 30 without.
  const labels = Int32Array.from({ length: n }, (_, i) => [0, 1, -1][Math.floor(i / 30)]);
  const found = supervised(p, labels, 20);
  assert.ok(Math.abs(found.weights.reduce((a, b) => a + b) - 1) < 1e-12);
  const ratio = (i, at) => found.weights[at] / p.weights[at];
  const kinds = { same: new Set(), other: new Set(), none: new Set() };
  for (let i = 0; i < n; i++) {
    for (let at = p.starts[i]; at < p.starts[i + 1]; at++) {
      const j = p.others[at];
      const kind = labels[i] < 0 || labels[j] < 0 ? 'none' : labels[i] === labels[j] ? 'same' : 'other';
      kinds[kind].add(ratio(i, at).toPrecision(9));
    }
  }
  for (const kind of ['same', 'other', 'none']) assert.equal(kinds[kind].size, 1, kind);
  const [same, other, none] = ['same', 'other', 'none'].map((kind) => Number([...kinds[kind]][0]));
  assert.ok(Math.abs(same / none - (1 + (0.2 * 90) / 30)) < 1e-6);
  assert.ok(Math.abs(other / none - (1 - (0.2 * 90) / 30)) < 1e-6);
  const unchanged = supervised(p, labels, 0).weights;
  assert.ok(unchanged.every((w, at) => Math.abs(w - p.weights[at]) < 1e-15));
  const most = supervised(p, labels, 100).weights;
  assert.ok(most.every((w) => w > 0 && Number.isFinite(w)));
});

test('labels to supervise by are those of a column, missing and ignored ones are none', () => {
  const table = createTable({ n_points: 5, n_dims: 2, label_by: null, columns: [{ name: 'kind', kind: 'text' }] });
  table.columns.get('kind').values = ['a', 'b', '', 'a', '?'];
  const rows = Int32Array.of(4, 3, 2, 1, 0);
  const labels = readLabels(table, rows, { column: 'kind', factor: 5, ignore: '?' });
  assert.deepEqual([labels[0], labels[2]], [-1, -1]);
  assert.equal(labels[1], labels[4]);
  assert.notEqual(labels[1], labels[3]);
  assert.ok(readLabels(table, rows, { column: 'kind', factor: 5 })[0] >= 0);
  assert.throws(() => readLabels(table, rows, { column: 'x', factor: 5 }), /no column 'x'/);
  assert.throws(() => readLabels(table, rows, { column: 'kind', factor: 101 }), /101 is not in 0 .. 100/);
  assert.throws(() => readLabels(table, rows, { column: 'kind', factor: NaN }), RangeError);
  assert.throws(() => readLabels(table, rows, { column: 'kind', factor: 5, ignore: 'zz' }), /no value 'zz'/);
});

test('any number of iterations is shared among phases whose exaggeration falls', () => {
  for (const n of [4, 2999, 3000]) {
    for (const total of [1, 7, 20, 300, 750]) {
      const phases = planPhases(n, total);
      assert.equal(
        phases.reduce((sum, { iterations }) => sum + iterations, 0),
        total,
      );
      assert.ok(phases.every(({ iterations }) => iterations >= 0));
      assert.ok(phases.every(({ exaggeration }, i) => i === 0 || exaggeration <= phases[i - 1].exaggeration));
      assert.equal(phases.at(-1).exaggeration, 1);
    }
  }
});
