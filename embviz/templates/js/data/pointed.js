import { createColumn } from '#js/data/table.js';

/** @import { Column, Manifest } from '#js/data/types.js' */

/** Color by the distance in the original space to the point that is pointed at, as the reader sees it named. */
export const POINTED = 'distance from where I point';

/**
 * @param {Pick<Manifest, 'spaces' | 'neighbors'>} manifest
 * @returns {Column | null} null where the page knows no distances
 */
export function pointedColumn({ spaces, neighbors }) {
  if (!spaces.some(({ vectors }) => vectors) && !neighbors) return null;
  return Object.assign(createColumn(POINTED, 'text'), { measured: true, isPointed: true });
}
