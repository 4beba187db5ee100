/**
 * States of the same points: the steps of a run, or the two sides of a comparison. A state of the page has a `step`,
 * from 0; between two of them places are interpolated, and all else is that of the nearest.
 *
 * @import { Manifest, Page, State, Steps, Table, Vectors } from '#js/data/types.js'
 */

/** @param {Manifest} manifest whose entries are told whether they have its steps @returns {Steps | null} not loaded */
export function createSteps(manifest) {
  if (!manifest.steps) return null;
  const { kind, names, figures, spaces } = manifest.steps;
  for (const entry of manifest.projections)
    entry.isOfSteps = entry.frames?.unit === 'step' && entry.frames.steps.join('\n') === names.join('\n');
  return {
    kind,
    names,
    figures,
    spaces: spaces.map((key) => manifest.spaces.find((space) => space.key === key)),
    present: names.map(() => null),
    vectors: names.map(() => null),
    tables: names.map(() => null),
    isLoaded: false,
  };
}

/** @returns {number} the step nearest to the one shown, 0 where there are none */
export const nearestStep = ({ steps }, { step }) => (steps ? Math.min(steps.names.length - 1, Math.round(step)) : 0);

/** @returns {boolean} whether the last step is shown, or the only state there is */
export const isAtEnd = ({ steps }, { step }) => !steps || step >= steps.names.length - 1;

/**
 * The page as the nearest step has it: its space, vectors, and axes that came with the file.
 *
 * @param {Page} page @param {Pick<State, 'step'>} state
 * @returns {Page}
 */
export function pageAt(page, state) {
  const { steps } = page;
  if (!steps) return page;
  const i = nearestStep(page, state);
  const space = steps.spaces[i];
  return {
    ...page,
    space,
    vectors: steps.vectors[i],
    carried: page.carried.filter((axis) => axis.space === space.key),
  };
}

/** @returns {Uint8Array | null} 1 for each point that is there at the nearest step; null where all are */
export const presenceAt = (page, state) => page.steps?.present[nearestStep(page, state)] ?? null;

/** @returns {Table} the table with the columns of the nearest step */
export const tableAt = (page, state) => page.steps?.tables[nearestStep(page, state)] ?? page.table;

/** @returns {string} what the step shown is called: `200`, or `200 → 300, 40 %` between two; '' where there are none */
export function stepName({ steps }, { step }) {
  if (!steps) return '';
  const low = Math.floor(step);
  const part = Math.round(100 * (step - low));
  if (part === 0 || part === 100) return steps.names[Math.round(step)];
  return `${steps.names[low]} → ${steps.names[low + 1]}, ${part} %`;
}

/** @returns {string} why a point is not to be seen at a step, '' where it is there */
export function absence(page, state, row) {
  const there = presenceAt(page, state);
  if (!there || there[row]) return '';
  const { names, present } = page.steps;
  const first = present.findIndex((step) => !step || step[row]);
  const now = nearestStep(page, state);
  const other = first > now ? `It comes with step ${names[first]}` : 'It is there at other steps';
  return `This point is not there at step ${names[now]}. ${other}`;
}

/**
 * Vectors of the points that are there, with a zero row for each other point.
 *
 * @param {Vectors} vectors @param {Uint8Array | null} present of all points
 * @returns {Vectors}
 */
export function spreadVectors(vectors, present) {
  if (!present) return vectors;
  const { data, d, scales } = vectors;
  const Kind = /** @type {any} */ (data.constructor);
  const out = new Kind(present.length * d);
  const steps = scales && new Float32Array(present.length).fill(1);
  for (let row = 0, at = 0; row < present.length; row++) {
    if (!present[row]) continue;
    out.set(data.subarray(at * d, (at + 1) * d), row * d);
    if (steps) steps[row] = scales[at];
    at++;
  }
  return { ...vectors, data: out, n: present.length, scales: steps, present };
}

/**
 * @param {Vectors} vectors @param {Int32Array | null} rows null for all
 * @returns {Int32Array | null} those that are there; null for all where all are
 */
export function rowsThere({ present, n }, rows = null) {
  if (!present) return rows;
  return (rows ?? Int32Array.from({ length: n }, (_, i) => i)).filter((row) => present[row] === 1);
}
