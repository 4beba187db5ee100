import { format, h } from '#js/dom.js';
import { LETTERS } from '#js/state/sides.js';

/** @import { Legend } from '#js/drawing/types.js' */

/**
 * The legend of distances from one point: of a comparison whose sides have their own, one of each.
 *
 * @param {Legend[]} legends @returns {HTMLElement[]}
 */
export function drawDistances(view, legends) {
  const [{ row }] = legends;
  const { metric } = view.get();
  const kind = metric === 'cosine' ? 'cosine' : 'Euclidean';
  const what =
    legends[0].by === 'rank' ? `Rank by ${kind} distance` : `${kind[0].toUpperCase()}${kind.slice(1)} distance`;
  const from = `${what} in the original space from `;
  const name = row < 0 ? 'the point under the pointer' : h('strong', { dir: 'auto' }, view.label(row));
  return [
    h('p.hint.from', {}, from, name),
    ...legends.flatMap((legend, side) => [
      legends.length > 1 ? h('h3', {}, LETTERS[side]) : null,
      ...(row >= 0 && legend.count ? drawScale(legend) : []),
      legend.told ? h('p.hint', {}, legend.told) : null,
    ]),
  ].filter(Boolean);
}

/** @param {Legend} legend */
function drawScale({ by, low, high, isCut, stops }) {
  const [first, last] = by === 'rank' ? [nth(low), nth(high)] : [short(low), `${short(high)}${isCut ? '+' : ''}`];
  const bar = h('div.gradient', {
    attributes: { role: 'img' },
    aria: { label: `From ${first}, ${by === 'rank' ? 'by the logarithm of the rank ' : ''}to ${last}` },
  });
  bar.style.background = `linear-gradient(to right, ${stops.join(', ')})`;
  const middle = by === 'rank' && high > 100 ? h('span', {}, nth(Math.round(Math.sqrt(high)))) : null;
  return [bar, h('div.ends', {}, h('span', {}, first), middle, first === last ? null : h('span', {}, last))];
}

const short = (x) => format(Number(x.toPrecision(3)));

function nth(rank) {
  if (rank === 1) return 'nearest';
  const isTeen = Math.floor((rank % 100) / 10) === 1;
  return `${format(rank)}${(!isTeen && ['th', 'st', 'nd', 'rd'][rank % 10]) || 'th'}`;
}
