import { format } from '#js/dom.js';

/** @import { Manifest } from '#js/data/types.js' */

/** What is said of a page of a sample, and of how densely all points lie under it; nothing of other pages. */

/** @param {Manifest} manifest @returns {string} where neighbors come from */
export const amongWhich = ({ sample, n_points: n }) =>
  sample ? `Nearest among the ${format(n)} points of the sample` : '';

/** @param {Manifest} manifest @returns {string} what an estimate is */
export function estimateTitle({ sample }) {
  const how = sample.weights ? `the weights of these points (column “${sample.weights}”)` : 'their share of the sample';
  return `An estimate of how many they are of all ${format(sample.n_all)} points, by ${how}`;
}

/** @param {Manifest} manifest @returns {string[]} paragraphs for who wants to read the picture */
export function sampleWords({ sample, densities = [], n_points: n }) {
  const out = [];
  if (sample) {
    out.push(
      `The points are a sample: ${format(n)} of ${format(sample.n_all)}. Search, counts, figures and neighbors are ` +
        `of the sample: the nearest of a point are the nearest among these ${format(n)}, and points that lie nearer ` +
        'may be among the others.',
      sample.weights
        ? `Each point stands for as many as its weight says (column “${sample.weights}”). A number after ≈ is a sum ` +
            'of weights: an estimate of how many they are of all points, in two digits.'
        : `Each point stands for ${format(Number((sample.n_all / n).toPrecision(3)))} of all points. A number after ` +
            '≈ is an estimate of how many they are of all, in two digits.',
    );
  }
  if (densities.length)
    out.push(
      `${densities[0].caption} A cell of a grid is the grayer the more points lie in it: by the logarithm, in steps ` +
        'of lightness that look even, from one point to the most; without gray there is none. Where a cell is ' +
        'smaller than a pixel, the gray is of the sum in a pixel. Pointing beside the points of the sample, which ' +
        'are drawn fainter over it, tells the count; the checkbox “All … points” takes the grays away. They are of ' +
        'one picture in 2D.',
    );
  return out;
}
