import { toCameraDef } from '#js/bookmarks/camera.js';
import { NAMES, OURS } from '#js/bookmarks/tensorboard.js';

/** TensorBoard's `State` (tensorboard, vz_projector/data.ts), field by field: what each may hold, and what we write. */

const MOST_TEXT = 1000;
/** The largest 32-bit float, as which coordinates are drawn. */
const MOST_PLACE = 3.4028234663852886e38;

export const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
export const isIndices = (value) => Array.isArray(value) && value.every(isCount);
const isPlace = (value) =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 3 && value.every(isNumber));
const isFlag = (value) => typeof value === 'boolean';
const isCoordinate = (value) => value === null || (isNumber(value) && Math.abs(value) <= MOST_PLACE);
const isPoint = (point) => isObject(point) && Object.values(point).every(isCoordinate);
const isCamera = (value) =>
  isObject(value) &&
  isPlace(value.position) &&
  isPlace(value.target) &&
  (value.zoom === undefined || value.zoom === null || isNumber(value.zoom)) &&
  (value.orthographic === undefined || value.orthographic === null || isFlag(value.orthographic));
const isComponents = (value) => isIndices(value) && [2, 3].includes(value.length) && value.every((c) => c < 10000);

/** Kinds of values: whether one fits, and what is wanted in words; `isStrict` ones may not be null. */
const TEXT = { fits: (value) => typeof value === 'string' && value.length <= MOST_TEXT, wanted: 'a text' };
const FLAG = { fits: isFlag, wanted: 'true or false' };
const NUMBER = { fits: isNumber, wanted: 'a number' };
const ROWS = { fits: isIndices, wanted: 'a list of rows' };
const SHAPE = { fits: (value) => isIndices(value) && value.length === 2, wanted: 'two counts' };
const CAMERA = { fits: isCamera, wanted: 'a camera' };
const OBJECT = { fits: isObject, wanted: 'an object' };
const TAB = { fits: (value) => NAMES.includes(value), wanted: NAMES.join(', '), isStrict: true };
const COMPONENTS = { fits: isComponents, wanted: 'two or three components', isStrict: true };
const POINTS = {
  fits: (value) => Array.isArray(value) && value.every(isPoint),
  wanted: 'a list of coordinates by name',
  isStrict: true,
};

/**
 * In the order in which TensorBoard writes them: name, kind, and what is written of a view (see `viewOf` in write.js);
 * without that the field is left to TensorBoard.
 *
 * @type {[string, {fits: (value: any) => boolean, wanted: string, isStrict?: boolean}, ((view: any) => any)?][]}
 */
export const FIELDS = [
  ['label', TEXT, (view) => view.label],
  ['isSelected', FLAG, () => false],
  ['tSNEIteration', NUMBER, (view) => view.params.iteration],
  ['tSNEPerplexity', NUMBER, (view) => view.params.perplexity],
  ['tSNELearningRate', NUMBER, () => 1],
  ['tSNEis3d', FLAG, (view) => view.params.tsne3d],
  ['umapIs3d', FLAG, (view) => view.params.umap3d],
  ['umapNeighbors', NUMBER, (view) => view.params.neighbors],
  ['umapMinDist', NUMBER, (view) => view.params.minDist],
  ['pcaComponentDimensions', COMPONENTS, (view) => view.components],
  ['projections', POINTS, () => []],
  ['selectedPoints', ROWS, (view) => view.selected],
  ['selectedProjection', TAB, (view) => view.tab],
  ['dataSetDimensions', SHAPE, (view) => view.shape],
  ['shuffledDataIndices', ROWS],
  ['filteredPoints', ROWS, (view) => view.filtered],
  ['cameraDef', CAMERA, (view) => toCameraDef(view.camera, view.dims, view.ranges, view.hasAxes)],
  ['selectedColorOptionName', TEXT, (view) => view.colorName],
  ['forceCategoricalColoring', FLAG, (view) => view.state.color_as === 'categories'],
  ['selectedLabelOption', TEXT, (view) => view.labelName],
  ['customSelectedSearchByMetadataOption', TEXT, (view) => view.column],
  ['customXLeftText', TEXT, (view) => view.ends[0].text],
  ['customXLeftRegex', FLAG, (view) => view.ends[0].regex],
  ['customXRightText', TEXT, (view) => view.ends[1].text],
  ['customXRightRegex', FLAG, (view) => view.ends[1].regex],
  ['customYUpText', TEXT, (view) => view.ends[3].text],
  ['customYUpRegex', FLAG, (view) => view.ends[3].regex],
  ['customYDownText', TEXT, (view) => view.ends[2].text],
  ['customYDownRegex', FLAG, (view) => view.ends[2].regex],
  [OURS, OBJECT, (view) => view.ours],
];
