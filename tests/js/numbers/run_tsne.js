import { readFileSync } from 'node:fs';
import { affinities, squaredDistances } from '#js/numbers/affinities.js';
import { principalComponents, projectRows } from '#js/numbers/pca.js';
import { createSpace, metricRows } from '#js/numbers/space.js';
import { createRun, startFrom } from '#js/numbers/tsne.js';
import { tsneOptions } from '#js/runs/options.js';

/**
 * What the page's t-SNE makes of some rows, as its worker runs it.
 *
 * @param {number[][]} rows @param {{perplexity?, dims?, seed?, iterations?}} asked
 * @returns {{points: Float64Array, kl: number, p: object}}
 */
export function runTsne(rows, asked) {
  const [n, d] = [rows.length, rows[0].length];
  const options = tsneOptions(n, asked);
  const { dims } = options;
  const space = createSpace({ data: Float32Array.from(rows.flat()), n, d, scales: null, scale: 1 }, null, false);
  const p = affinities(squaredDistances(metricRows(space, 'euclidean'), n, d), n, options.perplexity);
  const { coordinates } = projectRows(space, principalComponents(space, dims));
  const start = startFrom(coordinates, n, dims, options.seed);
  const run = createRun(p, start, options);
  while (!run.isDone()) run.step();
  return { points: run.points(), kl: run.divergence(), p };
}

// For tests/test_tsne_in_page.py: rows and options on stdin, the map on stdout, as JSON.
if (process.argv[1] === import.meta.filename) {
  const { rows, options } = JSON.parse(readFileSync(0, 'utf8'));
  const { points, kl, p } = runTsne(rows, options);
  const plain = Object.fromEntries(Object.entries(p).map(([key, values]) => [key, Array.from(values)]));
  process.stdout.write(JSON.stringify({ points: Array.from(points), kl, ...plain }));
}
