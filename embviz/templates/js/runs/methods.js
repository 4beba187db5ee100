import { usualIterations } from '#js/numbers/tsne.js';
import { FEWEST_POINTS, tsneOptions, umapOptions } from '#js/runs/options.js';

/**
 * What the page can compute itself, by the method's name. All else that it must know of a projection the manifest says
 * of each: `key`, `title` and `kind`.
 *
 * `role` is what its tab lets the reader do: choose `components`, type `axes`, `run` it on the points shown. `called`
 * is what a sentence calls it where that is not its title; `least` counts points; `options` are those of `project`
 * (state/project.js). Of a run: `check` completes its options or throws, `count` is the option that counts its steps,
 * `fields` are what is asked for, `params` what is told of it, with the names that Python gives them.
 */
export const METHODS = {
  pca: { title: 'PCA', role: 'components', least: 2, options: ['rows', 'dims', 'spherize'] },
  tsne: {
    title: 't-SNE',
    role: 'run',
    least: FEWEST_POINTS,
    options: ['rows', 'dims', 'spherize', 'perplexity', 'learning_rate', 'iterations', 'seed', 'supervise'],
    run: {
      check: tsneOptions,
      count: 'iterations',
      step: 'iteration',
      isSupervised: true,
      isPerturbed: true,
      params: ({ learning_rate, ...rest }) => ({
        ...rest,
        learning_rate: learning_rate ?? 'n / exaggeration, at least 10',
      }),
      fields: {
        perplexity: {
          label: 'Perplexity',
          input: { min: 1, step: 'any' },
          usual: (n) => Number(Math.min(30, Math.max(1, (n - 1) / 3)).toPrecision(3)),
        },
        learning_rate: { label: 'Learning rate', input: { min: 0, step: 'any', placeholder: 'auto' } },
        iterations: { label: 'Iterations', input: { min: 1, max: 100000, step: 1 }, usual: usualIterations },
        seed: { label: 'Seed', input: { min: 0, max: 4294967295, step: 1, value: 0 } },
      },
    },
  },
  umap: {
    title: 'UMAP',
    role: 'run',
    least: FEWEST_POINTS,
    options: ['rows', 'dims', 'spherize', 'neighbors', 'min_distance', 'learning_rate', 'epochs', 'seed'],
    run: {
      check: umapOptions,
      count: 'epochs',
      step: 'epoch',
      isSupervised: false,
      isPerturbed: false,
      params: ({ neighbors, min_distance, iterations: _, ...rest }) => ({
        ...rest,
        n_neighbors: neighbors,
        min_dist: min_distance,
        initialization: 'pca',
      }),
      fields: {
        neighbors: {
          label: 'Neighbors',
          title:
            'How many nearest points shape the map around each one, itself among them: few show detail, many the whole',
          input: { min: 2, step: 1 },
          usual: (n) => Math.min(15, Math.max(2, n - 1)),
        },
        min_distance: {
          label: 'Minimal distance',
          title: 'How near points may come in the map',
          input: { min: 0, max: 1, step: 'any', value: 0.1 },
        },
        learning_rate: { label: 'Learning rate', input: { min: 0, step: 'any', value: 1 } },
        epochs: { label: 'Epochs', input: { min: 1, max: 100000, step: 1, value: 500 } },
        seed: { label: 'Seed', input: { min: 0, max: 4294967295, step: 1, value: 0 } },
      },
    },
  },
  custom: {
    title: 'Axes',
    called: 'a view along axes',
    role: 'axes',
    least: 1,
    options: ['rows', 'dims', 'axes', 'column'],
  },
};

/** @param {string} method @returns {any} null where the page cannot compute it */
export const methodOf = (method) => (Object.hasOwn(METHODS, method) ? METHODS[method] : null);
