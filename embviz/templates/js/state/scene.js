import { axesProblem } from '#js/state/axes.js';
import { axisTitle, customView } from '#js/numbers/axes.js';
import { bounds, frameAt, pick } from '#js/numbers/coordinates.js';
import { stepOf } from '#js/state/tabs.js';
import { QueryError } from '#js/data/query.js';
import { CAPTIONS, SPHERIZE, wordsOf } from '#js/data/words.js';
import { rowsInSphere } from '#js/drawing/sphere.js';

/**
 * @import { AxisTitle, Page, Params, State, Stats, Table } from '#js/data/types.js'
 * @import { Computed } from '#js/state/computed.js'
 * @import { Memo } from '#js/state/memo.js'
 */

/**
 * @typedef {ReturnType<typeof createScene>} Scenes
 * @typedef {{coordinates: Float32Array, axes: AxisTitle[] | null, extent?: Float32Array, unit?: number,
 *   counts?: ({from: number, to: number} | null)[], error?: string}} Placing
 * @typedef {Placing & {dims: number, ranges: {min: number[], max: number[]}, key: string, note?: string,
 *   live?: boolean}} Scene
 */

/**
 * Where the points of a state lie.
 *
 * @param {Page} page @param {() => State} get
 * @param {{memo: Memo, computed: Computed, table: (state: State) => Table,
 *   visible: (state: State) => Uint8Array | null}} parts
 */
export function createScene(page, get, { memo, computed, table, visible }) {
  const { tabs } = page;
  const roleOf = (key) => tabs.get(key)?.role ?? '';

  /**
   * @returns {Float32Array} (n_points, dims) row by row, of the finished projection; of typed axes, and of a bookmark's
   *   places where those are shown
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
      entry.data,
      entry.n_components,
      Array.from({ length: dims }, (_, i) => i),
    );
  }

  /** @returns {Scene} what the plot shows */
  function scene(state = get()) {
    const { projection, dims, components, frame, axes, shown_axes, isolated, column } = state;
    if (state.placed) return memo('scene', [state.placed, isolated], () => fromBookmark(state.placed, isolated));
    const entry = computed.entry(state);
    const role = roleOf(projection);
    const inputs = [
      ...[projection, dims, frame, isolated, entry, page.vectors, state.spherize],
      ...(role === 'components' ? [components.join()] : []),
      ...(role === 'axes' ? [JSON.stringify([axes, shown_axes]), column, state.tags] : []),
    ];
    return memo('scene', inputs, () => {
      const shown = placed(state, entry);
      const around = bounds(shown.extent ?? shown.coordinates, dims, isolated);
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
    return `${entry.id === undefined ? SPHERIZE.other : SPHERIZE.run} ${entry.note ?? wordsOf(CAPTIONS, tab)}`.trim();
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
    const { dims, shown_axes: shown, column } = state;
    const tagged = { ...page, table: table(state) };
    const error = axesProblem(tagged, state);
    const told = error ? { error } : {};
    if (sameAxes(shown, entry, dims)) return { ...finished(entry, dims), ...told };
    try {
      return { ...customView(tagged, shown.slice(0, dims), column), ...told };
    } catch (failure) {
      if (!(failure instanceof QueryError)) throw failure;
      return { ...finished(entry, dims), error: error || failure.message };
    }
  }

  /** @returns {Placing} */
  function placed(state, entry) {
    const { projection, dims, components, frame, isolated } = state;
    const role = roleOf(projection);
    if (role === 'axes' && page.vectors) return alongAxes(state, entry);
    if (frame !== null && entry.frameData) {
      const data = frameAt(entry.frameData, page.table.n_points * dims, frame);
      return { coordinates: data, extent: entry.data, axes: null };
    }
    if (entry.live) return { coordinates: fitted(entry.data, bounds(entry.data, dims, isolated)), axes: null };
    return finished(entry, dims, role === 'components' ? within(components, entry, dims) : undefined);
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
    const step = stepOf(entry, state.frame);
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

  function finished(entry, dims, which = Array.from({ length: dims }, (_, i) => i)) {
    const axes = entry.axes.length ? which.map((c) => entryAxis(entry, c)) : null;
    return { coordinates: pick(entry.data, entry.n_components, which), axes };
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

  return { coordinates, scene, facts, rowsInSphere: inSphere };
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
const within = (components, { n_components }, dims) =>
  chosen(
    components.filter((c) => c < n_components),
    dims,
  );

/** @returns {Float32Array} coordinates in a box of fixed size, so that a map that grows stays in sight */
function fitted(coordinates, { min, max }) {
  const largest = Math.max(...min.map((x, j) => max[j] - x)) / 2 || 1;
  const k = min.length;
  return coordinates.map((x, i) => (x - (min[i % k] + max[i % k]) / 2) / largest);
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
