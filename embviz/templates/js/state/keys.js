import { isSpherized } from '#js/state/computed.js';
import { countComponents, dimsOf, ownTab } from '#js/state/tabs.js';
import { sideNames } from '#js/state/sides.js';
import { countDistinct } from '#js/data/table.js';
import { isTags } from '#js/data/tags.js';

/** @import { Page, State } from '#js/data/types.js' */

/**
 * The state that a page opens with.
 *
 * @param {Page} page
 * @returns {State}
 */
export function initialState(page) {
  const { manifest, tabs } = page;
  const first = tabs.get(manifest.first) ?? [...tabs.values()][0];
  const dims = dimsOf(first, false);
  const ends = (ownTab(tabs, 'axes')?.entries.find((entry) => !entry.pending)?.params.axes ?? []).filter(
    (axis) => axis.from !== undefined,
  );
  const axes = [0, 1, 2].map((i) => ({ from: ends[i]?.from ?? '', to: ends[i]?.to ?? '' }));
  return {
    projection: first.key,
    dims: dims.includes(manifest.dims) ? manifest.dims : dims[0],
    components: [0, 1, 2].slice(0, Math.max(2, countComponents(tabs) || 3)),
    frame: null,
    playing: false,
    step: page.steps ? page.steps.names.length - 1 : 0,
    stepping: false,
    speed: 1,
    trail: false,
    run: null,
    components_here: [],
    arrived: false,
    spherize: isSpherized(page),
    axes,
    shown_axes: axes.map((axis) => ({ ...axis, column: manifest.label_by })),
    label_by: manifest.label_by,
    color_by: manifest.color_by ?? defaultColor(page),
    color_as: 'auto',
    hidden: [],
    query: '',
    column: manifest.label_by,
    selected: Int32Array.from(manifest.selected),
    isolated: manifest.isolated.length ? Int32Array.from(manifest.isolated) : null,
    placed: null,
    hovered: -1,
    pointed: -1,
    tags: [],
    highlight: null,
    walked: null,
    sequences: true,
    sphere: null,
    loop: false,
    k: Math.min(10, Math.max(1, manifest.n_points - 1)),
    metric: manifest.metric,
    thumbnails: Boolean(manifest.sprite),
    caption: true,
    names: true,
    contours: false,
    density: Boolean(manifest.densities?.length),
    labels: manifest.n_points <= 300 ? 'many' : 'few',
    tool: 'pan',
    layout: sideNames(page) && page.isWide ? 'side' : 'one',
    theme: 'system',
    dark: false,
    help: false,
  };
}

/** The label column, or else the first, that has a few values only: it says something at first sight. */
function defaultColor({ manifest, table }) {
  const names = [manifest.label_by, ...table.columns.keys()].filter((name) => name !== null);
  return (
    names.find((name) => {
      const limit = Math.min(50, table.n_points / 3);
      const distinct = countDistinct(table.columns.get(name), limit);
      return distinct >= 2 && distinct <= limit;
    }) ?? null
  );
}

const isOneOf =
  (...values) =>
  (value) =>
    values.includes(value) || `is not one of ${values.map((v) => `'${v}'`).join(', ')}`;
const isBoolean = isOneOf(true, false);
const isText = (value) => typeof value === 'string' || 'is not a text';

/** What each key of the state may be: a function of the value and the page, true or what is wrong. */
export const RULES = {
  projection: (value, page) => isOneOf(...page.tabs.keys())(value),
  dims: isOneOf(2, 3),
  components: (value, page) =>
    (Array.isArray(value) &&
      value.length >= 2 &&
      value.length <= 3 &&
      value.every((c) => Number.isInteger(c) && c >= 0 && c < countComponents(page.tabs))) ||
    'is not two or three component numbers',
  frame: (value) => value === null || (Number.isFinite(value) && value >= 0) || 'is neither null nor a frame number',
  playing: isBoolean,
  step: (value, { steps }) =>
    (Number.isFinite(value) && value >= 0 && value <= (steps?.names.length ?? 1) - 1) ||
    (steps ? `is not in 0 .. ${steps.names.length - 1}` : 'is not 0, and this page has no steps'),
  stepping: (value, { steps }) =>
    steps ? isBoolean(value) : value === false || 'cannot be, as this page has no steps',
  speed: isOneOf(0.5, 1, 2, 4),
  trail: isBoolean,
  run: (value, page, state) =>
    value === null ||
    (state.run !== null && value?.id === state.run.id) ||
    'is neither null nor the run of this page; project() starts one',
  spherize: (value, page) =>
    value === isSpherized(page) ||
    (Boolean(page.space.vectors) && isBoolean(value)) ||
    'cannot be, as the vectors are not in this page',
  highlight: (value) => value === null || Number.isInteger(value) || 'is neither null nor a legend code',
  walked: (value, page) => value === null || isRows(value, page),
  sequences: isBoolean,
  sphere: (value, page) =>
    value === null || isSphere(value, page) || 'is neither null nor {row, radius} with a radius above 0 and at most 2',
  loop: isBoolean,
  tags: (value, page) => isTags(value, page.table.n_points),
  axes: (value) =>
    (Array.isArray(value) &&
      value.length >= 1 &&
      value.length <= 3 &&
      value.every((axis) => typeof axis?.from === 'string' && typeof axis?.to === 'string')) ||
    'is not one to three {from, to}',
  label_by: (value, page) => value === null || isOneOf(...page.table.columns.keys())(value),
  color_by: (value, page) =>
    value === null || isOneOf(...page.table.columns.keys(), ...page.table.measured.keys())(value),
  color_as: isOneOf('auto', 'categories', 'gradient', 'log'),
  hidden: (value) => (Array.isArray(value) && value.every(Number.isInteger)) || 'is not a list of legend codes',
  query: isText,
  column: (value, page) => value === null || isOneOf(...page.table.columns.keys())(value),
  selected: isRows,
  isolated: (value, page) => value === null || isRows(value, page),
  placed: (value, page, { placed }) =>
    value === null ||
    isPlaced(value, page.table.n_points) ||
    isNamed(value, placed) ||
    'is neither null nor {name, dims, data} with a place for each point',
  hovered: isRowOrNone,
  pointed: isRowOrNone,
  k: (value, page) =>
    (Number.isInteger(value) && value >= 1 && value < Math.max(2, page.table.n_points)) ||
    `is not in 1 .. ${page.table.n_points - 1}`,
  metric: isOneOf('cosine', 'euclidean'),
  thumbnails: isBoolean,
  caption: isBoolean,
  names: isBoolean,
  contours: isBoolean,
  density: isBoolean,
  labels: isOneOf('few', 'many', 'none'),
  tool: isOneOf('pan', 'box', 'lasso', 'sphere'),
  layout: (value, page) =>
    value === 'one' || (value === 'side' && sideNames(page) !== null) || "is not 'one', nor 'side' of a comparison",
  theme: isOneOf('system', 'light', 'dark'),
  dark: isBoolean,
  help: isBoolean,
};

function isRowOrNone(value, page) {
  return (Number.isInteger(value) && value >= -1 && value < page.table.n_points) || 'is not a row';
}

const isPlaced = (value, n) =>
  typeof value.name === 'string' &&
  [2, 3].includes(value.dims) &&
  value.data instanceof Float32Array &&
  value.data.length === n * value.dims;

/** Whether it is what view() says of the places that are shown. */
const isNamed = (value, placed) =>
  placed !== null && value.data === undefined && value.name === placed.name && value.dims === placed.dims;

const isSphere = ({ row, radius }, page) =>
  Number.isInteger(row) && row >= 0 && row < page.table.n_points && radius > 0 && radius <= 2;

/** @param {any} value */
function isRows(value, page) {
  const isList = Array.isArray(value) || ArrayBuffer.isView(value);
  /** @type {any} */
  const rows = value;
  return (
    (isList && Array.from(rows).every((r) => Number.isInteger(r) && r >= 0 && r < page.table.n_points)) ||
    'is not a list of rows'
  );
}
