import { axisDirection, orthonormal, times } from '#js/numbers/linalg.js';
import { leadingDirection, leadingLeft, startCovariance } from '#js/numbers/pca.js';
import { match, QueryError } from '#js/data/query.js';
import { createSpace } from '#js/numbers/space.js';

/**
 * Custom axes: coordinate = v · direction / ‖direction‖ with direction = c(to) - c(from), the
 * centroids of the raw vectors of all matching points. Directions that came with the page were
 * computed on the whole table and are used where the queries are the same.
 *
 * @param {object} page {table, vectors | null, carried: [{from, to, direction, n_from, n_to, column}], partial: bool}
 * @param {{from: string, to: string}} axis @param {string | null} column where queries search
 * @returns {{direction: Float64Array | Float32Array, n_from: number, n_to: number, carried: boolean}}
 * @throws {QueryError} when a query matches nothing, or both the same
 */
export function resolveAxis(page, axis, column) {
  const known = page.carried.find(
    (item) => item.from === axis.from && item.to === axis.to && (item.column ?? column) === column,
  );
  if (known) return { ...known, carried: true };
  if (!page.vectors) throw new QueryError('The vectors are not in this page, so no axis can be drawn here');
  const from = match(page.table, axis.from, column);
  const to = match(page.table, axis.to, column);
  for (const [query, rows] of [
    [axis.from, from],
    [axis.to, to],
  ]) {
    if (!rows.length) throw new QueryError(`'${query}' matches no point`);
  }
  const direction = axisDirection(page.vectors, from, to);
  if (!direction) throw new QueryError(`'${axis.from}' and '${axis.to}' have the same centroid`);
  return { direction, n_from: from.length, n_to: to.length, carried: false };
}

/** @returns {Float32Array} every point's coordinate on an axis */
export function axisCoordinates(page, axis, column) {
  if (!page.vectors) throw new QueryError('The vectors are not in this page, so no axis can be drawn here');
  return Float32Array.from(times(page.vectors, resolveAxis(page, axis, column).direction));
}

const isEmpty = (axis) => axis.from.trim() === '' && axis.to.trim() === '';

/** Up to so many multiplications the covariance is worth having at once: with it an empty axis costs next to nothing. */
const CHEAP = 2e9;
const FEW_DIMS = 256;
const MOST_DIMS = 2048;
const MOST_PRODUCTS = 300;

/** @returns {object | null} the covariance of all vectors under way, see pca.js; null where it takes too long */
export function covarianceOf(vectors) {
  const { n, d } = vectors;
  return (n * d * d) / 2 > CHEAP || d > MOST_DIMS ? null : keptCovariance(vectors);
}

function keptCovariance(vectors) {
  vectors.covariance ??= startCovariance(createSpace(vectors, null, false));
  return vectors.covariance;
}

/** @returns {Float64Array | null} null where nothing is left @throws {QueryError} where no direction stands out */
function leftOver(vectors, directions) {
  const basis = orthonormal(directions);
  const { d } = vectors;
  let covariance = vectors.covariance ?? covarianceOf(vectors);
  if (!covariance && d > FEW_DIMS) {
    // The covariance costs as much as d / 12 products.
    const products = d > MOST_DIMS ? MOST_PRODUCTS : d / 12;
    const { direction, settled } = leadingDirection(createSpace(vectors, null, false), basis, products);
    if (settled) return direction;
    if (d > MOST_DIMS)
      throw new QueryError('No direction varies most by enough to be told from the next; type queries for all axes');
  }
  covariance ??= keptCovariance(vectors);
  return leadingLeft(covariance.finish(), d, basis);
}

/**
 * All coordinates of a custom view; empty axes take the direction in which what is left varies most.
 *
 * @param {{from: string, to: string}[]} axes two or three
 * @returns {{coordinates: Float32Array, axes: {title, low, high}[], counts: object[]}} (n, axes.length) row by row
 */
export function customView(page, axes, column) {
  const k = axes.length;
  const found = axes.map((axis) => (isEmpty(axis) ? null : resolveAxis(page, axis, column)));
  const directions = found.filter(Boolean).map((item) => Float64Array.from(item.direction));
  const n = page.vectors.n;
  const coordinates = new Float32Array(n * k);
  const titles = found.map((item, at) => {
    let direction = item?.direction;
    if (!direction) {
      direction = leftOver(page.vectors, directions);
      if (direction) directions.push(direction);
    }
    if (direction) {
      const along = times(page.vectors, direction);
      // A filled axis is a principal component, whose middle is the mean.
      const middle = item ? 0 : along.reduce((sum, x) => sum + x, 0) / n;
      for (let i = 0; i < n; i++) coordinates[i * k + at] = along[i] - middle;
    }
    return axisTitle(item ? axes[at] : null);
  });
  return { coordinates, axes: titles, counts: found.map((item) => item && { from: item.n_from, to: item.n_to }) };
}

/** @returns {string} a query as it is read: without `=`, slashes and anchors */
export function plainQuery(query) {
  return query.replace(/^=/, '').replace(/^\/\^?(.*?)\$?\/$/, '$1');
}

/** @returns {{title: string, low: string, high: string}} */
export function axisTitle(axis) {
  if (!axis) return { title: 'most varying direction left', low: '', high: '' };
  const low = plainQuery(axis.from);
  const high = plainQuery(axis.to);
  return { title: `${low} → ${high}`, low, high };
}
