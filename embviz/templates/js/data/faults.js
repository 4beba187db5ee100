import { createColumn } from '#js/data/table.js';

/** @import { Column } from '#js/data/types.js' */

/** What Python calls the two figures that each point has of a picture (embviz/pictures/quality.py). */
const [TRUST, CONTINUITY] = ['trustworthiness, ', 'continuity, '];
const NAME = 'false and missing neighbors, ';

/**
 * Both faults of a picture at each point as one column: 1 less its trustworthiness, which false neighbors lower, and 1
 * less its continuity, which missing ones lower. NaN where a point was not measured.
 *
 * @param {Map<string, Column>} measured
 * @returns {Column[]} one a picture that has both
 */
export function faultColumns(measured) {
  const out = [];
  for (const [name, trusted] of measured) {
    const picture = name.slice(TRUST.length);
    const continued = name.startsWith(TRUST) ? measured.get(CONTINUITY + picture) : undefined;
    if (!continued) continue;
    const less = (column) => column.exact.map((x) => Math.max(0, 1 - x));
    const column = createColumn(NAME + picture, 'text');
    out.push(
      Object.assign(column, {
        measured: true,
        of: [name, CONTINUITY + picture],
        faults: { wrong: less(trusted), missing: less(continued) },
      }),
    );
  }
  return out;
}
