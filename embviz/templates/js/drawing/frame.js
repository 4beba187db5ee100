import { hex, rgb } from '#js/drawing/color.js';

/**
 * What stands around a saved picture, so that it can be read away from its page: a title, what is shown, the legend,
 * and a bar that tells how long a distance is where there are no axes. Lengths are CSS pixels; `context` is a canvas's,
 * or what stands for one (svg.js).
 *
 * @typedef {{text: string, muted: string}} Chrome the page's own colors
 * @typedef {{heading: string, entries?: {name: string, count: string, color: string}[], bar?: {stops: string[], ends:
 *   string[]}, square?: {colors: string[], high: string}, notes?: string[]}} Key of the colors
 * @typedef {{title: string, subtitle: string, key: Key | null, perUnit: number | null, chrome: Chrome}} Frame
 *   `perUnit`: how many pixels long a unit of the coordinates is, null where axes say so or nothing can
 */

const FAMILY = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
const EDGE = 16;
const HEAD = 56;
const FOOT = 32;
const KEY_WIDTHS = [208, 320];
/** About what a letter takes, and what stands beside a name. */
const LETTER = 6.5;
const BESIDE = 104;
const LINE = 18;
const BAR_LENGTH = 120;
/** A gradient is as many boxes, which every reader of SVG knows. */
const SLICES = 64;

/**
 * @param {{width: number, height: number}} size of the picture itself @param {Frame} frame
 * @returns {{width: number, height: number, left: number, top: number, draw: (context: any) => void}} the sheet, where
 *   the picture begins in it, and what draws the rest
 */
export function framed({ width, height }, frame) {
  const room = frame.key ? roomFor(frame.key) : 0;
  const sheet = {
    width: width + room,
    height: height + HEAD + (frame.perUnit === null ? 0 : FOOT),
    left: 0,
    top: HEAD,
  };
  return {
    ...sheet,
    draw(context) {
      const pen = createPen(context, frame.chrome);
      pen.text(frame.title, EDGE, 24, { weight: '600', size: 15, most: sheet.width - 2 * EDGE });
      pen.text(frame.subtitle, EDGE, 44, { color: frame.chrome.muted, most: sheet.width - 2 * EDGE });
      if (frame.key)
        drawKey(pen, frame.key, { x: width + 8, y: HEAD + 12, width: room - 8 - EDGE, bottom: HEAD + height - 8 });
      if (frame.perUnit !== null) drawScale(pen, frame.perUnit, { x: EDGE, y: HEAD + height + 12, most: width / 3 });
    },
  };
}

/** @param {Key} key @returns {number} the width that its names ask for, within bounds */
function roomFor({ heading, entries = [], notes = [] }) {
  const longest = Math.max(
    heading.length,
    ...entries.map(({ name }) => name.length),
    ...notes.map((text) => text.length),
  );
  return Math.min(KEY_WIDTHS[1], Math.max(KEY_WIDTHS[0], Math.round(LETTER * longest + BESIDE)));
}

function createPen(context, chrome) {
  const plain = (text) => String(text).replace(/\s+/g, ' ');
  /** Names that begin alike often end otherwise: of these both ends are kept. */
  function cut(text, most, both) {
    if (context.measureText(text).width <= most) return text;
    const letters = Array.from(text);
    const part = (n) => {
      const end = both ? Math.floor(n / 2) : 0;
      return `${letters.slice(0, n - end).join('')}…${letters.slice(letters.length - end).join('')}`;
    };
    let [low, high] = [0, letters.length];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (context.measureText(part(middle)).width <= most) low = middle;
      else high = middle - 1;
    }
    return part(low);
  }
  return {
    chrome,
    text(text, x, y, look = {}) {
      const { weight = '400', size = 12, color = chrome.text, most = Infinity, align = 'left', both = false } = look;
      context.font = `${weight} ${size}px ${FAMILY}`;
      context.fillStyle = color;
      context.textAlign = align;
      context.textBaseline = 'alphabetic';
      const shown = cut(plain(text), most, both);
      if (shown.trim() !== '') context.fillText(shown, x, y);
      return context.measureText(shown).width;
    },
    box(x, y, width, height, color) {
      context.fillStyle = color;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + width, y);
      context.lineTo(x + width, y + height);
      context.lineTo(x, y + height);
      context.closePath();
      context.fill();
    },
    dot(x, y, r, color) {
      context.fillStyle = color;
      context.beginPath();
      context.arc(x, y, r, 0, 2 * Math.PI);
      context.fill();
    },
  };
}

/** @param {Key} key */
function drawKey(pen, key, { x, y, width, bottom }) {
  const { muted } = pen.chrome;
  let at = y + 4;
  pen.text(key.heading, x, at, { weight: '600', most: width });
  at += LINE + 2;
  if (key.bar) {
    const { stops, ends } = key.bar;
    const slice = width / SLICES;
    for (let i = 0; i < SLICES; i++) pen.box(x + i * slice, at - 10, slice + 0.5, 10, between(stops, i / (SLICES - 1)));
    at += LINE;
    ends.forEach((text, i) => {
      const part = ends.length > 1 ? i / (ends.length - 1) : 0;
      const align = part === 0 ? 'left' : part === 1 ? 'right' : 'center';
      pen.text(text, x + part * width, at - 2, { color: muted, align, most: width / ends.length });
    });
    at += LINE;
  }
  if (key.square) at = drawSquare(pen, key.square, x, at);
  const { entries = [], notes = [] } = key;
  const room = Math.max(1, Math.floor((bottom - at) / LINE) - notes.length);
  const shown = entries.length <= room ? entries : entries.slice(0, room - 1);
  for (const { name, count, color } of shown) {
    pen.dot(x + 5, at - 4, 5, color);
    const taken = pen.text(count, x + width, at, { color: muted, align: 'right' });
    pen.text(name, x + 18, at, { most: width - 18 - taken - 12, both: true });
    at += LINE;
  }
  const left = entries.length - shown.length;
  for (const note of [...(left ? [`and ${left.toLocaleString('en')} more`] : []), ...notes]) {
    pen.text(note, x, at, { color: muted, most: width });
    at += LINE;
  }
}

/** @returns {string} the color at a part of a gradient */
function between(stops, part) {
  const at = part * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(at));
  const [from, to] = [rgb(stops[low]), rgb(stops[low + 1])];
  return hex(from.map((x, i) => Math.round(x + (to[i] - x) * (at - low))));
}

/** Colors of two things at once: to the right the one, upwards the other. */
function drawSquare(pen, { colors, high }, x, y) {
  const steps = Math.round(Math.sqrt(colors.length));
  const side = 20;
  const { muted: color } = pen.chrome;
  pen.text(`missing, up to ${high}`, x, y, { color });
  colors.forEach((shade, i) =>
    pen.box(x + (i % steps) * (side + 1), y + 8 + (steps - 1 - Math.floor(i / steps)) * (side + 1), side, side, shade),
  );
  const bottom = y + 8 + steps * (side + 1) + 12;
  pen.text(`false, to the right up to ${high}`, x, bottom, { color });
  return bottom + LINE + 4;
}

/** A bar of a round length. */
function drawScale(pen, perUnit, { x, y, most }) {
  const rough = Math.min(BAR_LENGTH, most) / perUnit;
  const power = 10 ** Math.floor(Math.log10(rough));
  const units = [5, 2, 1].find((k) => k * power <= rough * (1 + 1e-9)) * power;
  const length = units * perUnit;
  const { text, muted } = pen.chrome;
  pen.box(x, y, length, 1.5, text);
  for (const end of [x, x + length - 1.5]) pen.box(end, y - 3, 1.5, 7.5, text);
  const size =
    units >= 1e6 || units < 1e-4 ? units.toExponential(0) : Number(units.toPrecision(1)).toLocaleString('en');
  pen.text(`${size === '1' ? '1 unit' : `${size} units`} of the coordinates`, x + length + 8, y + 5, { color: muted });
}
