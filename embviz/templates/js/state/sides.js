/** @import { Page, State } from '#js/data/types.js' */

/** Two states of the points as the two sides of a comparison: A is the first step, B the second. */

export const LETTERS = ['A', 'B'];

/** @param {Page} page @returns {string[] | null} what the sides are called; null where the page compares nothing */
export const sideNames = ({ steps }) => (steps?.kind === 'comparison' && steps.names.length === 2 ? steps.names : null);

/** @param {State} state @param {number} side @returns {State} with that side shown */
export const ofSide = (state, side) => ({ ...state, step: side });
