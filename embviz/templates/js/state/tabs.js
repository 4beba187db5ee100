import { pick } from '#js/numbers/coordinates.js';
import { methodOf, METHODS } from '#js/runs/methods.js';
import { MOST_POINTS } from '#js/runs/options.js';

/** @import { Entry, Manifest, State, Tab } from '#js/data/types.js' */

/**
 * The projections of the page as tabs. Of several tabs of one method, what the page computes itself has a tab of its
 * own beside those of the file; PCA computed anew is the first of PCA.
 *
 * @param {Manifest} manifest
 * @returns {Map<string, Tab>} by key, in the order of the file
 */
export function createTabs(manifest) {
  const tabs = new Map();
  for (const entry of manifest.projections) {
    const { key, method, title, kind } = entry;
    if (!tabs.has(key)) tabs.set(key, { key, method, title, kind, entries: [], role: '', isOwn: false });
    tabs.get(key).entries.push(entry);
  }
  for (const tab of tabs.values()) {
    const role = methodOf(tab.method)?.role ?? '';
    const alike = [...tabs.values()].filter(({ method }) => method === tab.method);
    if (role === 'components' || alike.length === 1) tab.role = role;
    tab.isOwn = tab.role !== '' && tab === alike[0];
  }
  return tabs;
}

/** @param {Map<string, Tab>} tabs @returns {Tab | undefined} the tab in which the page does something itself */
export const ownTab = (tabs, role) => [...tabs.values()].find((tab) => tab.isOwn && tab.role === role);

/** @returns {number} how many components PCA has here, 0 where there is none */
export const countComponents = (tabs) => ownTab(tabs, 'components')?.entries[0].n_components ?? 0;

/**
 * @param {Map<string, Tab>} tabs @param {string} name a key, or a method that the page computes
 * @returns {Tab | undefined} the tab where that is done
 */
export function tabFor(tabs, name) {
  const named = tabs.get(name);
  if (named?.isOwn) return named;
  return [...tabs.values()].find((tab) => tab.isOwn && tab.method === name) ?? named;
}

/** @param {Tab | undefined} tab @returns {Entry | undefined} the entry that shows a tab in 2 or 3 dimensions */
export function entryFor(tab, dims) {
  const exact = tab?.entries.find((entry) => entry.n_components === dims);
  if (exact) return exact;
  // What is linear can leave components out; a map is made for one number of them.
  return tab?.kind === 'linear' ? tab.entries.find((entry) => entry.n_components >= dims) : undefined;
}

/**
 * @param {Tab | undefined} tab @param {boolean} [all] also those that are still to be computed in the page
 * @returns {number[]} the numbers of dimensions that a tab can be shown in
 */
export function dimsOf(tab, all = true) {
  const there = [2, 3].filter((dims) => entryFor(tab, dims));
  const finished = there.filter((dims) => !entryFor(tab, dims).pending);
  return all || !finished.length ? there : finished;
}

/**
 * Whether a tab that has a map already would show another in its place: one that is not there and cannot be run.
 *
 * @param {Tab | undefined} tab @param {number} dims @param {number} shown how many points are shown
 */
export function isBeyondRuns(tab, dims, shown) {
  const isThere = dimsOf(tab, false).some((d) => !entryFor(tab, d).pending);
  return tab.role === 'run' && isThere && shown > MOST_POINTS && Boolean(entryFor(tab, dims)?.pending);
}

/**
 * Add what the page can compute when it is asked to, where its vectors travel. Until then the points lie as PCA has
 * them.
 */
export function addPending(tabs, manifest) {
  const pca = entryFor(ownTab(tabs, 'components'), 2);
  if (!pca || !manifest.spaces[0].vectors) return;
  for (const [method, { title, role, least }] of Object.entries(METHODS)) {
    if (role === 'components' || manifest.n_points < Math.max(2, least)) continue;
    const tab = [...tabs.values()].find((each) => each.isOwn && each.method === method) ?? newTab(tabs, method);
    for (const dims of [2, 3]) {
      if (!entryFor(tab, dims) && pca.n_components >= dims) tab.entries.push(pendingEntry(tab, title, pca, dims));
    }
    if (tab.entries.length) tabs.set(tab.key, tab);
  }
  // Axes come last, whether they came with the file or not.
  const axes = ownTab(tabs, 'axes');
  if (axes && tabs.delete(axes.key)) tabs.set(axes.key, axes);
}

/** A tab for what the page computes: under another name beside those of the file, where it has some of the method. */
function newTab(tabs, method) {
  const { title, role } = METHODS[method];
  const isTaken = [...tabs.values()].some((tab) => tab.method === method || tab.key === method);
  let key = method;
  for (let i = 1; tabs.has(key); i++) key = `${method}-here${i > 1 ? `-${i}` : ''}`;
  return {
    key,
    method,
    title: isTaken ? `${title}, here` : title,
    kind: role === 'axes' ? 'linear' : 'map',
    entries: [],
    role,
    isOwn: true,
  };
}

function pendingEntry({ key, method, kind, role }, title, pca, dims) {
  const components = Array.from({ length: dims }, (_, i) => i);
  const { frames, isOfSteps } = pca;
  /** @type {Float32Array | null} */
  let kept = null;
  return {
    key,
    method,
    title,
    kind,
    ...(isOfSteps ? { frames, isOfSteps } : {}),
    n_components: dims,
    // Axes that nothing was typed for are components, which have names.
    axes: role === 'axes' ? components.map((c) => `PC${c + 1}`) : [],
    params: {},
    stats: {},
    pending: true,
    note: role === 'run' ? `${title} has not been run here yet: the points lie as in PCA.` : undefined,
    get data() {
      return pick(pca.data, pca.n_components, components);
    },
    get frameData() {
      if (kept === null && pca.frameData) kept = pick(pca.frameData, pca.n_components, components);
      return isOfSteps && kept ? kept : undefined;
    },
  };
}

/**
 * The recorded step that is shown, where that is not the end.
 *
 * @param {Entry | undefined} entry @param {Pick<State, 'frame' | 'step'>} state
 * @returns {{index: number, name: string, figures: Object<string, number | null>} | null}
 */
export function stepOf(entry, state) {
  if (!entry?.frames) return null;
  const frame = entry.isOfSteps ? Math.round(state.step) : state.frame;
  if (frame === null) return null;
  const { steps, figures } = entry.frames;
  if (frame >= steps.length - 1) return null;
  // Between the last two steps the points have not come to the end yet.
  const index = Math.min(steps.length - 2, Math.max(0, Math.round(frame)));
  const found = Object.entries(figures ?? {}).map(([name, values]) => [name, values[index]]);
  return { index, name: steps[index], figures: Object.fromEntries(found) };
}
