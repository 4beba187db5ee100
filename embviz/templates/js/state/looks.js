import { colorPoints, faded } from '#js/drawing/color.js';
import { colorByFaults } from '#js/drawing/faults.js';
import { followSequences, nextPoints, sequenceColumn } from '#js/data/sequences.js';
import { categories } from '#js/data/table.js';

/**
 * @import { State, Table } from '#js/data/types.js'
 * @import { Legend } from '#js/drawing/types.js'
 * @import { Memo } from '#js/state/memo.js'
 */

/**
 * How the points of a state look: colors, classes, which of them are shown, and the sequences between them.
 *
 * @param {(state?: State) => Table} table as a state has it tagged @param {() => State} get @param {Memo} memo
 * @param {(state: State) => Uint8Array | null} there 1 for each point that is there at the step shown, null for all
 * @param {(state: State, rows: Int32Array | null) => {colors: Uint8Array, legend: Legend}} colorByPointed
 */
export function createLooks(table, get, memo, there, colorByPointed) {
  /** @returns {Int32Array} the points of a legend entry, of those that are shown */
  function rowsOfClass(code, state = get()) {
    const classes = classesOf(state);
    const rows = [];
    for (let i = 0; classes && i < classes.length; i++)
      if (classes[i] === code && (!visible(state) || visible(state)[i])) rows.push(i);
    return Int32Array.from(rows);
  }

  /** @returns {Int32Array | null} the legend code of each point */
  const classesOf = (state) =>
    memo('classes', [coloringOf(state).legend, table(state).column(state.color_by)], () => {
      const { classes, legend } = coloringOf(state);
      const { entries } = legend;
      if (classes || !entries) return classes ?? null;
      const { codes, names } = categories(table(state).column(state.color_by));
      const most = entries.find((entry) => entry.rest && entry.code >= 0)?.code ?? names.length;
      return codes.map((code) => Math.min(code, most));
    });

  /** @returns {Uint8Array} RGBA of each point; those that are not pointed at in the legend or the outline step back */
  const shades = (state = get()) => {
    // What is hidden cannot be pointed out: the others keep their colors.
    const code = state.hidden.includes(state.highlight) ? null : state.highlight;
    return memo('shades', [coloringOf(state), code, state.walked, state.dark], () => {
      const { colors } = coloringOf(state);
      if (state.walked) return faded(colors, marked(state.walked, table(state).n_points), 1, state.dark);
      const classes = code === null ? null : classesOf(state);
      return classes ? faded(colors, classes, code, state.dark) : colors;
    });
  };

  /** @returns {{colors: Uint8Array, legend: Legend, classes?: Int32Array}} */
  const coloringOf = (state = get()) => {
    const found = table(state).column(state.color_by) ?? null;
    if (found?.isPointed) return colorByPointed(state, unfiltered(state));
    return memo('colors', [found, state.color_as, state.dark], () => {
      const { n_points: n } = table(state);
      const { dark } = state;
      return found?.faults ? colorByFaults(found, { n, dark }) : colorPoints(found, { n, as: state.color_as, dark });
    });
  };

  /**
   * How many points of each legend entry are among those isolated and there; what the legend itself hides counts.
   *
   * @returns {Map<number, number> | null} by code, -1 for what is missing; null where all points are
   */
  const countsShown = (state = get()) =>
    memo('counts', [state.isolated, there(state), classesOf(state), coloringOf(state).legend], () => {
      const rows = unfiltered(state);
      if (!rows) return null;
      const classes = classesOf(state);
      const numbers = classes ? null : table(state).column(state.color_by)?.numbers();
      const counts = new Map();
      for (const row of rows) {
        const code = classes ? classes[row] : Number.isNaN(numbers?.[row]) ? -1 : 0;
        counts.set(code, (counts.get(code) ?? 0) + 1);
      }
      return counts;
    });

  /** @returns {Int32Array | null} the points that are there and isolated, whatever the legend hides; null for all */
  const unfiltered = (state = get()) =>
    memo('unfiltered', [state.isolated, there(state)], () => {
      const present = there(state);
      if (!present) return state.isolated;
      return (state.isolated ?? Int32Array.from(present.keys())).filter((row) => present[row] === 1);
    });

  /** @returns {Uint8Array | null} 1 where a point is shown: it is there, isolated, and not filtered by the legend */
  const visible = (state = get()) =>
    memo('visible', [unfiltered(state), state.hidden, table(state).column(state.color_by), state.color_as], () => {
      const rows = unfiltered(state);
      if (!rows && !state.hidden.length) return null;
      const out = new Uint8Array(table(state).n_points).fill(rows ? 0 : 1);
      if (rows) for (const row of rows) out[row] = 1;
      if (state.hidden.length && state.color_by !== null) {
        const classes = classesOf(state);
        const hidden = new Set(state.hidden);
        for (let i = 0; classes && i < out.length; i++) if (hidden.has(classes[i])) out[i] = 0;
      }
      return out;
    });

  /** @returns {Int32Array[] | null} the sequences to draw */
  const paths = (state = get()) =>
    memo('paths', [state.sequences, sequenceColumn(table(state))], () => {
      const column = sequenceColumn(table(state));
      return state.sequences && column ? followSequences(nextPoints(column.values, table(state).rowNumber)) : null;
    });

  return { coloring: coloringOf, classes: classesOf, countsShown, shades, rowsOfClass, unfiltered, visible, paths };
}

/** @returns {Uint8Array} (n,) 1 for each of some rows */
function marked(rows, n) {
  const out = new Uint8Array(n);
  for (const row of rows) out[row] = 1;
  return out;
}
