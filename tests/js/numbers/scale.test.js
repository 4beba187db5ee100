import assert from 'node:assert/strict';
import { test } from 'node:test';
import { affinities, nearestRows, squaredDistances } from '#js/numbers/affinities.js';
import { axisCoordinates, customView } from '#js/numbers/axes.js';
import { nearest } from '#js/numbers/neighbors.js';
import { leadingDirection, principalComponents, projectRows } from '#js/numbers/pca.js';
import { createNormal, createRandom } from '#js/numbers/random.js';
import { createSpace, metricRows, takeVectors } from '#js/numbers/space.js';
import * as tsne from '#js/numbers/tsne.js';
import * as umap from '#js/numbers/umap.js';

// The same picture at any scale: every way through the page's numerics, with vectors as a page can bring them.

const [N, D] = [60, 6];
const normal = createNormal(createRandom(8));
const base = Float32Array.from({ length: N * D }, (_, at) => normal() + (Math.floor(at / D) % 3 === at % D ? 9 : 2));
const plain = (data, scale = 1, scales = null) => ({ data, n: N, d: D, scales, scale });
const one = picture(plain(base));
const steps = Int8Array.from(base, (x) => Math.round(x * 8));
const stepped = picture(plain(steps, 1, new Float32Array(N).fill(0.125)));

function picture(vectors) {
  const space = createSpace(vectors, null, false);
  const found = principalComponents(space, 3);
  const { coordinates, unit } = projectRows(space, found);
  const page = {
    vectors,
    carried: [],
    table: { n_points: N, columns: new Map(), labelColumn: null, rowNumber: (i) => i },
  };
  const axes = [
    { from: '/[147]$/', to: '/[258]$/' },
    { from: '', to: '' },
  ];
  const view = customView(page, axes, 'row');
  const runs = ['cosine', 'euclidean'].flatMap((metric) =>
    [false, true].map((spherize) => run(vectors, metric, spherize)),
  );
  return {
    shares: found.shares,
    coordinates: Float64Array.from(coordinates, (x) => x * unit),
    view: Float64Array.from(view.coordinates, (x) => x * view.unit),
    leading: leadingDirection(space, [], 300).direction,
    cosine: nearest(vectors, 5, 20, 'cosine'),
    euclidean: nearest(vectors, 5, 20, 'euclidean'),
    runs,
  };
}

/** What the worker does before the first step. */
function run(vectors, metric, spherize) {
  const rows = Int32Array.from({ length: N }, (_, i) => i);
  const space = createSpace(takeVectors(vectors, rows, spherize), null, spherize);
  const squared = squaredDistances(metricRows(space, metric), N, D);
  const components = projectRows(space, principalComponents(space, 2)).coordinates;
  const p = affinities(squared, N, 5);
  const near = nearestRows(squared, N, 7);
  const graph = umap.fuzzyGraph(near.indices, near.squared.map(Math.sqrt), N, 8);
  return {
    others: p.others,
    weights: p.weights,
    start: tsne.startFrom(components, N, 2, 1),
    heads: graph.heads,
    memberships: graph.weights,
    begin: umap.startFrom(components, N, 2, 1),
  };
}

/** Whether two lists of numbers agree, the second times a factor, to a share of the largest. */
function agree(a, b, factor, tolerance, name) {
  assert.equal(a.length, b.length, name);
  const peak = b.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  a.forEach((x, i) => assert.ok(Math.abs(x / factor - b[i]) <= tolerance * peak, `${name} ${i}: ${x}, ${b[i]}`));
}

function isThePicture(found, want, factor, tolerance) {
  agree(found.shares, want.shares, 1, tolerance, 'shares');
  agree(found.coordinates, want.coordinates, factor, tolerance, 'PCA');
  agree(found.view, want.view, factor, tolerance, 'axes');
  agree(found.leading, want.leading, 1, tolerance, 'filled axis');
  for (const metric of ['cosine', 'euclidean']) {
    assert.deepEqual(found[metric].indices, want[metric].indices);
    agree(found[metric].distances, want[metric].distances, metric === 'cosine' ? 1 : factor, tolerance, metric);
  }
  found.runs.forEach((run, i) => {
    for (const key of ['others', 'heads']) assert.deepEqual(run[key], want.runs[i][key], key);
    for (const key of ['weights', 'start', 'memberships', 'begin'])
      agree(run[key], want.runs[i][key], 1, 20 * tolerance, key);
  });
}

for (const magnitude of [-320, -300, -154, -100, -45, -39, -25, -19, -10, 10, 19, 25, 37, 100, 154, 200, 300]) {
  test(`vectors of 1e${magnitude} give the picture of scale 1`, () => {
    const power = 2 ** Math.round(Math.log2(10) * magnitude);
    // The decimal digits of a denormal are few.
    const tolerance = magnitude < -307 ? 1e-3 : 1e-6;
    isThePicture(picture(plain(base, power)), one, power, tolerance);
    isThePicture(picture(plain(steps, power, new Float32Array(N).fill(0.125))), stepped, power, tolerance);
    if (magnitude < -37 || magnitude > 37) return;
    const factor = 10 ** magnitude;
    isThePicture(picture(plain(base.map((x) => x * factor))), one, factor, 1e-5);
    isThePicture(picture(plain(steps, 1, new Float32Array(N).fill(0.125 * factor))), stepped, factor, 1e-5);
  });
}

test('vectors near the largest float have distances that are larger: beyond all numbers, in the right order', () => {
  const power = 2 ** 1020;
  const { euclidean } = picture(plain(base, power));
  assert.deepEqual(euclidean.indices, one.euclidean.indices);
  const wide = nearest(
    plain(
      base.map((x, at) => 1.25 * (at < D ? -x : x)),
      power,
    ),
    0,
    3,
    'euclidean',
  );
  assert.deepEqual([...wide.distances], [Infinity, Infinity, Infinity]);
});

test('coordinates that 32-bit floats do not hold are named with their unit, and an axis alone is refused', () => {
  const vectors = plain(base, 2 ** 400);
  const space = createSpace(vectors, null, false);
  assert.equal(projectRows(space, principalComponents(space, 2)).unit, space.unit);
  assert.equal(projectRows(createSpace(plain(base, 2 ** 90), null, false), principalComponents(space, 2)).unit, 1);
  const table = { n_points: N, columns: new Map(), labelColumn: null, rowNumber: (i) => i };
  const axis = { from: '=1', to: '=2' };
  assert.throws(
    () => axisCoordinates({ vectors, carried: [], table }, axis, null),
    /beyond the range of 32-bit floats/,
  );
});

test('rows that are near each other and far from zero keep their distances', () => {
  const far = plain(base.map((x) => Math.round(x) + 2 ** 22));
  for (const metric of ['cosine', 'euclidean']) {
    const space = createSpace(far, null, false);
    const squared = squaredDistances(metricRows(space, metric), N, D);
    const { indices, distances } = nearest(far, 0, N - 1, metric);
    const peak = Math.max(...distances);
    indices.forEach((j, at) => {
      const found = metric === 'cosine' ? squared[j] / 2 : Math.sqrt(squared[j]) * space.unit;
      assert.ok(Math.abs(found - distances[at]) < 1e-5 * peak, `${found} for ${distances[at]}`);
    });
  }
});
