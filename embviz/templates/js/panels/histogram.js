import { h, setText } from '#js/dom.js';

/**
 * Bars of counts to brush: a drag over them, or Shift with an arrow or a click, takes a range; without Shift one bar.
 *
 * @param {{label: string, names: string[], brush: (low: number, high: number, event: any) => void}} options names of
 *   the bars, as they are read
 */
export function createHistogram({ label, names, brush }) {
  /** @type {Int32Array | null} */
  let counts = null;
  /** Where a drag, or a range that Shift makes longer, began. */
  let anchor = -1;
  let isHeld = false;
  /** @type {[number, number] | null} */
  let range = null;
  const bars = names.map((_, at) =>
    h(
      'button.bar-column',
      { type: 'button', tabIndex: at === 0 ? 0 : -1 },
      h('span.bar-count'),
      h('span.bar-body'),
      h('span.bar-name', {}, String(at)),
    ),
  );
  const told = h('p.hint', { attributes: { role: 'status' } });
  const element = h(
    'div.histogram',
    {
      attributes: { role: 'group' },
      aria: { label },
      on: { pointerdown: press, pointermove: drag, pointerup: release, pointercancel: release, keydown: onKey },
    },
    ...bars,
  );

  const barAt = ({ clientX }) => {
    const { left, width } = element.getBoundingClientRect();
    return Math.min(bars.length - 1, Math.max(0, Math.floor(((clientX - left) / width) * bars.length)));
  };

  function take(at, event) {
    if (!event.shiftKey && !isHeld) anchor = at;
    if (anchor < 0) anchor = at;
    brush(Math.min(anchor, at), Math.max(anchor, at), event);
  }

  function press(event) {
    if (event.button !== 0) return;
    const at = barAt(event);
    if (!event.shiftKey) anchor = at;
    isHeld = true;
    element.setPointerCapture(event.pointerId);
    bars[at].focus({ preventScroll: true });
    take(at, event);
    event.preventDefault();
  }

  function drag(event) {
    if (isHeld && event.buttons) take(barAt(event), event);
  }

  function release() {
    isHeld = false;
  }

  function onKey(event) {
    const at = bars.indexOf(event.target);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: bars.length - 1 }[event.key];
    if (to !== undefined && bars[to]) {
      if (event.shiftKey && anchor < 0) anchor = at;
      focus(to);
      if (event.shiftKey) take(to, event);
    } else if (event.key === 'Enter' || event.key === ' ') take(at, event);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function focus(at) {
    bars.forEach((bar, i) => (bar.tabIndex = i === at ? 0 : -1));
    bars[at].focus({ preventScroll: true });
  }

  return {
    element: h('div', {}, element, told),
    /** @param {Int32Array} now @param {[number, number] | null} taken the bars that are brushed @param {string} text */
    render(now, taken, text) {
      setText(told, text);
      if (now !== counts) {
        counts = now;
        const most = Math.max(1, ...now);
        bars.forEach((bar, at) => {
          bar.style.setProperty('--part', String(now[at] / most));
          bar.title = `${names[at]}: ${now[at].toLocaleString('en')} points`;
          bar.setAttribute('aria-label', bar.title);
          setText(bar.firstElementChild, now[at] ? compact(now[at]) : '');
        });
      }
      range = taken;
      if (!range && !isHeld) anchor = -1;
      bars.forEach((bar, at) => bar.setAttribute('aria-pressed', String(isIn(range, at))));
    },
  };
}

const isIn = (range, at) => range !== null && at >= range[0] && at <= range[1];

/** @returns {string} a count in at most four characters */
function compact(count) {
  if (count < 1000) return String(count);
  const [size, unit] = count < 999_500 ? [count / 1e3, 'k'] : [count / 1e6, 'M'];
  return `${size < 9.95 ? size.toFixed(1) : Math.round(size)}${unit}`;
}
