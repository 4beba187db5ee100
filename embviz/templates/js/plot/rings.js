/** @import { Mark } from '#js/plot/types.js' */

/** The points that stand out, the most important last. @returns {Mark[]} */
export function marks(style, { radius }) {
  const count = style.selected.length;
  const [grown, ring] =
    count === 1
      ? [Math.max(radius * 1.6, 5.5), 2.5]
      : count <= 60
        ? [Math.max(radius * 1.4, 4), 2]
        : [Math.max(radius * 1.1, 2), 1];
  return [
    ...byDistance(style)
      .map((rows, level) => ({
        kind: /** @type {const} */ ('neighbor'),
        rows,
        radius: Math.max(radius * 1.15, 3),
        ...NEIGHBOR_RINGS[level],
        color: style.chrome[NEIGHBOR_RINGS[level].shade],
      }))
      .reverse(),
    { kind: /** @type {const} */ ('selected'), rows: style.selected, radius: grown, ring, color: style.chrome.accent },
  ].filter(({ rows }) => rows.length);
}

/** The nearer a neighbor, the stronger its ring. */
const NEIGHBOR_RINGS = [
  { ring: 2.5, shade: 'text' },
  { ring: 1.5, shade: 'text' },
  { ring: 1.5, shade: 'muted' },
  { ring: 1, shade: 'muted' },
];

/** @returns {Int32Array[]} neighbors in four parts of the range of their distances, the nearest first */
function byDistance({ neighbors, distances }) {
  if (distances.length !== neighbors.length || !neighbors.length) return [neighbors];
  const nearest = distances[0];
  const span = distances[distances.length - 1] - nearest;
  const level = (d) => (span > 0 && span < Infinity ? Math.min(3, Math.floor((4 * (d - nearest)) / span)) : 0);
  return NEIGHBOR_RINGS.map((_, at) => neighbors.filter((row, i) => level(distances[i]) === at));
}
