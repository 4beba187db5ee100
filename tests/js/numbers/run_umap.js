import { readFileSync } from 'node:fs';
import { nearestRows, squaredDistances } from '#js/numbers/affinities.js';
import { umapOptions } from '#js/runs/options.js';
import { bandwidths, createRun, fitCurve, fuzzyGraph, startFrom } from '#js/numbers/umap.js';

// For tests/test_umap_in_page.py: rows and their components on stdin, what UMAP makes of them on stdout, as JSON.

const { rows, components, options, min_distances } = JSON.parse(readFileSync(0, 'utf8'));
const [n, d] = [rows.length, rows[0].length];
const asked = umapOptions(n, options);
const k = asked.neighbors;
const near = nearestRows(squaredDistances(Float64Array.from(rows.flat()), n, d), n, k - 1);
const distances = near.squared.map(Math.sqrt);
const { sigmas, rhos } = bandwidths(distances, n, k);
const graph = fuzzyGraph(near.indices, distances, n, k);
const run = createRun(graph, startFrom(Float32Array.from(components.flat()), n, asked.dims, asked.seed), asked);
while (!run.isDone()) run.step();
const plain = (values) => Array.from(values);
process.stdout.write(
  JSON.stringify({
    indices: plain(near.indices),
    distances: plain(distances),
    sigmas: plain(sigmas),
    rhos: plain(rhos),
    heads: plain(graph.heads),
    tails: plain(graph.tails),
    weights: plain(graph.weights),
    points: plain(run.points()),
    curves: min_distances.map(fitCurve),
  }),
);
