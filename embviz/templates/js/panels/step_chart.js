import { h, setText, svg } from '#js/dom.js';

/** @import { Steps } from '#js/data/types.js' */

const WIDTH = 1000;
const HEIGHT = 100;
const percent = (share) => (share === null || share === undefined ? '–' : `${Math.round(100 * share)} %`);

/**
 * How many neighbors the points keep: a bar a step with the share in common with the step before, a line with the
 * last one's.
 *
 * @param {Steps} steps @param {(step: number) => void} choose
 * @returns {{element: HTMLElement, told: HTMLElement, render: (step: number) => void} | null} null where nothing was
 *   measured
 */
export function createStepChart({ names, figures }, choose) {
  const previous = figures.kept_from_previous ?? [];
  const final = figures.kept_of_last ?? [];
  const last = names.length - 1;
  if (last < 2 || ![...previous, ...final].some((x) => typeof x === 'number')) return null;
  let pointed = -1;
  let shown = last;
  const cursor = h('div.steps-cursor');
  const picture = h(
    'div.steps-chart',
    {
      attributes: { role: 'img' },
      aria: { label: inWords(names, previous, final) },
      on: {
        pointermove: (event) => point(stepUnder(event)),
        pointerleave: () => point(-1),
        click: (event) => choose(stepUnder(event)),
      },
    },
    drawn(previous, final, last),
    cursor,
  );
  const values = { previous: h('b'), final: h('b') };
  const told = h(
    'p.steps-told',
    {},
    h('span.steps-at'),
    h('span', {}, h('i.key-bar'), 'kept from the step before ', values.previous),
    h('span', {}, h('i.key-line'), `kept of ${names[last]} `, values.final),
  );

  function stepUnder({ clientX }) {
    const { left, width } = picture.getBoundingClientRect();
    return Math.min(last, Math.max(0, Math.round(((clientX - left) / width) * last)));
  }

  function point(step) {
    pointed = step;
    draw();
  }

  function draw() {
    const i = pointed < 0 ? Math.round(shown) : pointed;
    setText(told.firstElementChild, `Neighbors at ${names[i]}`);
    setText(values.previous, percent(previous[i]));
    setText(values.final, percent(final[i]));
    cursor.style.setProperty('--at', String((pointed < 0 ? shown : pointed) / last));
  }

  return {
    element: picture,
    told,
    render(step) {
      shown = step;
      draw();
    },
  };
}

/** Bars and the line, in a box that is stretched to the slider's width. */
function drawn(previous, final, last) {
  const x = (i) => (WIDTH * i) / last;
  const y = (share) => HEIGHT * (1 - share);
  const width = Math.min(20, (0.5 * WIDTH) / last);
  const bars = previous.flatMap((share, i) =>
    typeof share === 'number'
      ? [svg('rect', { class: 'bar', x: x(i) - width / 2, y: y(share), width, height: HEIGHT * share })]
      : [],
  );
  const places = final.flatMap((share, i) => (typeof share === 'number' ? [`${x(i)},${y(share)}`] : []));
  return svg(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    ...[0, 0.5, 1].map((share) => svg('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y(share), y2: y(share) })),
    ...bars,
    svg('polyline', { class: 'line', points: places.join(' ') }),
  );
}

/** The chart for those who do not see it. */
function inWords(names, previous, final) {
  const each = names.map((name, i) => `${name}: ${percent(previous[i])} and ${percent(final[i])}`);
  return (
    'The share of the 10 nearest neighbors that each step has in common with the step before, and with the last: ' +
    each.join('; ')
  );
}
