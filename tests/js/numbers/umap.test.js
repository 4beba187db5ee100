import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestRows, squaredDistances } from '#js/numbers/affinities.js';
import { createNormal, createRandom } from '#js/numbers/random.js';
import { MOST_POINTS, umapOptions } from '#js/runs/options.js';
import { bandwidths, createRun, fitCurve, fuzzyGraph, startFrom } from '#js/numbers/umap.js';
import { countNearestAlike } from './nearest_alike.js';

// Sigmas, graph, curve and finished maps are compared with those of umap-learn in tests/test_umap_in_page.py.

const normal = createNormal(createRandom(5));
const [n, d, k] = [120, 6, 8];
const x = Float64Array.from({ length: n * d }, (_, at) => normal() + (at % d === Math.floor(at / d) % 3 ? 9 : 0));
const near = nearestRows(squaredDistances(x, n, d), n, k - 1);
const distances = near.squared.map(Math.sqrt);
const graph = fuzzyGraph(near.indices, distances, n, k);

test('the memberships of a point sum to the logarithm of its neighbors', () => {
  const { sigmas, rhos } = bandwidths(distances, n, k);
  for (let i = 0; i < n; i++) {
    const row = distances.subarray(i * (k - 1), (i + 1) * (k - 1));
    assert.equal(rhos[i], row[0]);
    const sum = row.reduce((total, far) => total + Math.exp(-Math.max(0, far - rhos[i]) / sigmas[i]), 0);
    assert.ok(Math.abs(sum - 3) < 1e-4);
  }
});

test('the graph has both directions of each edge with one weight in 0 .. 1, by point', () => {
  const { heads, tails, weights } = graph;
  const found = new Map(Array.from(heads, (head, e) => [head * n + tails[e], weights[e]]));
  assert.equal(found.size, heads.length);
  heads.forEach((head, e) => {
    assert.notEqual(head, tails[e]);
    assert.ok(weights[e] > 0 && weights[e] <= 1);
    assert.equal(found.get(tails[e] * n + head), weights[e]);
    assert.ok(e === 0 || heads[e - 1] < head || (heads[e - 1] === head && tails[e - 1] < tails[e]));
  });
});

for (const dims of [2, 3]) {
  test(`a run in ${dims}D puts neighbors together, and a seed repeats it`, () => {
    const components = Float32Array.from({ length: n * dims }, (_, at) => x[Math.floor(at / dims) * d + (at % dims)]);
    const finish = (seed) => {
      const run = createRun(
        graph,
        startFrom(components, n, dims, seed),
        umapOptions(n, { dims, neighbors: k, epochs: 200, seed }),
      );
      while (!run.isDone()) run.step();
      return run;
    };
    const one = finish(3);
    assert.equal(one.iteration(), 200);
    const y = one.points();
    assert.equal(y.length, n * dims);
    assert.deepEqual(y, finish(3).points());
    assert.notDeepEqual(y, finish(4).points());
    const right = countNearestAlike(y, n, dims, (i) => i % 3);
    assert.ok(right > 0.98 * n, `${right} of ${n}`);
  });
}

test('a start is spread over 0 .. 10 in each dimension, also where the components have no extent', () => {
  for (const components of [Float32Array.from({ length: 40 }, (_, at) => (at % 2 ? 0 : at)), new Float32Array(40)]) {
    const start = startFrom(components, 20, 2, 0);
    for (const c of [0, 1]) {
      const values = start.filter((_, at) => at % 2 === c);
      assert.deepEqual([Math.min(...values), Math.max(...values)], [0, 10]);
    }
    assert.deepEqual(start, startFrom(components, 20, 2, 0));
  }
});

test('points at one place are parted', () => {
  const same = nearestRows(new Float32Array(144), 12, 4);
  const run = createRun(
    fuzzyGraph(same.indices, same.squared, 12, 5),
    startFrom(new Float32Array(24), 12, 2, 0),
    umapOptions(12, { neighbors: 5, epochs: 50 }),
  );
  while (!run.isDone()) run.step();
  assert.ok(run.points().every(Number.isFinite));
  assert.equal(new Set(run.points()).size, 24);
});

test('no step is longer than the largest move times the rate, attraction and repulsion each', () => {
  const run = createRun(
    graph,
    Float64Array.from({ length: 2 * n }, () => 1000 * normal()),
    umapOptions(n, { neighbors: k, learning_rate: 0.5, epochs: 300 }),
  );
  const before = run.points();
  run.step();
  run.step();
  // A point has at most 2 n edges, each with five negative samples.
  assert.ok(run.points().every((v, at) => Math.abs(v - before[at]) < 0.5 * 4 * 6 * 2 * n));
});

test('the curve falls from 1 and crosses the middle later where points keep a larger distance', () => {
  const half = (distance) => {
    const { a, b } = fitCurve(distance);
    return a ** (-1 / (2 * b));
  };
  assert.ok(half(0) < half(0.1) && half(0.1) < half(0.5) && half(0.5) < half(1));
  assert.ok(Math.abs(half(0.5) - (0.5 + Math.log(2))) < 0.1);
});

test('what does not fit is refused with the numbers that do', () => {
  assert.throws(() => umapOptions(3), /3 points are too few for UMAP, which needs 4/);
  assert.throws(
    () => umapOptions(MOST_POINTS + 1),
    /UMAP runs here on at most 5,000 points; isolate fewer of these 5,001/,
  );
  assert.throws(
    () => umapOptions(15, { neighbors: 15 }),
    /Neighbors 15 do not fit 15 points; whole numbers from 2 to 14 do/,
  );
  for (const odd of [
    { neighbors: 1 },
    { neighbors: 2.5 },
    { neighbors: NaN },
    { min_distance: -0.1 },
    { min_distance: 1.1 },
    { min_distance: NaN },
    { learning_rate: 0 },
    { learning_rate: NaN },
    { epochs: 0 },
    { epochs: NaN },
    { seed: -1 },
    { dims: 1 },
  ]) {
    assert.throws(() => umapOptions(1000, odd), RangeError, JSON.stringify(odd));
  }
  assert.deepEqual(umapOptions(1000), {
    dims: 2,
    neighbors: 15,
    min_distance: 0.1,
    learning_rate: 1,
    epochs: 500,
    seed: 0,
  });
  assert.equal(umapOptions(10).neighbors, 9);
});
