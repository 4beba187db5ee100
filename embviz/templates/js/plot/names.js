import { project2, projectPoint, TOOLS_HEIGHT } from '#js/drawing/camera.js';
import { nameLines, orderNames, placeGroup, placeNames } from '#js/drawing/names.js';
import { FONT } from '#js/plot/marks.js';

/**
 * @import { Area } from '#js/drawing/types.js'
 * @import { Chrome, Group, Spec } from '#js/plot/types.js'
 * @typedef {{group: Group, lines: string[], font: string, box: number[]}} DrawnName
 * @typedef {ReturnType<typeof createNames>} Names
 */

/** Names of groups over the points: chosen for each view, drawn above all that was, and found under the pointer. */

/** Of the coarsest level, the next, and all finer ones: the font's size and the height of a line. */
const SIZES = [
  [16, 20],
  [13, 16],
  [12, 15],
];
const HALO = 4.5;
const LEAST_TARGET = 28;
const FADE_MS = 150;
const MOST_MEASURED = 5000;

export function createNames() {
  const names = {
    /** @type {DrawnName[]} */
    shown: [],
    /** @type {Map<string, number>} when each of them came */
    since: new Map(),
    places: { of: [], found: [] },
    widths: new Map(),
    isAwaited: false,
  };
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
  return {
    /**
     * Choose the names for a view; while it moves, those that are there stay as long as they have room.
     *
     * @param {any} context @param {Spec} spec @param {number[][]} taken boxes of what else is written
     * @param {boolean} moving
     */
    choose: (context, spec, taken, moving) => choose(names, context, spec, taken, moving),
    /** @returns {number[][]} boxes of those that are drawn */
    boxes: () => names.shown.map(({ box }) => box),
    /** @returns {DrawnName[]} */
    shown: () => names.shown,
    /** @param {number[]} at @returns {Group | null} whose name is there */
    at: ([x, y]) => names.shown.find(({ box }) => isOver(box, x, y))?.group ?? null,
    /** @param {any} context of a canvas, or what stands for one @param {Chrome} chrome */
    draw(context, chrome) {
      for (const name of names.shown) drawName(context, name, chrome);
    },
    /**
     * Draw them as they come: they fade in, unless the system asks for less motion.
     *
     * @param {any} context @param {Chrome} chrome @param {() => void} again draws once more
     */
    show(context, chrome, again) {
      const now = calm.matches ? Infinity : performance.now();
      let fades = false;
      for (const name of names.shown) {
        const part = Math.min(1, (now - names.since.get(name.group.key)) / FADE_MS);
        fades ||= part < 1;
        context.globalAlpha = Math.max(0, part);
        drawName(context, name, chrome);
      }
      context.globalAlpha = 1;
      if (!fades || names.isAwaited) return;
      names.isAwaited = true;
      requestAnimationFrame(() => {
        names.isAwaited = false;
        again();
      });
    },
  };
}

function choose(names, context, spec, taken, moving) {
  const { style, scene, area } = spec;
  const groups = style.groups ?? [];
  const places = groups.length ? placesOf(names, scene, groups) : [];
  const before = new Set(names.shown.map(({ group }) => group.key));
  const wanted = [];
  groups.forEach((group, i) => {
    const seen = places[i] && seenAt(spec, places[i]);
    if (!seen || !isInside(seen, area)) return;
    wanted.push({ ...seen, ...measured(names, context, group), group });
  });
  const order = orderNames(wanted, area);
  if (moving) order.sort((a, b) => Number(before.has(wanted[b].group.key)) - Number(before.has(wanted[a].group.key)));
  const boxes = placeNames(wanted, order, boundsOf(area), taken);
  const now = performance.now();
  names.shown = wanted.flatMap(({ group, lines, font }, i) =>
    boxes[i] ? [{ group, lines, font, box: boxes[i] }] : [],
  );
  names.since = new Map(names.shown.map(({ group: { key } }) => [key, names.since.get(key) ?? now]));
}

/** Where each name stands in the map: found once for the points that are shown and their places. */
function placesOf({ places }, { coordinates, dims }, groups) {
  const of = [coordinates, dims, groups];
  if (of.some((x, i) => x !== places.of[i])) {
    places.of = of;
    places.found = groups.map(({ rows }) => placeGroup(coordinates, dims, rows));
  }
  return places.found;
}

/** @param {Spec} spec @param {{at: number[], reach: number[]}} place */
function seenAt({ scene: { dims }, transform, area }, { at, reach }) {
  if (dims === 2) {
    const xy = new Float32Array(2);
    project2(Float32Array.from(at), 1, transform, xy);
    return { x: xy[0], y: xy[1], dx: Math.abs(transform.kx) * reach[0], dy: Math.abs(transform.ky) * reach[1] };
  }
  const [x, y] = projectPoint(at, transform, area);
  const ends = reach.map((r, j) =>
    projectPoint(
      at.map((c, i) => (i === j ? c + r : c)),
      transform,
      area,
    ),
  );
  return { x, y, dx: Math.hypot(...ends.map((end) => end[0] - x)), dy: Math.hypot(...ends.map((end) => end[1] - y)) };
}

/** @param {{x: number, y: number, dx: number, dy: number}} seen @param {Area} area */
const isInside = ({ x, y, dx, dy }, { left, top, width, height }) =>
  x >= left && x <= left + width && y >= top && y <= top + height && Number.isFinite(dx + dy);

/** Names keep clear of the tools above the points. @param {Area} area */
function boundsOf({ left, top, width, height }) {
  const upper = Math.max(top, TOOLS_HEIGHT);
  return { left: left + 2, top: upper, width: width - 4, height: top + height - upper };
}

/** Short names are pointed at in a square that a finger finds. */
function isOver(box, x, y) {
  const [left, top, right, bottom] = box;
  const aside = Math.max(0, (LEAST_TARGET - (right - left)) / 2);
  const above = Math.max(0, (LEAST_TARGET - (bottom - top)) / 2);
  return x >= left - aside && x <= right + aside && y >= top - above && y <= bottom + above;
}

/** @param {any} names @param {any} context @param {Group} group */
function measured({ widths }, context, { text, level, finest, size }) {
  const [points, line] = SIZES[Math.min(level, SIZES.length - 1)];
  const font = `600 ${FONT.replace('12px', `${points}px`)}`;
  const lines = nameLines(text);
  const key = `${level} ${text}`;
  if (!widths.has(key)) {
    if (widths.size > MOST_MEASURED) widths.clear();
    context.font = font;
    widths.set(key, Math.max(...lines.map((each) => context.measureText(each).width)));
  }
  return { text, level, finest, size, lines, font, width: widths.get(key), height: line * lines.length };
}

/** @param {any} context @param {DrawnName} name @param {Chrome} chrome */
function drawName(context, { lines, font, box }, chrome) {
  context.font = font;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  const [left, top, right, bottom] = box;
  const line = (bottom - top) / lines.length;
  const each = (write) => lines.forEach((text, i) => write(text, (left + right) / 2, top + line * (i + 0.5)));
  context.strokeStyle = chrome.background;
  context.lineJoin = 'round';
  context.lineWidth = HALO;
  // The ground of one line does not cover the letters of another.
  each((...at) => context.strokeText(...at));
  context.fillStyle = chrome.text;
  each((...at) => context.fillText(...at));
}
