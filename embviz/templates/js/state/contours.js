import { contoursOf } from '#js/drawing/contours.js';

/**
 * @import { State } from '#js/data/types.js'
 * @import { Legend } from '#js/drawing/types.js'
 * @import { Contour } from '#js/plot/types.js'
 * @import { Memo } from '#js/state/memo.js'
 */

/** Lines of more classes than these would be a tangle. */
const MOST_CLASSES = 20;

/** @returns {boolean} whether the classes of a picture can have outlines */
export function canOutline({ dims }, { kind, entries = [] }) {
  const count = entries.filter(({ rest }) => !rest).length;
  return dims === 2 && kind === 'categories' && count > 1 && count <= MOST_CLASSES;
}

/**
 * Outlines of where the points of each class lie thick.
 *
 * @param {() => State} get
 * @param {{memo: Memo, scene: (state: State) => {coordinates: Float32Array, dims: number},
 *   looks: {coloring: (state: State) => {legend: Legend}, classes: (state: State) => Int32Array | null,
 *   visible: (state: State) => Uint8Array | null}}} parts
 */
export function createContours(get, { memo, scene, looks }) {
  /** @returns {Contour[] | null} null where none are shown */
  function contours(state = get()) {
    const { legend } = looks.coloring(state);
    if (!state.contours || !canOutline(state, legend)) return null;
    const { coordinates } = scene(state);
    const [classes, visible] = [looks.classes(state), looks.visible(state)];
    return memo('contours', [coordinates, legend, classes, visible], () => {
      const rows = rowsByClass(classes, visible);
      return legend.entries
        .filter(({ rest }) => !rest)
        .map(({ color, code }) => ({ color, lines: contoursOf(coordinates, Int32Array.from(rows.get(code) ?? [])) }));
    });
  }
  return { contours };
}

/** @returns {Map<number, number[]>} the rows shown of each class */
function rowsByClass(classes, visible) {
  const rows = new Map();
  for (let row = 0; row < classes.length; row++) {
    if (visible && !visible[row]) continue;
    const own = rows.get(classes[row]);
    if (own) own.push(row);
    else rows.set(classes[row], [row]);
  }
  return rows;
}
