import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { nearest } from '#js/numbers/neighbors.js';
import { leadingDirection, leadingLeft, principalComponents, startCovariance } from '#js/numbers/pca.js';
import { createSpace } from '#js/numbers/space.js';
import { createRun, startFrom } from '#js/numbers/tsne.js';
import { tsneOptions } from '#js/runs/options.js';
import { runTsne } from './run_tsne.js';

// tests/data/make_fixtures.py says who computed what is wanted here.

const read = (name) => JSON.parse(readFileSync(new URL(`../../data/${name}.json`, import.meta.url), 'utf8'));
const vectorsOf = (rows) => ({
  data: Float32Array.from(rows.flat()),
  n: rows.length,
  d: rows[0].length,
  scales: null,
  scale: 1,
});
const isNear = (found, want, tolerance, name) =>
  found.forEach((x, i) => assert.ok(Math.abs(x - want[i]) <= tolerance, `${name} ${i}: ${x} for ${want[i]}`));
/** A direction may point either way. */
function isAlong(found, want, tolerance, name) {
  const along = found.reduce((sum, x, i) => sum + x * want[i], 0);
  isNear(
    found.map((x) => x * Math.sign(along)),
    want,
    tolerance,
    name,
  );
}

for (const { name, rows, rank, variances, directions, spherized } of read('components').cases) {
  const vectors = vectorsOf(rows);
  const { d } = vectors;

  test(`components of the ${name} vectors are those of NumPy, and there are no more than have variance`, () => {
    const space = createSpace(vectors, null, false);
    const found = principalComponents(space, 10);
    variances.forEach((variance, c) => {
      assert.ok(Math.abs(found.variances[c] * space.unit ** 2 - variance) < 1e-10 * variances[0]);
      isAlong(found.directions[c], directions[c], 1e-7, `component ${c}`);
    });
    const left = found.directions.filter((direction) => direction.some((x) => x !== 0)).length;
    assert.equal(left, Math.min(10, rank));
    assert.ok(found.variances.slice(rank).every((x) => x === 0));
  });

  test(`the direction of most variance of the ${name} vectors, and of what it leaves, is found either way`, () => {
    const space = createSpace(vectors, null, false);
    const covariance = startCovariance(space).finish();
    for (const [c, basis] of [
      [0, []],
      [1, [Float64Array.from(directions[0])]],
    ]) {
      if (c >= rank) continue;
      const { direction, settled } = leadingDirection(space, basis, 300);
      assert.equal(settled, true);
      isAlong(direction, directions[c], 2e-6, 'by products');
      isAlong(leadingLeft(covariance, d, basis), directions[c], 1e-7, 'by the covariance');
    }
  });

  test(`the ${name} vectors spherized lie around the mean, at length 1`, () => {
    const space = createSpace(vectors, null, true);
    const out = new Float64Array(d);
    spherized.forEach((row, i) => {
      space.read(i, out);
      isNear(out, row, 1e-9, `row ${i}`);
    });
  });
}

test('neighbors are those of exact fractions, ties by row number, at the cut too', () => {
  const { rows, k, answers } = read('neighbors');
  const vectors = vectorsOf(rows);
  for (const { row, metric, indices, distances } of answers) {
    const found = nearest(vectors, row, k, metric);
    assert.deepEqual([...found.indices], indices, `${metric} of row ${row}`);
    isNear(found.distances, distances, 1e-6, `${metric} of row ${row}`);
  }
});

const { data, cases } = read('tsne');
for (const { data: name, n, perplexity, kl, affinities } of cases) {
  if (n > data[name].length) continue;
  test(`t-SNE of ${n} ${name} ends no higher than openTSNE's defaults`, () => {
    const rows = data[name].slice(0, n);
    const seeds = [0, 1, 2, 3].map((seed) => runTsne(rows, { perplexity, seed }));
    if (affinities) {
      const { starts, others, weights } = seeds[0].p;
      const dense = new Float64Array(n * n);
      for (let i = 0; i < n; i++)
        for (let at = starts[i]; at < starts[i + 1]; at++) dense[i * n + others[at]] = weights[at];
      isNear(dense, affinities.flat(), 1e-6, 'affinity');
    }
    const mean = seeds.reduce((sum, found) => sum + found.kl, 0) / seeds.length;
    // No seed is left in a poor arrangement where the points are very few.
    if (n <= 25) for (const found of seeds) assert.ok(found.kl <= 1.1 * kl + 5e-5, `${found.kl} for ${kl}`);
    // The reference is written in four decimals.
    assert.ok(mean <= 1.01 * kl + 5e-5, `${mean} for ${kl}`);
    for (const { points } of seeds) assert.ok(Math.max(...points) - Math.min(...points) > 1);
  });
}

test('points at one place, in pairs or all, are drawn without NaN, and stay apart from the others', () => {
  for (const rows of [
    Array.from({ length: 12 }, () => [3, 3, 3]),
    Array.from({ length: 12 }, (_, i) => [Math.floor(i / 2), 0, 0]),
    Array.from({ length: 4 }, (_, i) => [i < 2 ? 0 : 1, 0, 0]),
  ]) {
    const { points, kl } = runTsne(rows, {});
    assert.ok(points.every(Number.isFinite) && Number.isFinite(kl));
    assert.ok(Math.max(...points) - Math.min(...points) > 1e-6);
  }
});

test('few points can be perturbed, too, and find their places again', () => {
  const rows = data.digits.slice(0, 6);
  const { p, kl } = runTsne(rows, {});
  const run = createRun(
    p,
    startFrom(
      Float32Array.from({ length: 12 }, (_, i) => i % 5),
      6,
      2,
      0,
    ),
    tsneOptions(6),
  );
  while (run.iteration() < 400) run.step();
  const before = run.points().slice();
  run.perturb();
  assert.ok(run.points().some((x, i) => x !== before[i]));
  while (!run.isDone()) run.step();
  assert.ok(run.divergence() < 1.5 * kl, `${run.divergence()} for ${kl}`);
});
