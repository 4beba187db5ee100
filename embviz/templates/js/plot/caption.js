import { h } from '#js/dom.js';
import { FONT } from '#js/plot/marks.js';

/** @import { Foot, Spec } from '#js/plot/types.js' */

/** What may be read from the picture, in a strip of its own below the points, which are never covered. */

const SMALL = FONT.replace('12px', '11px');
const LINE = 14;
const EDGE = 16;
/** Of a plot that is so low that the strip would take more than this part of it, it is left out. */
const MOST = 0.25;
/** @type {Foot} */
const NONE = { height: 0, lines: [] };

/**
 * @param {string} text @param {number} width @param {(text: string) => number} measure
 * @returns {string[]} lines that are no wider, but where a word is
 */
export function brokenLines(text, width, measure) {
  const lines = [];
  for (const word of text.split(' ').filter(Boolean)) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && measure(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

let probe = null;

/**
 * The strip that a caption needs. Plots that are seen by one camera have strips of one height.
 *
 * @param {{caption: string, captions: string}} style `captions` of all plots, a line each
 * @param {number} width @param {number} height of the host
 * @returns {Foot}
 */
export function footOf({ caption, captions }, width, height) {
  if (!captions) return NONE;
  probe ??= h('canvas').getContext('2d');
  probe.font = SMALL;
  const broken = (text) => brokenLines(text, width - 2 * EDGE, (part) => probe.measureText(part).width);
  const most = Math.max(...captions.split('\n').map((text) => broken(text).length));
  const needed = most * LINE + 8;
  return most === 0 || needed > MOST * height ? NONE : { height: needed, lines: broken(caption) };
}

/** @param {any} context of a canvas, or what stands for one @param {Spec} spec */
export function drawCaption(context, { style: { chrome }, foot, height }) {
  context.font = SMALL;
  context.fillStyle = chrome.muted;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  foot.lines.forEach((line, i) => context.fillText(line, EDGE, height - foot.height + 2 + LINE * (i + 0.5)));
}
