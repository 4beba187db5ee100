import { format } from '#js/dom.js';

/**
 * @import { Changes } from '#js/data/types.js'
 * @typedef {[name: string, value: string, title: string]} Told
 */

/** What the page says of a comparison's figures; docs/compare.md defines them. */

const FIRST_NAMES = 5;

const percent = (share) => `${format(Number((100 * share).toPrecision(3)))} %`;

/**
 * @param {Changes} changes
 * @returns {{headline: string, figures: Told[]}}
 */
export function changeFacts({ figures, n_compared, n_matched, matched_by }) {
  const { overlap10, overlap50 } = figures;
  const headline =
    overlap10 === null ? '' : `Of each point’s 10 nearest, ${format(Number((10 * overlap10).toPrecision(2)))} stayed.`;
  const shares = [
    ['10 nearest in common', overlap10, figures.overlap10_calibrated],
    ['50 nearest in common', overlap50, figures.overlap50_calibrated],
  ].flatMap(([name, share, calibrated]) => shareFacts(name, share, calibrated));
  const of = n_compared === n_matched ? format(n_matched) : `${format(n_compared)} of ${format(n_matched)}`;
  return {
    headline,
    figures: [
      ...shares,
      ...rankFacts(figures, 'rank', 'Median rank in B', 'of the 10 nearest in A'),
      ...rankFacts(figures, 'rank_back', 'Median rank in A', 'of the 10 nearest in B'),
      ['Points compared', of, `Matched by ${matched_by}`],
    ],
  };
}

/** @returns {Told[]} */
function shareFacts(name, share, calibrated) {
  if (share === null || share === undefined) return [];
  /** @type {Told[]} */
  const facts = [[name, percent(share), 'The mean share of the nearest neighbors that both sides have']];
  if (calibrated !== null && calibrated !== undefined)
    facts.push(['… calibrated', percent(calibrated), '0 for a random pairing of the points, 100 % for no change']);
  return facts;
}

/** @returns {Told[]} */
function rankFacts(figures, key, name, of) {
  const [median, low, high] = ['median', 'q1', 'q3'].map((part) => figures[`${key}_${part}`]);
  if (median === null || median === undefined) return [];
  const span = low === null || low === undefined ? '' : ` (${format(low)} to ${format(high)})`;
  return [[name, `${format(median)}${span}`, `The median rank ${of}, and its quartiles; 5.5 where nothing changed`]];
}

/** @param {Changes} changes @returns {string[]} which points only one side has */
export function onlySentences({ only_names: only, names }) {
  return ['a', 'b']
    .map((side, at) => sentence(only[side], `${side.toUpperCase()} (${names[at]})`))
    .filter((text) => text !== '');
}

function sentence(labels, side) {
  if (!labels.length) return '';
  const rest = labels.length - FIRST_NAMES;
  const some = labels.slice(0, FIRST_NAMES).join(', ');
  const count = labels.length === 1 ? '1 point' : `${format(labels.length)} points`;
  return `Only ${side} has ${count}, left out: ${some}${rest > 0 ? ` and ${format(rest)} more` : ''}.`;
}

/** @param {import('#js/data/types.js').Page} page @returns {string[]} how two states are read, of a comparison */
export function compareWords({ changes, steps }) {
  if (steps?.kind !== 'comparison') return [];
  const [a, b] = steps.names;
  return [
    `A is ${a}, B is ${b}. Both maps have one camera, and one selection: the same place on the screen is the same ` +
      'place in both. A map says where points lie, not what changed: that is measured among the neighbors in the ' +
      'original spaces, which need neither the same width nor the same directions.',
    'A neighbor has stayed (=) where it is among the nearest on both sides, left (−) where only A has it, and come ' +
      '(+) where only B has it. The number beside it is its rank on the other side.',
    ...(changes ? onlySentences(changes) : []),
  ];
}
