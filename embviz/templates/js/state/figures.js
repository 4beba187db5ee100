import { FIGURES, NEAREST, NOT_MEASURED, ofAll, ofTheEnd, PARAMETERS, QUALITY, RANKED, UNIT } from '#js/data/words.js';
import { isLeading } from '#js/state/scene.js';
import { stepOf } from '#js/state/tabs.js';

/**
 * @import { Entry, Page, State } from '#js/data/types.js'
 * @import { View } from '#js/state/view.js'
 * @typedef {[label: string, value: any, title?: string]} Fact
 */

const percent = (share) => `${Math.round(100 * share)} %`;
const twoDigits = (x) => x.toFixed(2);
const oneFigure = (x) => Number(x.toPrecision(1));
const isTold = (value) => value !== undefined && value !== null && value !== 'none';

/** @returns {boolean} whether what is shown is of a run, not what the file has in its place */
export const isOfRun = ({ run }, entry) => run !== null && entry?.id === run.id;

/**
 * @param {Page} page @param {State} state @param {Entry} entry what is shown
 * @returns {string} which points figures are of, where that is not those shown
 */
export const ofWhichPoints = ({ table, partial }, { isolated }, entry) =>
  isolated !== null && entry.id === undefined ? ofAll(partial ? null : table.n_points) : '';

/**
 * @returns {Fact[]} how faithful the picture is, where that was measured: of the first components, not of others or of
 *   typed axes
 */
function qualityFacts(entry, state, role) {
  const isMeasured = role === 'components' ? isLeading(state) : role !== 'axes';
  const found = isMeasured ? entry.stats.quality?.[state.dims] : null;
  if (!found) return [];
  // Of 10 neighbors, and of 50 where there are enough points.
  const values = (key, of = '') => ['', '50'].map((wide) => found[`${key}${wide}${of}`]).filter((x) => x !== undefined);
  const errors = (key) => values(key, '_se');
  const ranked = QUALITY.slice(0, -1).flatMap(([key]) => errors(key));
  const kinds = values('trustworthiness').length > 1 ? `${found.k} · 50` : String(found.k);
  /** @type {Fact[]} */
  const facts = QUALITY.map(([key, label, says]) => [
    label,
    values(key)
      .map(key === 'neighbors_kept' ? percent : twoDigits)
      .join(' · '),
    [says, ...(errors(key).length ? [`standard error ${errors(key).map(oneFigure).join(' · ')}`] : [])].join('; '),
  ]);
  /** @type {Fact[]} */
  const sample = ranked.length
    ? [[RANKED[0], `${found.sample.toLocaleString('en')}, ± ${oneFigure(Math.max(...ranked))}`, RANKED[1]]]
    : [];
  return [[NEAREST[0], kinds, NEAREST[1]], ...facts, ...sample];
}

/**
 * The rank correlation of motion with change: over all steps, and from one to the next as they are shown.
 *
 * @param {Page} page @param {View} view @param {State} state
 * @returns {{all: number | null, pair: number | null, names: string[]} | null} null where it was not measured of this
 *   picture
 */
export function motionOf(page, view, state) {
  const entry = view.entry(state);
  const { dims, step, placed } = state;
  const role = page.tabs.get(state.projection)?.role ?? '';
  if (placed || !entry.isOfSteps || (role === 'components' && !isLeading(state))) return null;
  if (role === 'axes' && view.facts(state).stats.motion === undefined) return null;
  const all = entry.stats.motion?.[dims];
  if (all === undefined) return null;
  const { steps, figures } = entry.frames;
  const to = Math.max(1, Math.ceil(step));
  const own = Object.keys(entry.stats.motion).length > 1 && dims === 3 ? 'motion_3d' : 'motion';
  return { all, pair: figures[own]?.[to] ?? null, names: [steps[to - 1], steps[to]] };
}

/** @returns {Fact[]} the divergence, of the recorded step that is shown or of the end */
function figureFacts(entry, step) {
  const found = step?.figures ?? entry.stats;
  return Object.entries(FIGURES)
    .filter(([key]) => isTold(found[key]))
    .map(([key, label]) => [label, Number(found[key].toPrecision(4))]);
}

/** @returns {Fact[]} */
function madeWith(entry, { unit = 1 }, isTitled) {
  const params = isTitled ? [] : PARAMETERS.filter(([key]) => isTold(entry.params[key]));
  /** @type {Fact[]} */
  const own = unit === 1 ? [] : [[UNIT.label, unit.toPrecision(3), UNIT.title]];
  return [...params.map(([key, label]) => /** @type {Fact} */ ([label, entry.params[key]])), ...own];
}

/**
 * What is known of the picture: its parameters, its figures, and how faithful it is; what is not of just this picture
 * under a remark that says of which.
 *
 * @param {Page} page @param {View} view @param {State} state
 * @returns {{remark: string, facts: Fact[]}[]}
 */
export function factsOf(page, view, state) {
  const entry = view.entry(state);
  const role = page.tabs.get(state.projection)?.role ?? '';
  const step = stepOf(entry, state);
  const isTitled = role === 'components' || role === 'axes';
  const points = ofWhichPoints(page, state, entry);
  const quality = qualityFacts(entry, state, role);
  const parts = [
    { remark: '', facts: madeWith(entry, isTitled ? view.facts(state).params : entry.params, isTitled) },
    { remark: points, facts: figureFacts(entry, step) },
    { remark: [points, step ? ofTheEnd(entry.frames) : ''].filter(Boolean).join('. '), facts: quality },
  ].filter(({ facts }) => facts.length);
  const isUnmeasured = role === 'run' && entry.live === false && !quality.length;
  return isUnmeasured ? [...parts, { remark: NOT_MEASURED, facts: [] }] : parts;
}
