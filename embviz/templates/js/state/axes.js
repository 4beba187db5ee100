import { resolveAxis } from '#js/numbers/axes.js';
import { QueryError } from '#js/data/query.js';
import { AXES } from '#js/data/words.js';

/** @import { Axis, Page, ShownAxis, State } from '#js/data/types.js' */

const isSame = (a, b) => a?.from === b?.from && a?.to === b?.to;

/** @returns {string} why an axis cannot be drawn, '' where it can */
function problemOf(page, axis, column) {
  if (axis.from.trim() === '' && axis.to.trim() === '') return '';
  for (const [end, what] of [
    ['from', AXES.begins],
    ['to', AXES.ends],
  ])
    if (axis[end] === '') return `is incomplete: ${what}`;
  try {
    resolveAxis(page, axis, column);
    return '';
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return `cannot be drawn: ${error.message}`;
  }
}

/**
 * The axes that are drawn while others are typed: each as it was when it could be drawn last.
 *
 * @param {Page} page @param {State} state the next one, but for `shown_axes` @param {State} before
 * @returns {ShownAxis[]}
 */
export function drawnAxes(page, { axes, column, tags }, before) {
  const { shown_axes: shown } = before;
  if (!page.vectors) return shown;
  const isAlike = before.arrived && column === before.column && tags === before.tags;
  return axes.map((axis, i) => {
    if (isAlike && isSame(axis, before.axes[i])) return shown[i];
    if (!problemOf(page, axis, column)) return { ...axis, column };
    return problemOf(page, shown[i], shown[i].column) ? { from: '', to: '', column } : shown[i];
  });
}

/**
 * @param {Page} page @param {State} state
 * @returns {string} which axis is not drawn as it is typed, and why; '' where all are
 */
export function axesProblem(page, { axes, shown_axes: shown, column, dims }) {
  for (let i = 0; i < dims; i++) {
    const problem = isSame(axes[i], shown[i]) && shown[i].column === column ? '' : problemOf(page, axes[i], column);
    if (!problem) continue;
    const instead = isSame(shown[i], { from: '', to: '' }) ? 'if empty' : 'before';
    return `The ${AXES.names[i].toLowerCase()} axis ${problem}. It is drawn as ${instead}.`;
  }
  return '';
}
