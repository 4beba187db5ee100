/** What the page says of projections and figures, apart from the code that says it. */

/** How to read a picture, by the method that made it; of others by their kind. */
export const READING = {
  pca: [
    'PCA turns the cloud of vectors so that the first axis shows as much of its variance as one direction can, the ' +
      'second as much of the rest, and so on. It is linear and exact: straight lines stay straight, and a large ' +
      'distance in the picture is a large distance in the data. A small one may hide a large distance along the ' +
      'components not shown.',
  ],
  tsne: [
    't-SNE places points so that near neighbors stay near. Whether two points are neighbors is meaningful; how far ' +
      'clusters lie from each other, how large they are and how dense they look is not. Axes have no meaning, so ' +
      'none are drawn.',
    'Perplexity is about how many neighbors each point looks at. A structure that appears at one perplexity only ' +
      'deserves doubt.',
  ],
  umap: [
    'UMAP places points so that near neighbors stay near. Distances between clusters and their sizes mean little. ' +
      'Axes have no meaning, so none are drawn.',
  ],
  densmap: [
    'densMAP is UMAP that keeps local density too: where points lie densely in the original space they do so here, ' +
      'by and large; “Density kept” is the correlation of both over all points. Distances between clusters mean ' +
      'little. Axes have no meaning, so none are drawn.',
  ],
  pacmap: [
    'PaCMAP draws each point to its neighbors and to some points of middle distance, and away from others, so that ' +
      'near neighbors stay near and large groups keep their order, by and large. Distances between clusters and ' +
      'their sizes mean little. Axes have no meaning, so none are drawn.',
  ],
  localmap: [
    'LocalMAP is PaCMAP that draws neighboring groups apart at last: gaps in the picture are wider than in the ' +
      'vectors. Distances between clusters and their sizes mean little. Axes have no meaning, so none are drawn.',
  ],
  custom: [
    'Each axis runs from one meaning to another: its direction is the mean of the vectors that match “to” less the ' +
      'mean of those that match “from”, and a point’s coordinate is its vector times that direction at length 1. ' +
      'Points far along it are more like “to” than like “from”. An axis without queries shows the direction in which ' +
      'what is left varies most: PC1 of the rest, PC2 of the rest.',
  ],
  none: ['The coordinates are the input’s own.'],
  linear: ['Each axis is a direction of its own; what lies along other directions is not seen.'],
  map: ['A map: its axes have no meaning, so none are drawn.'],
};

/**
 * @template T
 * @param {Object<string, T>} table one of those above @param {{method: string, kind: string}} entry or tab
 * @returns {T} what it has of it
 */
export const wordsOf = (table, { method, kind }) => (Object.hasOwn(table, method) ? table[method] : table[kind]);

/**
 * A caption with what is known of the picture: as `fill_caption` in embviz/pictures/captions.py.
 *
 * @param {string} text of the manifest @param {number | null} share of the variance that is shown, null where that is
 *   not known @param {boolean} spherized
 */
export function filled(text, share, spherized) {
  const told =
    share === null ? text.replace(/ ?[^.]*\{variance\}[^.]*\./g, '') : text.replace('{variance}', percent(share));
  return told.replace('{of}', spherized ? ' of the centered vectors at length 1' : '');
}

/** @returns {string} a share, never all or nothing where it is neither */
function percent(share) {
  const tenths = Math.floor(1000 * share + 0.5);
  if (tenths >= 1000) return share > 1 - 1e-9 ? 'All' : 'Over 99.9 %';
  if (tenths < 1) return 'Under 0.1 %';
  return tenths < 100 || tenths > 990 ? `${(tenths / 10).toFixed(1)} %` : `${Math.floor(100 * share + 0.5)} %`;
}

export const KEYS = [
  ['/', 'search'],
  ['Esc', 'close what is open over the plot, or clear the selection'],
  ['0', 'show everything'],
  ['Arrows, + and −', 'in the plot: move or turn, zoom; Tab goes there'],
  ['Enter', 'in the plot: select the point nearest its middle, which the arrows point at'],
  [
    'Arrows, Space',
    'in the plot with box or lasso: move a cross-hair, with Shift farther; Space sets a corner, Space again ends a ' +
      'box, Enter a lasso, Esc leaves it',
  ],
  [
    'r, then arrows',
    'walk through the picture, part by part: right unfolds, left folds or goes up, Enter selects, letters go to the ' +
      'next part that begins so',
  ],
  ['2, 3', 'two or three dimensions'],
  ['[ and ]', 'previous and next projection'],
  ['Space', 'play and pause the steps of a run, or the iterations; slide one map of a comparison to its other side'],
  ['< and >', 'step before and next step, of a run or a comparison'],
  ['l', 'labels'],
  ['w', 'color by the distance from where you point, and back'],
  ['n', 'names of groups, in the picture: a click on one selects its points'],
  ['c', 'what may be read, in the picture'],
  ['t', 'thumbnails'],
  ['d', 'dark, light, or as the system has it'],
  ['m', 'bookmark this view'],
  [', and .', 'previous and next bookmark; in their list F2 renames, Delete deletes, Alt with an arrow moves'],
  ['p, b, o, s', 'move, box, lasso, and in 3D sphere'],
  [
    'Shift, Alt',
    'with a click on a point, a name or a legend entry, a box, a lasso, or Enter in the search: add to the ' +
      'selection, remove; both: intersect',
  ],
  ['?', 'this page'],
];

/** What the pointer does, and a finger. */
export const HANDS = [
  ['Drag', 'in the plot: move it in 2D, turn it in 3D; with box, lasso or sphere: select'],
  ['Right drag', 'in 3D: move it'],
  ['Wheel', 'zoom, at the pointer'],
  ['Click', 'select a point; beside all points: select none'],
  ['Double-click', 'beside all points: show everything'],
  ['Legend', 'a click hides or shows a class, a double-click shows it alone, pointing at it shows where it is'],
  ['Touch', 'one finger does what a drag does, two move and zoom; a tap is a click'],
  ['Back', 'the browser’s: the view before, as each is in the address, and forward again'],
];

/** Parameters that stand below the tabs, with their names there. */
export const PARAMETERS = [
  ['perplexity', 'Perplexity'],
  ['n_neighbors', 'Neighbors'],
  ['min_dist', 'Minimal distance'],
  ['metric', 'Metric'],
  ['normalize', 'Normalized'],
  ['iterations', 'Iterations'],
  ['epochs', 'Epochs'],
  ['supervised_by', 'Supervised by'],
  ['supervise_factor', 'Strength'],
  ['perturbed', 'Times perturbed'],
  ['seed', 'Seed'],
];

/**
 * Figures of how faithful a picture is: their names, and what they say. docs/faithfulness.md defines them.
 *
 * @type {[string, string, string][]}
 */
export const QUALITY = [
  [
    'neighbors_kept',
    'Neighbors kept',
    'The share of each point’s nearest in this picture that are among its nearest in the original space',
  ],
  [
    'trustworthiness',
    'Trustworthiness',
    'Near 1 where points that are near here are near in the original space too: no false neighbors',
  ],
  [
    'continuity',
    'Continuity',
    'Near 1 where points that are near in the original space are near here too: no missing neighbors, nothing is torn',
  ],
  [
    'rank_correlation',
    'Distances agree',
    'Spearman’s correlation of the distances here with those in the original space, over pairs of points',
  ],
];

/** Of how many neighbors they are, and of how many points, where not of all. */
export const NEAREST = ['Of nearest neighbors', 'So many of each point are looked at for the figures below'];
export const RANKED = ['Points ranked', 'A random sample, with the largest standard error of the figures above'];

/** Other figures of a picture, and of each recorded step. */
export const FIGURES = { kl_divergence: 'KL divergence', density_correlation: 'Density kept' };

/** From these correlations on the motion between steps is change, or partly. docs/parameters.md explains them. */
const MOVES_WITH_CHANGE = 0.5;
const MOVES_IN_PART = 0.2;
const MOTION_TITLE =
  'Spearman’s correlation, over points and pairs of steps, of how far a point moves in this picture with how many of ' +
  'its 10 nearest neighbors it exchanges';

/**
 * Whether what moves from step to step has changed.
 *
 * @param {{all: number | null, pair: number | null, names: string[]} | null} found see motionOf in state/figures.js
 * @returns {{rule: 'change' | 'part' | 'motion' | 'none', text: string, title: string} | null}
 */
export function motionWords(found) {
  if (!found) return null;
  const { all, pair, names } = found;
  const own = pair === null ? '' : ` From ${names[0]} to ${names[1]} it is ${figure(pair)}.`;
  const told = (rule, text) => ({ rule, text: text + own, title: MOTION_TITLE });
  if (all === null) return told('none', 'No point moved, or none changed its neighbors: there is nothing to compare.');
  if (all >= MOVES_WITH_CHANGE)
    return told('change', `Motion and change agree, ${figure(all)}: what moves far has exchanged many neighbors.`);
  if (all >= MOVES_IN_PART)
    return told('part', `Motion and change agree in part, ${figure(all)}: some of what moves is only carried along.`);
  return told('motion', `Little of this motion is change, ${figure(all)}: the picture turns, drifts or grows.`);
}

const figure = (r) => r.toFixed(2).replace('-', '−');

/** What else a picture may have been made with, and what was found, by the names that Python gives them. */
const OTHER_NAMES = {
  n_components: 'Components',
  dims: 'Dimensions',
  points: 'Points',
  perplexity_chosen: 'Perplexity chosen by',
  n_neighbors_chosen: 'Neighbors chosen by',
  early_iterations: 'Early iterations',
  early_exaggeration: 'Early exaggeration',
  annealing_iterations: 'Iterations of annealing',
  near_iterations: 'Iterations in which near neighbors alone attract',
  near_neighbors: 'Near neighbors',
  learning_rate: 'Learning rate',
  density_weight: 'Weight of density',
  mid_near_pairs: 'Pairs of middle distance',
  further_pairs: 'Further pairs',
  laid_on: 'Turned to lie on that of',
  neighbor_recall: 'Recall of the neighbors',
  initialization: 'Starts from',
  sample_points: 'Points of that map',
  sample_iterations: 'Iterations of that map',
  gradient: 'Gradient',
  device: 'Computed on',
  neighbors_device: 'Neighbors found on',
  theta: 'Opening angle of Barnes-Hut',
  unsettled: 'Share of points not settled',
  singularity_sums: 'Where it is torn, summed',
  ignored_label: 'Ignored label',
  column: 'Column searched',
  total_variance: 'Total variance',
  iteration: 'Iteration shown',
  epoch: 'Epoch shown',
  step: 'Step shown',
  motion: 'Motion agrees with change, from the step before',
};

const NAMES = { ...Object.fromEntries(PARAMETERS), ...FIGURES, ...OTHER_NAMES };

const CHOSEN = { true: 'embviz', false: 'request' };
const VALUES = {
  perplexity_chosen: CHOSEN,
  n_neighbors_chosen: CHOSEN,
  normalize: { none: 'no', center: 'centered', sphere: 'centered, at length 1' },
  initialization: { pca: 'PCA', given: 'a given map', sample: 'a map of a sample' },
  device: { cpu: 'the processor' },
};

/** @returns {string} what a parameter or figure is called; those of other projectors as they call them */
export const nameOf = (key) => (Object.hasOwn(NAMES, key) ? NAMES[key] : key.replaceAll('_', ' '));

/** @returns {any} the value of one, in words where it is no number or name of its own */
export const worded = (key, value) =>
  (Object.hasOwn(VALUES, key) && VALUES[key][value]) || { true: 'yes', false: 'no' }[String(value)] || value;

export const AXES = {
  names: ['Horizontal', 'Vertical', 'Depth'],
  query: 'text, =exact, /regex/',
  begins: 'say where the axis begins',
  ends: 'say where the axis ends',
  empty: 'Empty: a PC of the rest, the direction in which what is left varies most',
};

/** The unit of coordinates that 32-bit floats do not hold. */
export const UNIT = { label: 'In units of', title: 'Coordinates times this number are those of the vectors' };

/** Of a run in the page. */
export const NOT_MEASURED =
  'Neighbors kept, trustworthiness, continuity and whether distances agree were not measured of this run; embviz ' +
  'project measures them';

/** What is said beside figures of more points than those isolated, of an unknown number where that is null. */
export const ofAll = (n) => (n === null ? 'Of all points that were placed' : `Of all ${n.toLocaleString('en')} points`);

/** Where Spherize is not as the picture was made. */
export const SPHERIZE = {
  run: 'Spherize is for the next run.',
  other: 'Spherize is for PCA and what is run here, not for this picture.',
};

/** What is said beside figures that are not of the recorded step that is shown. */
export const ofTheEnd = ({ steps, unit }) => `Of the end, ${unit} ${steps.at(-1)}, not of the ${unit} shown`;

/** The table of a method's tabs: its figures with their short names, how each is shown, and what it says. */
export const SIDE_BY_SIDE = {
  name: (method) => `${method} side by side`,
  hint: 'A group that shows in one row only is made by its value.',
  columns: [
    [
      'neighbors_kept',
      'Kept',
      'percent',
      'Neighbors kept: the share of each point’s nearest that stay its nearest here',
    ],
    [
      'trustworthiness',
      'Trust',
      'three',
      'Trustworthiness: near 1 where points that are near here are near originally',
    ],
    ['continuity', 'Cont.', 'three', 'Continuity: near 1 where points that are near originally are near here'],
    [
      'kl_divergence',
      'KL',
      'two',
      'KL divergence: of each row’s own affinities, so that rows of different perplexity cannot be ranked by it',
    ],
  ],
};
