/**
 * The numbers along an axis.
 *
 * @param {number} low @param {number} high the ends that are seen, in either order
 * @param {number} most about how many there is room for
 * @returns {{value: number, index: number, text: string}[]} multiples of 1, 2 or 5 times a power of ten; `index` is
 *   which multiple, so that every second one is the same one wherever the axis lies
 */
export function ticksOf(low, high, most) {
  const [from, to] = low < high ? [low, high] : [high, low];
  const span = to - from;
  if (!(span > 0) || !Number.isFinite(span) || most < 1) return [];
  const step = roundStep(span / most);
  const first = Math.ceil(from / step - 1e-9) + 0;
  const last = Math.floor(to / step + 1e-9);
  // So far in that the coordinates themselves are coarser: no numbers rather than wrong ones.
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || last - first > 2 * most + 2) return [];
  // One number alone is no scale.
  if (last <= first && most < 16) return ticksOf(low, high, 1.5 * most);
  const out = [];
  const write = writer(Math.max(Math.abs(first), Math.abs(last)) * step, step);
  for (let index = first; index <= last; index++) out.push({ value: index * step, index, text: write(index * step) });
  return out;
}

function roundStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((k) => k * power >= rough * (1 - 1e-9)) * power;
}

const MOST_DECIMALS = 4;
const FIXED = Array.from(
  { length: MOST_DECIMALS + 1 },
  (_, decimals) => new Intl.NumberFormat('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals }),
);
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const raised = (n) => (n < 0 ? '⁻' : '') + Array.from(String(Math.abs(n)), (digit) => SUPERSCRIPTS[digit]).join('');
const withMinus = (text) => text.replace('-', '−');

/** How all numbers of one axis are written: as many decimals as the step has, or one power of ten for all. */
function writer(largest, step) {
  const place = (x) => Math.floor(Math.log10(x) + 1e-9);
  const decimals = Math.max(0, -place(step));
  if (largest < 1e6 && decimals <= MOST_DECIMALS) {
    return (value) => withMinus(FIXED[decimals].format(value + 0));
  }
  const power = place(largest);
  const digits = Math.max(0, power - place(step));
  return (value) => (value === 0 ? '0' : withMinus(`${(value / 10 ** power).toFixed(digits)}×10${raised(power)}`));
}
