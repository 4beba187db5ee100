import { ofTheEnd, SIDE_BY_SIDE } from '#js/data/words.js';
import { ofWhichPoints } from '#js/state/figures.js';
import { entryFor, stepOf } from '#js/state/tabs.js';

/**
 * @import { Entry, Page, State, Tab } from '#js/data/types.js'
 * @typedef {{key: string, label: string, title: string, isShown: boolean, figures: string[]}} SeriesRow
 */

/**
 * The tabs of the shown one's method with their figures, where the file has several.
 *
 * @param {Page} page @param {State} state
 * @returns {{method: string, name: string, columns: {name: string, title: string}[], rows: SeriesRow[],
 *   remark: string} | null} `name` is what all labels begin with
 */
export function seriesOf(page, state) {
  const shown = page.tabs.get(state.projection);
  const tabs = [...page.tabs.values()].filter((tab) => tab.method === shown?.method && isOfFile(tab));
  if (shown?.kind !== 'map' || tabs.length < 2) return null;
  const entries = tabs.map((tab) => entryFor(tab, state.dims));
  const figures = entries.map((entry) => figuresOf(entry, state.dims));
  const columns = SIDE_BY_SIDE.columns.filter(([key]) => figures.some((found) => isMeasured(found[key])));
  const { method, name, labels } = apart(tabs.map(({ title }) => title));
  const rows = tabs.map(({ key, title }, i) => ({
    key,
    title,
    label: labels[i],
    isShown: key === state.projection,
    figures: columns.map(([figure, , form]) => written(figures[i][figure], form)),
  }));
  const entry = entries.find(Boolean);
  const remarks = entry ? [ofWhichPoints(page, state, entry), ofItsEnd(entry, state)] : [];
  return {
    method,
    name,
    columns: columns.map(([, short, , title]) => ({ name: short, title })),
    rows,
    remark: remarks.filter(Boolean).join('. '),
  };
}

/** @param {Tab} tab @returns {boolean} whether it came with the file, and is not for what is run here */
const isOfFile = (tab) => !tab.isOwn && tab.entries.some(({ pending }) => !pending);

/** @param {Entry | undefined} entry @returns {Record<string, any>} what was measured of it, none where it is missing */
const figuresOf = (entry, dims) => (entry && !entry.pending ? { ...entry.stats, ...entry.stats.quality?.[dims] } : {});

const isMeasured = (value) => typeof value === 'number' && Number.isFinite(value);

function written(value, form) {
  if (!isMeasured(value)) return '–';
  return form === 'percent' ? `${Math.round(100 * value)} %` : value.toFixed(form === 'two' ? 2 : 3);
}

/** The figures are of the last state, whichever recorded one is shown. */
function ofItsEnd(entry, state) {
  const step = entry.isOfSteps ? stepOf(entry, state) : null;
  return step ? ofTheEnd(entry.frames) : '';
}

/**
 * Part what titles have in common from what tells them apart: `t-SNE`, `perplexity` and `5`, `30`.
 *
 * @param {string[]} titles
 */
function apart(titles) {
  const parts = titles.map((title) => title.split(', '));
  const method = parts[0][0];
  const rest = parts.map((found) => (found[0] === method ? found.slice(1) : found).join(', ') || method);
  const heads = rest.map((label) => label.slice(0, label.lastIndexOf(' ')));
  const isAlike = heads[0] !== '' && !heads[0].includes(', ') && heads.every((head) => head === heads[0]);
  return {
    method,
    name: isAlike ? heads[0] : '',
    labels: isAlike ? rest.map((label) => label.slice(heads[0].length + 1)) : rest,
  };
}
