import { DEPENDENT, fitting, hasFrame } from '#js/state/fitting.js';
import { markWritten } from '#js/data/written.js';
import { inWords } from '#js/state/key_words.js';
import { LINKED, readLink, writeLink } from '#js/state/links.js';

/**
 * @import { Page, State, Store } from '#js/data/types.js'
 * @import { Pair } from '#js/plot/pair.js'
 * @import { View } from '#js/state/view.js'
 */

const WAIT_MS = 300;
/** A camera means something only for the places that these make. */
const PLACING = ['projection', 'dims', 'components', 'spherize'];
/** A change of these is a step that the back button takes back; of others the address is only brought up to date. */
const STEPS = ['projection', 'dims', 'components', 'isolated', 'selected', 'color_by', 'label_by', 'spherize'];

const BROUGHT_BACK = 'The link goes farther into the picture or out of it than this page, which shows what is in reach';
const NOTHING_SEEN = 'The place and zoom of the link show no point of this page and were left out';
const MOST_ODD = 5;

/** @returns {string} the first of what is wrong: a link may be anybody's text, and as long */
const listed = (odd) =>
  odd.length > MOST_ODD ? `${odd.slice(0, MOST_ODD).join(', ')} and ${odd.length - MOST_ODD} more` : odd.join(', ');

/** @returns {boolean} whether what played was stopped or started */
const hasStopped = (state, before) => state.playing !== before.playing || state.stepping !== before.stepping;

/**
 * The view in the URL's fragment.
 *
 * @param {Page} page @param {View} view @param {Store<State>} store
 * @param {import('#js/panels/message.js').Say} say
 */
export function createAddress(page, view, store, say) {
  const initial = store.get();
  let plot = null;
  let timer = 0;
  let written = store.get();
  let wanted = null;
  /** What is said of the link that was followed last. */
  let told = '';

  /**
   * Show what the fragment says; what it does not say, and what does not fit, is as the page opens. A damaged one
   * changes nothing.
   *
   * @returns {boolean} whether it was followed
   */
  function restore() {
    const { patch, camera, odd } = readLink(window.location.hash, page.table.n_points);
    if (odd.length) {
      const named = odd.filter(Boolean);
      say(`The link is damaged and was not followed${named.length ? `: ${listed(named)}` : ''}`, true);
      return false;
    }
    const now = view.get();
    // Tags are edits and no part of a view: going back takes none away.
    if (now.tags.length) delete patch.tags;
    const opening = Object.fromEntries(
      LINKED.filter((key) => key in initial && key !== 'tags').map((key) => [key, initial[key]]),
    );
    const wrong = fitting({ ...opening, ...patch }, page, now).odd.filter((key) => key in patch);
    const left = new Set([
      ...wrong,
      ...wrong.flatMap((key) => DEPENDENT[key] ?? []),
      ...(wrong.includes('projection') ? ['dims'] : []),
    ]);
    /** @type {any} */
    const kept = Object.fromEntries(Object.entries(patch).filter(([key]) => !left.has(key)));
    const fits = fitting({ ...opening, ...kept }, page, now);
    const next = Object.fromEntries(
      Object.entries(fits.patch).filter(([key, value]) => key in kept || !Object.is(value, now[key])),
    );
    // A query selects by itself, unless the link says otherwise.
    if (kept.query && !('selected' in kept)) delete next.selected;
    for (const key of unseen({ ...now, ...next })) {
      next[key] = initial[key];
      if (key in kept) wrong.push(key);
    }
    if (kept.tags) markWritten(kept.tags);
    view.set(next);
    written = store.get();
    wanted = PLACING.some((key) => left.has(key)) ? null : camera;
    if (wanted && wanted.dims !== written.dims) {
      wanted = null;
      wrong.push('camera');
    }
    told = wrong.length ? `Part of the link does not fit this page and was left out: ${inWords(wrong)}` : '';
    if (told) say(told, true);
    return true;
  }

  /** @returns {string[]} the keys of a state whose numbers go beyond what there is */
  function unseen(state) {
    const codes = new Set(view.coloring(state).legend.entries?.map(({ code }) => code));
    return [
      ...(hasFrame(page, state) ? [] : ['frame']),
      ...(state.hidden.every((code) => codes.has(code)) ? [] : ['hidden']),
    ];
  }

  function restoreCamera() {
    if (!plot) return;
    const isWhole = !wanted || plot.reaches(wanted);
    const isSet = wanted !== null && plot.setCamera(wanted);
    if (!isSet) plot.resetView();
    wanted = null;
    if (isWhole) return;
    const seen = isSet ? BROUGHT_BACK : NOTHING_SEEN;
    say([told, seen].filter(Boolean).join('. '), true);
  }

  function current() {
    const state = store.get();
    const found = state.query.trim() === '' ? null : view.found(state);
    const camera = !plot || plot.isHome() ? null : plot.camera();
    const matches = found && !found.error ? found.rows : null;
    const link = writeLink(state, initial, camera, matches);
    if (!link.left.includes('tags')) return link;
    // Without its tags a link does not name their columns either.
    const { label_by, color_by, column } = state;
    const { table } = page;
    const given = {
      ...state,
      label_by: table.columns.has(label_by) ? label_by : initial.label_by,
      color_by: table.column(color_by) ? color_by : initial.color_by,
      column: table.columns.has(column) ? column : initial.column,
    };
    return { ...writeLink(given, initial, camera, matches), left: link.left };
  }

  function write() {
    timer = 0;
    const state = store.get();
    if (state.playing || state.stepping) return;
    const { fragment } = current();
    // A query that is typed on is one step, however slowly.
    const isTyped = state.query !== written.query && written.query.trim() !== '' && state.query.trim() !== '';
    const isStep = STEPS.some((key) => state[key] !== written[key] && !(isTyped && key === 'selected'));
    written = state;
    if (window.location.hash.replace(/^#/, '') === fragment) return;
    const url = fragment ? `#${fragment}` : window.location.href.split('#')[0];
    try {
      window.history[isStep ? 'pushState' : 'replaceState'](null, '', url);
    } catch (error) {
      // Some hosts, and some rates of change, are not allowed to; the page does as well without.
      if (!(error instanceof DOMException)) throw error;
    }
  }

  const schedule = () => {
    clearTimeout(timer);
    timer = setTimeout(write, WAIT_MS);
  };
  return {
    restore,
    /** @param {Pair} shown the plot, once there is one: follow what is done from here on */
    follow(shown) {
      plot = shown;
      if (wanted) plot.setCamera(wanted);
      store.subscribe((state, before) => {
        if (LINKED.some((key) => state[key] !== before[key]) || hasStopped(state, before)) schedule();
      });
      window.addEventListener('popstate', () => {
        clearTimeout(timer);
        if (restore()) restoreCamera();
        // The address of a view from before a tag gets the tag, so that loading it again keeps it.
        if (store.get().tags.length) schedule();
      });
    },
    /** Everything is loaded: axes of the link may have been drawn only now. */
    settle() {
      if (wanted) restoreCamera();
    },
    moved: () => {
      if (plot) schedule();
    },
    /**
     * @returns {{url: string, left: string[], isPlaced: boolean}} placed: by a bookmark or a run, not as the link shows
     *   them
     */
    link() {
      const { fragment, left } = current();
      const { placed, run } = store.get();
      return {
        url: `${window.location.href.split('#')[0]}#${fragment}`,
        left,
        isPlaced: placed !== null || run !== null,
      };
    },
  };
}
