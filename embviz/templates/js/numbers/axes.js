import { axisDirection, orthonormal, times } from '#js/numbers/linalg.js';
import { onceEach } from '#js/data/kept.js';
import { inShownUnit, leadingDirection, leadingLeft, startCovariance } from '#js/numbers/pca.js';
import { rowsThere } from '#js/data/steps.js';
import { match, QueryError } from '#js/data/query.js';
import { createSpace } from '#js/numbers/space.js';
import { inSafeUnit } from '#js/numbers/unit.js';

/**
 * @import { Axis, AxisTitle, Page, Vectors } from '#js/data/types.js'
 * @import { Covariance } from '#js/numbers/pca.js'
 */

/**
 * Custom axes: coordinate = v · direction / ‖direction‖ with direction = c(to) - c(from), the
 * centroids of the raw vectors of all matching points. Directions that came with the page were
 * computed on the whole table and are used where the queries are the same.
 *
 * @param {Pick<Page, 'table' | 'vectors' | 'carried'>} page
 * @param {Axis} axis @param {string | null} column where queries search
 * @returns {{direction: Float64Array | Float32Array, n_from: number, n_to: number, carried: boolean}}
 * @throws {QueryError} when a query matches nothing, or both the same
 */
export function resolveAxis(page, axis, column) {
  const known = page.carried.find(
    (item) => item.from === axis.from && item.to === axis.to && (item.column ?? column) === column,
  );
  if (known) return { ...known, carried: true };
  if (!page.vectors) throw new QueryError('The vectors are not in this page, so no axis can be drawn here');
  const from = rowsThere(page.vectors, match(page.table, axis.from, column));
  const to = rowsThere(page.vectors, match(page.table, axis.to, column));
  for (const [query, rows] of [
    [axis.from, from],
    [axis.to, to],
  ]) {
    if (!rows.length) throw new QueryError(`'${query}' matches no point`);
  }
  const direction = axisDirection(inSafeUnit(page.vectors), from, to);
  if (!direction) throw new QueryError(`'${axis.from}' and '${axis.to}' have the same centroid`);
  return { direction, n_from: from.length, n_to: to.length, carried: false };
}

/** @returns {Float32Array} every point's coordinate on an axis @throws {QueryError} */
export function axisCoordinates(page, axis, column) {
  if (!page.vectors) throw new QueryError('The vectors are not in this page, so no axis can be drawn here');
  const safe = inSafeUnit(page.vectors);
  const { coordinates, unit } = inShownUnit(times(safe, resolveAxis(page, axis, column).direction), safe.unit);
  if (unit !== 1)
    throw new QueryError(
      'Coordinates along the axis are beyond the range of 32-bit floats; the plot shows them divided',
    );
  return coordinates;
}

const isEmpty = (axis) => axis.from.trim() === '' && axis.to.trim() === '';

/**
 * Up to so many multiplications the covariance is worth having at once: with it an empty axis costs next to nothing.
 */
const CHEAP = 2e9;
const FEW_DIMS = 256;
const MOST_DIMS = 2048;
const MOST_PRODUCTS = 300;

/** @returns {Covariance | null} the covariance of all vectors under way, see pca.js; null where it takes too long */
export function covarianceOf(vectors) {
  const { n, d } = vectors;
  const isDear = (n * d * d) / 2 > CHEAP || d > MOST_DIMS;
  return isDear && !keptCovariance.has(vectors) ? null : keptCovariance(vectors);
}

const keptCovariance = onceEach((/** @type {Vectors} */ vectors) =>
  startCovariance(createSpace(vectors, rowsThere(vectors), false)),
);

/** @returns {Float64Array | null} null where nothing is left @throws {QueryError} where no direction stands out */
function leftOver(vectors, directions) {
  const basis = orthonormal(directions);
  const { d } = vectors;
  let covariance = covarianceOf(vectors);
  if (!covariance && d > FEW_DIMS) {
    // The covariance costs as much as d / 12 products.
    const products = d > MOST_DIMS ? MOST_PRODUCTS : d / 12;
    const { direction, settled } = leadingDirection(createSpace(vectors, rowsThere(vectors), false), basis, products);
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
 * @param {{from: string, to: string, column?: string | null}[]} axes two or three
 * @param {string | null} column where an axis searches that names none
 * @returns {{coordinates: Float32Array, unit: number, axes: AxisTitle[],
 *   counts: ({from: number, to: number} | null)[]}} (n, axes.length)
 *   row by row, in `unit`: 1 where 32-bit floats hold them
 */
export function customView(page, axes, column) {
  const k = axes.length;
  const found = axes.map((axis) =>
    isEmpty(axis) ? null : resolveAxis(page, axis, axis.column === undefined ? column : axis.column),
  );
  const directions = found.filter(Boolean).map((item) => Float64Array.from(item.direction));
  const safe = inSafeUnit(page.vectors);
  const { n } = safe;
  const count = rowsThere(safe)?.length ?? n;
  const coordinates = new Float64Array(n * k);
  let n_filled = 0;
  const titles = found.map((item, at) => {
    /** @type {Float64Array | Float32Array} */
    let direction = item?.direction;
    if (!direction) {
      direction = leftOver(page.vectors, directions);
      if (direction) directions.push(Float64Array.from(direction));
    }
    if (direction) {
      const along = times(safe, direction);
      // A filled axis is a principal component, whose middle is the mean.
      const middle = item ? 0 : along.reduce((sum, x) => sum + x, 0) / count;
      for (let i = 0; i < n; i++) coordinates[i * k + at] = along[i] - middle;
    }
    return item ? axisTitle(axes[at]) : filledTitle(++n_filled, !found.some(Boolean));
  });
  return {
    ...inShownUnit(coordinates, safe.unit),
    axes: titles,
    counts: found.map((item) => item && { from: item.n_from, to: item.n_to }),
  };
}

/** @returns {string} a query as it is read: without `=`, slashes and anchors */
export function plainQuery(query) {
  return query.replace(/^=/, '').replace(/^\/\^?(.*?)\$?\/$/, '$1');
}

/**
 * @param {number} i which of the axes that no queries were given for, from 1 @param {boolean} isAlone
 * @returns {AxisTitle} as embviz/projections/custom.py calls them; where no axis was given there is no rest
 */
const filledTitle = (i, isAlone) => ({ title: isAlone ? `PC${i}` : `PC${i} of the rest`, low: '', high: '' });

/** @returns {AxisTitle} */
export function axisTitle(axis) {
  const low = plainQuery(axis.from);
  const high = plainQuery(axis.to);
  return { title: `${low} → ${high}`, low, high };
}
