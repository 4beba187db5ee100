import { fromCameraDef } from '#js/bookmarks/camera.js';
import { ANY, chosenDims, controls, NAMES, OURS, storedIn, tabOf, titleOf, USUAL } from '#js/bookmarks/tensorboard.js';
import { readTags, tagsField } from '#js/bookmarks/tags.js';
import { limits, SESSION, stateText } from '#js/bookmarks/write.js';
import { markWritten } from '#js/data/written.js';
import { BookmarkError, checkBookmark, fromState, readBookmarks } from '#js/bookmarks/read.js';
import { boxOf, isView } from '#js/drawing/camera.js';
import { fitting } from '#js/state/fitting.js';
import { inWords } from '#js/state/key_words.js';
import { bounds } from '#js/numbers/coordinates.js';
import { countComponents, stepOf } from '#js/state/tabs.js';
import { RULES } from '#js/state/keys.js';
import { createStore } from '#js/state/store.js';
import { chosen } from '#js/state/view.js';

/**
 * @import { Page } from '#js/data/types.js'
 * @import { Pair } from '#js/plot/pair.js'
 * @import { View } from '#js/state/view.js'
 */

const TOLERANCE = 1e-4;
const MOST_LABEL = 200;

/** @typedef {ReturnType<typeof createBookmarkList>} BookmarkList */

/**
 * The bookmarks of the page: kept views and those of files, in one order.
 *
 * @param {Page} page @param {View} view @param {() => Pair} plot
 */
export function createBookmarkList(page, view, plot) {
  const list = createStore({ items: [], current: -1 });
  const data = () => ({
    n_points: page.table.n_points,
    n_dims: page.table.n_dims,
    total: page.manifest.total_points,
    rows: page.table.rows,
  });
  const { get } = list;
  const item = (index) => {
    const found = get().items[index];
    if (!found) throw new RangeError(`bookmark ${index} is not in 0 .. ${get().items.length - 1}`);
    return found;
  };

  function add(label) {
    const { items } = get();
    const name = clean(label) || `View ${items.length + 1}`;
    list.set({
      items: [...items, { label: name, kept: keepView(page, view, plot().camera()) }],
      current: items.length,
    });
    return items.length;
  }

  /** @returns {string[]} what could not be restored, in sentences */
  function apply(index) {
    const { kept, state } = item(index);
    const hints = kept ? applyKept(page, view, plot(), kept) : applyState(page, view, plot(), state, data());
    list.set({ current: index });
    return hints;
  }

  /** @returns {() => void} puts it back where it was */
  function remove(index) {
    const removed = item(index);
    const { items, current } = get();
    list.set({
      items: items.filter((_, i) => i !== index),
      current: current === index ? -1 : current - (current > index ? 1 : 0),
    });
    return () => {
      const { items: now, current: shown } = get();
      const at = Math.min(index, now.length);
      list.set({ items: [...now.slice(0, at), removed, ...now.slice(at)], current: shown + (shown >= at ? 1 : 0) });
    };
  }

  function move(index, to) {
    const moved = item(index);
    const { items, current } = get();
    const others = items.filter((_, i) => i !== index);
    const at = Math.min(Math.max(0, to), others.length);
    const marked = items[current];
    const after = [...others.slice(0, at), moved, ...others.slice(at)];
    list.set({ items: after, current: marked ? after.indexOf(marked) : -1 });
    return at;
  }

  function append(found) {
    list.set({ items: [...get().items, ...found.map(({ label, state }) => ({ label: clean(label), state }))] });
    const { tags } = view.get();
    const more = readTags(
      found.map(({ state }) => state),
      data(),
      tags,
    );
    markWritten(more);
    if (more.length) view.set({ tags: [...tags, ...more] });
  }
  return {
    get,
    subscribe: list.subscribe,
    add,
    apply,
    remove,
    move,
    rename: (index, label) => {
      const old = item(index);
      list.set({
        items: get().items.map((each) => (each === old ? { ...old, label: clean(label) || old.label } : each)),
      });
    },
    /** Go to the next or the one before, around the ends. @returns {string[]} hints */
    step(by) {
      const { items, current } = get();
      if (!items.length) return [];
      return apply(current < 0 ? (by > 0 ? 0 : items.length - 1) : (current + by + items.length) % items.length);
    },
    /** @param {string} text of a file @returns {number} how many there were @throws {BookmarkError} */
    read(text) {
      const found = readBookmarks(text, data());
      append(found);
      return found.length;
    },
    /** Take those that came with the page, without those of other data. @returns {string[]} what is wrong with these */
    take(saved) {
      const problems = [];
      saved.forEach(({ label, view: state }, i) => {
        try {
          append([{ ...checkBookmark(state, i + 1, data()), label: label || `bookmark ${i + 1}` }]);
        } catch (error) {
          if (!(error instanceof BookmarkError)) throw error;
          problems.push(error.message);
        }
      });
      return problems;
    },
    /** @returns {{label: string, projection: string, dims: number, isolated: number | null}[]} */
    summaries: () => get().items.map((each) => summary(each)),
    /** @returns {string[]} what TensorBoard will not do with the file, in sentences */
    limits: () => limits(get().items, view.table()),
    /** @returns {string} the file */
    text: () =>
      `[${get()
        .items.map(({ label, kept, state }, i) => {
          // They are those of the page: one of the views holds them for all.
          const tags = i === 0 ? tagsField(view.get().tags, view.table(), page.manifest.total_points) : undefined;
          return kept ? stateText({ ...kept, label }, view.table(), tags) : withTags({ ...state, label }, tags);
        })
        .join(',\n')}]\n`,
    /** What the file holds is the reader's own from here on. */
    markWritten: () => {
      markWritten(get().items.flatMap(({ kept }) => (kept ? [kept] : [])));
      if (get().items.length) markWritten(view.get().tags);
    },
  };
}

/** A view of a file as it is, with other tags. */
function withTags(state, tags) {
  const { tags: _, ...ours } = state[OURS] ?? {};
  const own = tags ? { ...ours, tags } : ours;
  return JSON.stringify(Object.keys(own).length ? { ...state, [OURS]: own } : state);
}

const clean = (label) =>
  String(label ?? '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MOST_LABEL);

function summary({ label, kept, state }) {
  if (kept)
    return {
      label,
      projection: kept.name,
      title: kept.title,
      dims: kept.dims,
      isolated: kept.state.isolated?.length ?? null,
    };
  const name = state.selectedProjection ?? USUAL;
  const dims = chosenDims(state, name);
  return { label, projection: name, title: titleOf(name), dims, isolated: state.filteredPoints?.length || null };
}

/** @returns {import('#js/bookmarks/write.js').Kept} the view as it is; coordinates by reference, they never change */
export function keepView(page, view, camera) {
  for (const { key, role } of page.tabs.values())
    if (role === 'components') view.computed.prepare(key, view.get().dims);
  const state = view.get();
  const scene = view.scene(state);
  const name = state.placed?.name ?? state.projection;
  const tab = page.tabs.get(name);
  const isChosen = tab?.role === 'components';
  const kept = Object.fromEntries(
    Object.entries(state).filter(([key]) => Object.hasOwn(RULES, key) && !SESSION.has(key)),
  );
  const shownIn = tabOf(tab?.method ?? name);
  const entryOf = (method) => anyEntry(page, view, state, method);
  const step = view.entry(state).isOfSteps ? null : stepOf(view.entry(state), state);
  const iteration = step && Number.isFinite(Number(step.name)) ? Number(step.name) : null;
  const three = state.components.length >= scene.dims ? state.components : chosen(state.components, scene.dims);
  return {
    state: kept,
    shown: scene.coordinates,
    name,
    title: tab?.title ?? titleOf(name),
    tab: shownIn,
    dims: scene.dims,
    camera,
    hasAxes: Boolean(scene.axes),
    ranges: bounds(scene.coordinates, scene.dims, state.isolated),
    components: isChosen
      ? three.slice(0, scene.dims)
      : [0, 1, 2].slice(0, Math.min(3, countComponents(page.tabs) || 3)),
    arrays: arraysOf(page, view, state, scene, shownIn),
    params: controls(entryOf, { tab: shownIn, dims: scene.dims, iteration }),
  };
}

/** What is known of a method here: of the tab shown where it is of that method, else of the first that was computed. */
function anyEntry(page, view, state, method) {
  const tabs = [...page.tabs.values()].filter((tab) => tab.method === method);
  tabs.sort((a, b) => Number(b.key === state.projection) - Number(a.key === state.projection));
  const found = tabs
    .flatMap(({ key }) => [state.dims, 3, 2].map((dims) => view.entry(state, key, dims)))
    .find((entry) => entry && !entry.pending);
  return found ?? null;
}

/** All coordinates there are, under TensorBoard's names; what is shown goes before what was computed at first. */
function arraysOf(page, view, state, scene, shownIn) {
  const named = (name, components) => components.map(storedIn(name).key);
  const first = (n) => Array.from({ length: n }, (_, i) => i);
  const arrays = NAMES.map((name) => {
    const entry = anyEntry(page, view, state, name);
    const { most, chosen: isChosen } = storedIn(name);
    const isThere = name === ANY || entry !== null || Boolean(state.placed);
    if (name === shownIn && isThere && (!isChosen || state.placed)) {
      const components = isChosen ? chosen(state.components, scene.dims) : first(scene.dims);
      return { keys: named(name, components), data: scene.coordinates, stride: scene.dims };
    }
    if (!entry) return null;
    const keys = named(name, first(Math.min(most, entry.n_components)));
    return { keys, data: view.dataAt(entry, state.step), stride: entry.n_components };
  });
  return arrays.filter(Boolean);
}

function applyKept(page, view, plot, { state, camera, name, dims, shown }) {
  const { patch, odd } = fitting(state, page, view.get());
  view.set(patch);
  // What was computed in the page may have made way for something else.
  if (!isShown(page, view, { name, dims, data: shown })) view.set({ placed: { name, dims, data: shown } });
  const lost = showCamera(plot, camera);
  return [...(odd.length ? [`No longer there: ${inWords(odd)}`] : []), ...lost];
}

/** @returns {string[]} what of a camera's view is not shown, in sentences */
function showCamera(plot, camera) {
  const isWhole = !camera || plot.reaches(camera);
  const isSet = Boolean(camera) && plot.setCamera(camera);
  if (!isSet) plot.resetView();
  if (isWhole) return [];
  return [isSet ? 'Its place and zoom were brought within reach' : 'Its place and zoom show no point of this page'];
}

function applyState(page, view, plot, state, data) {
  const found = inTabs(page, fromState(state, data));
  const { patch, hints } = patchOf(page, view, found);
  view.set({ ...patch, placed: null, query: patch.query ?? '', selected: patch.selected ?? [] });
  const { placed } = found;
  if (placed && !isShown(page, view, placed)) view.set({ placed });
  else if (!placed && page.tabs.get(view.get().projection)?.method !== found.tab)
    hints.push(`${titleOf(found.tab)} is not in this page, nor are its coordinates in the bookmark`);
  const scene = view.scene();
  const ranges = bounds(scene.coordinates, scene.dims, view.get().isolated);
  const box = ranges.min.every(Number.isFinite) ? ranges : boxOf(scene.coordinates, page.table.n_points, scene.dims);
  const camera = isView(found.ourCamera, scene.dims)
    ? found.ourCamera
    : fromCameraDef(found.camera, scene.dims, box, Boolean(scene.axes));
  hints.push(...showCamera(plot, camera));
  if (found.missing) hints.push(`${found.missing.toLocaleString('en')} of its points are not in this page`);
  return hints;
}

/** What a State says, with our tab in place of TensorBoard's, which stays as `tab`. */
function inTabs(page, found) {
  const tab = found.patch.projection;
  const ours = [...page.tabs.values()].find(({ method }) => method === tab);
  const key = ours?.key ?? tab;
  // A tab of another file goes by its method here; what TensorBoard has no tab for keeps its name.
  const isOther = found.placed && tab !== ANY && !page.tabs.has(found.placed.name);
  const placed = isOther ? { ...found.placed, name: key } : found.placed;
  return { ...found, tab, placed, patch: { ...found.patch, projection: key } };
}

/** TensorBoard's fields and, before them, our own where they fit. */
function patchOf(page, view, { patch: theirs, ours }) {
  const state = view.get();
  const given = Object.fromEntries(
    Object.entries(ours).filter(([key]) => !SESSION.has(key) && !['selected', 'isolated', 'placed'].includes(key)),
  );
  const base = fitting(theirs, page, state);
  const own = fitting(given, page, { ...state, ...base.patch });
  /** @type {any} */
  const patch = { ...base.patch, ...own.patch };
  if (patch.projection === undefined && !own.odd.includes('projection')) delete patch.dims;
  const lost = { color_by: 'column of its colors', label_by: 'column of its labels' };
  const hints = Object.entries(lost)
    .filter(([key]) => base.odd.includes(key) && !(key in own.patch))
    .map(([, what]) => `The ${what} is not in this page`);
  return { patch, hints };
}

/** Whether the page shows the same places by itself, up to the steps that coordinates travel in. */
function isShown(page, view, { dims, data, name }) {
  const state = view.get();
  const scene = view.scene(state);
  const isOfTab = state.projection === name || tabOf(page.tabs.get(name)?.method ?? name) === ANY;
  if (scene.dims !== dims || !isOfTab) return false;
  const { min, max } = bounds(data, dims);
  const most = Math.max(...max.map((high, j) => high - min[j])) * TOLERANCE;
  for (let i = 0; i < data.length; i++) {
    const x = data[i];
    if (!Number.isNaN(x) && !(Math.abs(x - scene.coordinates[i]) <= most)) return false;
  }
  return true;
}
