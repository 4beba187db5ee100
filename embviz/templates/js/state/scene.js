import { axesProblem } from '#js/state/axes.js';
import { axisTitle, customView } from '#js/numbers/axes.js';
import { bounds, frameAt, pick } from '#js/numbers/coordinates.js';
import { pageAt } from '#js/data/steps.js';
import { stepOf } from '#js/state/tabs.js';
import { QueryError } from '#js/data/query.js';
import { SPHERIZE } from '#js/data/words.js';
import { rowsInSphere } from '#js/drawing/sphere.js';

/**
 * @import { AxisTitle, Entry, Page, Params, State, Stats, Table } from '#js/data/types.js'
 * @import { Computed } from '#js/state/computed.js'
 * @import { Memo } from '#js/state/memo.js'
 */

/**
 * @typedef {ReturnType<typeof createScene>} Scenes
 * @typedef {{coordinates: Float32Array, axes: AxisTitle[] | null, extent?: Float32Array, ranges?: Box, unit?: number,
 *   grain?: number, counts?: ({from: number, to: number} | null)[], error?: string}} Placing
 * @typedef {{min: number[], max: number[]}} Box
 * @typedef {Placing & {dims: number, ranges: Box, key: string, note?: string,
 *   live?: boolean}} Scene
 */

/**
 * Where the points of a state lie.
 *
 * @param {Page} page @param {() => State} get
 * @param {{memo: Memo, computed: Computed, table: (state: State) => Table,
 *   unfiltered: (state: State) => Int32Array | null, visible: (state: State) => Uint8Array | null}} parts
 */
export function createScene(page, get, { memo, computed, table, unfiltered, visible }) {
  const { tabs } = page;
  const roleOf = (key) => tabs.get(key)?.role ?? '';

  /**
   * @returns {Float32Array} (n_points, dims) row by row, of the finished projection at the step shown; of typed axes,
   *   and of a bookmark's places where those are shown
   */
  function coordinates(name, dims) {
    const state = get();
    if (state.placed?.name === name && state.placed.dims === dims) return state.placed.data;
    const entry = computed.entry(state, name, dims);
    if (entry && roleOf(name) === 'axes' && page.vectors) {
      const found = placed({ ...state, projection: name, dims, frame: null }, entry);
      if (found.error) throw new Error(found.error);
      return found.coordinates;
    }
    if (!entry || entry.pending) throw new Error(`${name} is not in this page in ${dims} dimensions`);
    return pick(
      dataAt(entry, state.step),
      entry.n_components,
      Array.from({ length: dims }, (_, i) => i),
    );
  }

  /** @returns {Float32Array} (n_points, n_components) of an entry, at a step where it has steps */
  function dataAt(entry, step) {
    const data = entry.isOfSteps && step < entry.frames.steps.length - 1 ? entry.frameData : null;
    return data ? frameAt(data, page.table.n_points * entry.n_components, step) : entry.data;
  }

  /** @returns {Box} what holds the points that are shown at all steps, so that the picture stays where it is */
  function boundsOfSteps(entry, which, isolated) {
    return memo('bounds of steps', [entry, which.join(), isolated, page.steps.isLoaded], () => {
      const { min, max } = entry.frames.bounds;
      if (!isolated) return { min: which.map((c) => min[c]), max: which.map((c) => max[c]) };
      if (!entry.frameData) return bounds(pick(entry.data, entry.n_components, which), which.length, isolated);
      const n = page.table.n_points;
      const n_steps = entry.frames.steps.length;
      const data = pick(entry.frameData, entry.n_components, which);
      const rows = new Int32Array(isolated.length * n_steps);
      for (let s = 0, at = 0; s < n_steps; s++) for (const row of isolated) rows[at++] = s * n + row;
      return bounds(data, which.length, rows);
    });
  }

  /** @returns {Scene} what the plot shows */
  function scene(state = get()) {
    const { projection, dims, components, frame, axes, shown_axes, isolated, column } = state;
    if (state.placed) return memo('scene', [state.placed, isolated], () => fromBookmark(state.placed, isolated));
    const entry = computed.entry(state);
    const role = roleOf(projection);
    const inputs = [
      ...[projection, dims, frame, isolated, entry, page.vectors, state.spherize],
      ...(page.steps ? [state.step, page.steps.isLoaded] : []),
      ...(role === 'components' ? [components.join()] : []),
      ...(role === 'axes' ? [JSON.stringify([axes, shown_axes]), column, table(state)] : []),
    ];
    return memo('scene', inputs, () => {
      const shown = placed(state, entry);
      const around = shown.ranges ?? bounds(shown.extent ?? shown.coordinates, dims, unfiltered(state));
      // A map that still moves may become as high as it is wide; in 3D its last step then changes nothing else.
      const ranges = entry.live || (dims === 3 && entry.live === false) ? cube(around) : around;
      return {
        note: noteOf(state, entry),
        ...shown,
        dims,
        live: entry.live,
        key: sceneKey(state, entry),
        ranges,
      };
    });
  }

  /** What is said of an entry, and that Spherize does not change it where it is not as that says. */
  function noteOf({ projection, spherize }, entry) {
    const tab = tabs.get(projection);
    const isFollowed = tab.role === 'components' ? tab.isOwn : tab.role !== 'axes' && entry.pending;
    if (!page.space.vectors || isFollowed || spherize === (entry.params.normalize === 'sphere')) return entry.note;
    return `${entry.id === undefined ? SPHERIZE.other : SPHERIZE.run} ${entry.note ?? ''}`.trim();
  }

  /** @returns {string} what stays the same while the camera can stay: a run that goes on, frames that are played */
  function sceneKey({ projection, dims, components, shown_axes: axes, isolated }, entry) {
    const role = roleOf(projection);
    return JSON.stringify({
      projection,
      dims,
      components: role === 'components' ? components : null,
      axes: role === 'axes' ? { axes, isEarly: !page.vectors } : null,
      made: entry.id ?? null,
      // In 3D the last step of a run changes nothing else.
      live: dims === 2 ? (entry.live ?? null) : null,
      isolated: isolated && [isolated.length, isolated[0]],
    });
  }

  /** Where typed axes have the points, or the last that could be drawn. */
  function alongAxes(state, entry) {
    const { dims, shown_axes: shown } = state;
    const error = axesProblem({ ...pageAt(page, state), table: table(state) }, state);
    const told = error ? { error } : {};
    if (sameAxes(shown, entry, dims)) return { ...finished(entry, state), ...told };
    try {
      return { ...measuredAlong(state), ...told };
    } catch (failure) {
      if (!(failure instanceof QueryError)) throw failure;
      return { ...finished(entry, state), error: error || failure.message };
    }
  }

  /** Typed axes with the centroids of the step shown; between two steps the points lie between their places there. */
  function measuredAlong(state) {
    const { dims, shown_axes: shown, column, step } = state;
    const at = (i) =>
      memo(`axes at ${i}`, [shown, dims, column, table(state), pageAt(page, { step: i }).vectors], () =>
        customView({ ...pageAt(page, { step: i }), table: table(state) }, shown.slice(0, dims), column),
      );
    if (!page.steps) return at(0);
    const end = page.steps.names.length - 1;
    const [low, high] = [Math.floor(step), Math.min(end, Math.floor(step) + 1)];
    const turned = (i) => (i === end ? at(end) : alongSame(at(i), at(end)));
    if (step === low || at(low).unit !== at(high).unit) return turned(Math.round(step));
    const [from, to] = [turned(low).coordinates, turned(high).coordinates];
    return { ...turned(Math.round(step)), coordinates: from.map((x, i) => x + (to[i] - x) * (step - low)) };
  }

  /** @returns {Placing} */
  function placed(state, entry) {
    const { projection, dims, frame, isolated } = state;
    const role = roleOf(projection);
    if (role === 'axes' && page.vectors) return alongAxes(state, entry);
    if (frame !== null && entry.frameData && !entry.isOfSteps) {
      const data = frameAt(entry.frameData, page.table.n_points * dims, frame);
      if (entry.kind !== 'map') return { coordinates: data, extent: entry.data, axes: null };
      // Early steps of a map are a thousandth as large as its last: the picture grows with it.
      const coordinates = fitted(data, bounds(data, dims, isolated), bounds(entry.data, dims, isolated));
      return { coordinates, extent: entry.data, axes: null };
    }
    if (entry.live) return { coordinates: fitted(entry.data, bounds(entry.data, dims, isolated), UNIT), axes: null };
    return finished(entry, state);
  }

  /**
   * @returns {{params: Params, stats: Stats}} what the picture was made with, and what was measured of just these
   *   points and components
   */
  function facts(state = get()) {
    const entry = computed.entry(state);
    const { projection, dims, isolated, shown_axes: axes, column } = state;
    const role = roleOf(projection);
    if (role === 'axes' && page.vectors && (entry.pending || !sameAxes(axes, entry, dims))) {
      const { counts = [], unit = 1 } = scene(state);
      const described = axes
        .slice(0, dims)
        .map(({ from, to }, i) =>
          counts[i] ? { from, to, n_from: counts[i].from, n_to: counts[i].to } : { filled: true },
        );
      const params = { axes: described, n_components: dims, column, ...(unit === 1 ? {} : { unit }) };
      return { params, stats: {} };
    }
    const { quality, ...found } = entry.stats;
    const step = stepOf(entry, state);
    const stats = step ? { ...found, ...step.figures, [entry.frames.unit]: step.name } : found;
    const isWhole = role === 'components' ? isLeading(state) : role !== 'axes' || isolated === null;
    return {
      params: { ...entry.params },
      stats: isWhole && !step && quality?.[dims] ? { ...stats, quality: { [dims]: quality[dims] } } : stats,
    };
  }

  /** Places that a bookmark brought along. */
  const fromBookmark = ({ name, dims, data }, isolated) => ({
    coordinates: data,
    dims,
    axes: null,
    ranges: bounds(data, dims, isolated),
    key: `bookmark ${name} ${dims}`,
    note: `${tabs.get(name)?.title ?? name}: placed by the bookmark, not by this page.`,
  });

  /** @returns {number[]} which components of an entry are shown */
  const shownOf = (entry, { projection, dims, components }) =>
    roleOf(projection) === 'components'
      ? shownComponents(entry, { components, dims })
      : Array.from({ length: dims }, (_, i) => i);

  /**
   * @param {State} state
   * @returns {((step: number, row: number) => number[]) | null} where a point is at each whole step; null where the
   *   picture is of the step shown alone
   */
  function placesOf(state) {
    const { projection, dims, placed: given, shown_axes: axes } = state;
    const entry = computed.entry(state);
    if (given) return null;
    if (roleOf(projection) === 'axes' && page.vectors && !sameAxes(axes, entry, dims))
      return (step, row) => {
        const { coordinates } = measuredAlong({ ...state, step });
        return Array.from(coordinates.subarray(row * dims, (row + 1) * dims));
      };
    if (!entry.isOfSteps || !entry.frameData) return null;
    const { frameData, n_components: k } = entry;
    const which = shownOf(entry, state);
    return (step, row) => which.map((c) => frameData[(step * page.table.n_points + row) * k + c]);
  }

  /** @param {Entry} entry @param {State} state @returns {Placing} */
  function finished(entry, state) {
    const { isolated, step } = state;
    const which = shownOf(entry, state);
    return {
      coordinates: pick(dataAt(entry, step), entry.n_components, which),
      axes: entry.axes.length ? which.map((c) => entryAxis(entry, c)) : null,
      grain: Math.max(0, ...which.map((c) => entry.grain?.[c] ?? 0)),
      ...(entry.isOfSteps ? { ranges: boundsOfSteps(entry, which, isolated) } : {}),
    };
  }

  const sameAxes = (axes, entry, dims) =>
    (entry.params.axes ?? [{}, {}, {}]).slice(0, dims).every((given, i) => {
      const typed = axes[i] ?? { from: '', to: '' };
      return typed.from === (given.from ?? '') && typed.to === (given.to ?? '');
    });

  /** @returns {Int32Array} the points shown within {row, radius} of the plot */
  const inSphere = (sphere, state = get()) =>
    memo('sphere', [sphere.row, sphere.radius, scene(state), visible(state)], () =>
      rowsInSphere(scene(state), sphere.row, sphere.radius, visible(state)),
    );

  return { coordinates, dataAt, placesOf, scene, facts, rowsInSphere: inSphere };
}

/** @returns {boolean} whether a view of PCA is of the components that vary most, in their order */
export const isLeading = ({ components, dims }) => components.slice(0, dims).every((c, i) => c === i);

/** @returns {number[]} the components of a 2D or 3D view */
export function chosen(components, dims) {
  const out = components.slice(0, dims);
  for (let c = 0; out.length < dims; c++) if (!out.includes(c)) out.push(c);
  return out;
}

/** @returns {number[]} those components of a view that an entry has */
export const shownComponents = ({ n_components }, { components, dims }) =>
  chosen(
    components.filter((c) => c < n_components),
    dims,
  );

/** A view along axes, those that were filled in pointing as in another: a direction by itself has no sign. */
function alongSame(view, other) {
  const k = view.counts.length;
  const signs = view.counts.map((count, c) => {
    if (count) return 1;
    let sum = 0;
    for (let i = c; i < view.coordinates.length; i += k) sum += view.coordinates[i] * other.coordinates[i];
    return sum < 0 ? -1 : 1;
  });
  return signs.includes(-1) ? { ...view, coordinates: view.coordinates.map((x, i) => x * signs[i % k]) } : view;
}

/** @type {Box} */
const UNIT = { min: [-1, -1, -1], max: [1, 1, 1] };

/**
 * @param {Float32Array} coordinates @param {Box} from around them @param {Box} to where they are to lie
 * @returns {Float32Array} them in another box, as large along its longest side, so that a map that grows stays in sight
 */
function fitted(coordinates, from, to) {
  const sides = ({ min, max }) => min.map((x, j) => max[j] - x);
  const k = from.min.length;
  const scale = Math.max(...sides(to)) / (Math.max(...sides(from)) || 1);
  const middle = ({ min, max }, j) => (min[j] + max[j]) / 2;
  const shift = from.min.map((_, j) => middle(to, j) - scale * middle(from, j));
  return coordinates.map((x, i) => scale * x + shift[i % k]);
}

/** @returns {{min: number[], max: number[]}} a box of equal sides around another */
function cube({ min, max }) {
  const half = Math.max(...min.map((x, j) => max[j] - x)) / 2;
  const middle = min.map((x, j) => (x + max[j]) / 2);
  return { min: middle.map((x) => x - half), max: middle.map((x) => x + half) };
}

function entryAxis(entry, c) {
  const given = entry.params.axes?.[c];
  return given?.from !== undefined ? axisTitle(given) : { title: entry.axes[c] ?? '', low: '', high: '' };
}
