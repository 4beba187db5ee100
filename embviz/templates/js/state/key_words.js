/** What keys of the state are to a reader. */
const WORDS = {
  projection: 'the projection',
  dims: 'the dimensions',
  components: 'the components',
  frame: 'the iteration',
  step: 'the step',
  trail: 'the trails',
  spherize: 'spherizing',
  axes: 'the axes',
  column: 'the column searched',
  label_by: 'the column of the labels',
  color_by: 'the column of the colors',
  color_as: 'how colors are shown',
  hidden: 'the hidden classes',
  pointed: 'the point that distances are from',
  k: 'the number of neighbors',
  metric: 'the metric',
  thumbnails: 'the thumbnails',
  labels: 'the labels',
  names: 'the names on the map',
  contours: 'the contours',
  density: 'the density of all points',
  caption: 'the caption',
  layout: 'the layout',
  query: 'the search',
  isolated: 'the isolated points',
  selected: 'the selected points',
  placed: 'where the points lay',
  tags: 'the tags',
  camera: 'the place and zoom',
};

/** @param {string[]} keys of the state @returns {string} in words, one after another */
export function inWords(keys) {
  const words = keys.map((key) => (Object.hasOwn(WORDS, key) ? WORDS[key] : key.replaceAll('_', ' ')));
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${words.at(-1)}` : words.join('');
}
