import { format } from '#js/dom.js';
import { STEPS } from '#js/drawing/faults.js';
import { pageAt } from '#js/data/steps.js';
import { shownName } from '#js/state/sides.js';

/**
 * What a saved picture says of itself.
 *
 * @import { Page } from '#js/data/types.js'
 * @import { Key } from '#js/drawing/frame.js'
 * @import { View } from '#js/state/view.js'
 */

/** @param {Page} page @param {View} view @returns {import('#js/plot/picture.js').Told} */
export function toldOf(page, view) {
  const state = view.get();
  const { manifest } = page;
  const tab = page.tabs.get(state.projection);
  const visible = view.unfiltered(state)?.length ?? manifest.n_points;
  const { n_dims } = pageAt(page, state).space;
  const shown = view.scene(state).dims;
  return {
    title: manifest.title,
    subtitle: [
      `${tab.title}, ${shown}D`,
      shownName(page, state),
      visible === manifest.total_points
        ? `${format(visible)} points`
        : `${format(visible)} of ${format(manifest.total_points)} points`,
      `${format(n_dims)} dimensions`,
    ]
      .filter(Boolean)
      .join(' · '),
    key: keyOf(view, state),
  };
}

/** @returns {Key | null} of the colors, without the classes that are hidden */
function keyOf(view, state) {
  const { legend } = view.coloring(state);
  const heading = state.color_by ?? '';
  const hasMissing = legend.missing ? [{ name: 'missing', count: format(legend.missing), color: legend.rest }] : [];
  if (legend.kind === 'categories') return { heading, entries: entriesOf(view, state, legend.entries) };
  if (legend.kind === 'gradient') {
    const ends = [legend.low, ...(legend.scale === 'log' ? [Number(legend.middle.toPrecision(3))] : []), legend.high];
    return { heading, bar: { stops: legend.stops, ends: ends.map(format) }, entries: hasMissing };
  }
  if (legend.kind === 'faults') {
    const high = `${format(Number(((legend.high * (STEPS - 1)) / STEPS).toPrecision(3)))}+`;
    const colors = legend.entries.slice(0, STEPS * STEPS).map(({ color }) => color);
    return { heading, square: { colors, high }, entries: entriesOf(view, state, legend.entries.slice(STEPS * STEPS)) };
  }
  return legend.kind === 'distance' && legend.row >= 0 && legend.count ? ofDistances(view, state, legend) : null;
}

function entriesOf(view, state, entries) {
  const counts = view.countsShown(state);
  return entries
    .filter(({ code }) => !state.hidden.includes(code))
    .map(({ name, color, code, count }) => ({ name, color, count: format(counts ? (counts.get(code) ?? 0) : count) }));
}

function ofDistances(view, { metric }, { row, by, low, high, isCut, stops }) {
  const digits = (x) => format(by === 'rank' ? x : Number(x.toPrecision(3)));
  return {
    heading: `${by === 'rank' ? 'Rank by' : 'Distance,'} ${metric}`,
    bar: { stops, ends: [digits(low), `${digits(high)}${isCut ? '+' : ''}`] },
    notes: [`from ${view.label(row)}`],
  };
}
