import { usualIterations } from '#js/numbers/tsne.js';

/** What t-SNE and UMAP take when they are run in the page, and what does not fit. */

export const MOST_POINTS = 5000;
export const FEWEST_POINTS = 4;
const MOST_ITERATIONS = 100000;
const MOST_RATE = 1e6;

/**
 * What a run of t-SNE is made with; an error says what does not fit.
 *
 * @param {number} n points
 * @param {{dims?: number, perplexity?: number, learning_rate?: number | null, iterations?: number, seed?: number}}
 *   asked
 * @returns {{dims: number, perplexity: number, learning_rate: number | null, iterations: number, seed: number}}
 *   learning_rate null is n / exaggeration, at least 10
 * @throws {RangeError}
 */
export function tsneOptions(n, asked = {}) {
  checkCount(n, 't-SNE');
  const largest = (n - 1) / 3;
  const {
    dims = 2,
    perplexity = Math.min(30, largest),
    learning_rate = null,
    iterations = usualIterations(n),
    seed = 0,
  } = asked;
  if (!(perplexity >= 1 && perplexity <= largest))
    throw new RangeError(
      `Perplexity ${perplexity} does not fit ${points(n)}; 1 to ${Math.floor(largest * 100) / 100} do`,
    );
  if (learning_rate !== null) checkRate(learning_rate);
  checkCommon({ dims, seed, Iterations: iterations });
  return { dims, perplexity, learning_rate, iterations, seed };
}

/**
 * What a run of UMAP is made with; an error says what does not fit.
 *
 * @param {number} n points
 * @param {{dims?: number, neighbors?: number, min_distance?: number, learning_rate?: number, epochs?: number, seed?:
 *   number}} asked `neighbors` counts the point itself, as umap-learn and `embviz project --method umap` do
 * @returns {{dims: number, neighbors: number, min_distance: number, learning_rate: number, epochs: number, seed:
 *   number}}
 * @throws {RangeError}
 */
export function umapOptions(n, asked = {}) {
  checkCount(n, 'UMAP');
  const {
    dims = 2,
    neighbors = Math.min(15, n - 1),
    min_distance = 0.1,
    learning_rate = 1,
    epochs = 500,
    seed = 0,
  } = asked;
  if (!Number.isInteger(neighbors) || neighbors < 2 || neighbors > n - 1)
    throw new RangeError(
      `Neighbors ${neighbors} do not fit ${points(n)}; whole numbers from 2 to ${(n - 1).toLocaleString('en')} do`,
    );
  if (!(min_distance >= 0 && min_distance <= 1))
    throw new RangeError(`Minimal distance ${min_distance} is not in 0 .. 1`);
  checkRate(learning_rate);
  checkCommon({ dims, seed, Epochs: epochs });
  return { dims, neighbors, min_distance, learning_rate, epochs, seed };
}

const points = (n) => `${n.toLocaleString('en')} points`;

/** @throws {RangeError} where n points are fewer than something needs */
export function checkFewest(n, title, least) {
  if (n < least)
    throw new RangeError(`${n} point${n === 1 ? ' is' : 's are'} too few for ${title}, which needs ${least}`);
}

function checkCount(n, title) {
  checkFewest(n, title, FEWEST_POINTS);
  if (n > MOST_POINTS)
    throw new RangeError(
      `${title} runs here on at most ${points(MOST_POINTS)}; isolate fewer of these ${n.toLocaleString('en')}`,
    );
}

function checkRate(rate) {
  if (!(rate > 0 && rate <= MOST_RATE))
    throw new RangeError(`Learning rate ${rate} is not above 0 and at most ${MOST_RATE.toLocaleString('en')}`);
}

function checkCommon({ dims, seed, ...steps }) {
  if (dims !== 2 && dims !== 3) throw new RangeError(`dims: ${dims} is not 2 or 3`);
  for (const [name, count] of Object.entries(steps)) {
    if (!Number.isInteger(count) || count < 1 || count > MOST_ITERATIONS)
      throw new RangeError(`${name} ${count} are not in 1 .. ${MOST_ITERATIONS.toLocaleString('en')}`);
  }
  if (!Number.isInteger(seed) || seed < 0 || seed > 2 ** 32 - 1)
    throw new RangeError(`Seed ${seed} is not a whole number from 0 to ${2 ** 32 - 1}`);
}
