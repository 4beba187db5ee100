/** @import { Area } from '#js/drawing/types.js' */

/**
 * SVG text. `createSvgContext` is what plot_marks.js draws on in place of a canvas, so that axes, labels and plates are
 * the same in both. All lengths are CSS pixels.
 */

/** @returns {string} text for an element or a quoted attribute */
export const escapeXml = (value) =>
  String(value)
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c]);

/** @returns {string} a number in few digits */
export const short = (x) => String(Math.round(x * 100) / 100);

/** @returns {string} an element; attributes that are undefined are left out */
export function element(name, attributes, children = null) {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? short(value) : escapeXml(value)}"`)
    .join('');
  return children === null ? `<${name}${written}/>` : `<${name}${written}>${children}</${name}>`;
}

const STYLES = [
  'font',
  'fillStyle',
  'strokeStyle',
  'lineWidth',
  'lineJoin',
  'lineCap',
  'textAlign',
  'textBaseline',
  'globalAlpha',
];
const ANCHORS = { left: 'start', center: 'middle', right: 'end' };
/**
 * What a middle or top baseline is below the alphabetic one, in parts of the font's size; every reader of SVG knows
 * that one.
 */
const SHIFT = { middle: 0.35, top: 0.8, alphabetic: 0 };

/**
 * @param {(font: string, text: string) => number} measure the width of a text
 * @param {(color: string) => string} [paint] a color as every reader of SVG knows it
 * @returns {any} the part of CanvasRenderingContext2D that plot/marks.js and plot/grid.js use, and `parts`, the
 *   elements drawn
 */
export function createSvgContext(measure, paint = (color) => color) {
  const parts = [];
  let path = '';
  let transform = '';
  const saved = [];
  const context = {
    parts,
    font: '12px sans-serif',
    fillStyle: '#000',
    strokeStyle: '#000',
    lineWidth: 1,
    lineJoin: 'miter',
    textAlign: 'left',
    textBaseline: 'alphabetic',
    globalAlpha: 1,
    save() {
      saved.push({ transform, ...Object.fromEntries(STYLES.map((key) => [key, context[key]])) });
    },
    restore() {
      const { transform: before = '', ...styles } = saved.pop() ?? {};
      transform = before;
      Object.assign(context, styles);
    },
    translate(x, y) {
      transform += `translate(${short(x)} ${short(y)})`;
    },
    rotate(angle) {
      transform += `rotate(${short((angle * 180) / Math.PI)})`;
    },
    beginPath() {
      path = '';
    },
    moveTo(x, y) {
      path += `M${short(x)} ${short(y)}`;
    },
    lineTo(x, y) {
      path += `L${short(x)} ${short(y)}`;
    },
    closePath() {
      path += 'Z';
    },
    arc(x, y, r) {
      const half = (across) => `a${short(r)} ${short(r)} 0 1 0 ${short(across)} 0`;
      path += `M${short(x - r)} ${short(y)}${half(2 * r)}${half(-2 * r)}Z`;
    },
    roundRect(x, y, width, height, r) {
      const [w, v] = [width - 2 * r, height - 2 * r].map(short);
      const corner = (dx, dy) => `a${r} ${r} 0 0 1 ${dx} ${dy}`;
      path += `M${short(x + r)} ${short(y)}h${w}${corner(r, r)}v${v}${corner(-r, r)}`;
      path += `h-${w}${corner(-r, -r)}v-${v}${corner(r, -r)}Z`;
    },
    fill() {
      put('path', { d: path, fill: paint(context.fillStyle) });
    },
    stroke() {
      put('path', {
        d: path,
        fill: 'none',
        stroke: paint(context.strokeStyle),
        'stroke-width': context.lineWidth,
        'stroke-linejoin': context.lineJoin === 'miter' ? undefined : context.lineJoin,
      });
    },
    measureText: (text) => ({ width: measure(context.font, text) }),
    fillText(text, x, y) {
      write(text, x, y, { fill: paint(context.fillStyle) });
    },
    strokeText(text, x, y) {
      write(text, x, y, {
        fill: 'none',
        stroke: paint(context.strokeStyle),
        'stroke-width': context.lineWidth,
        'stroke-linejoin': context.lineJoin,
      });
    },
    drawImage(canvas, x, y, width, height) {
      put('image', { href: canvas.toDataURL(), x, y, width, height, preserveAspectRatio: 'none' });
    },
  };
  const shared = () => ({
    opacity: context.globalAlpha === 1 ? undefined : context.globalAlpha,
    transform: transform || undefined,
  });
  const put = (name, attributes) => parts.push(element(name, { ...attributes, ...shared() }));
  function write(text, x, y, look) {
    const [, weight, size, family] = /^(?:(\S+) )?([\d.]+)px (.*)$/.exec(context.font);
    const down = Number(size) * (SHIFT[context.textBaseline] ?? 0);
    parts.push(
      element(
        'text',
        {
          x,
          y: y + down,
          ...look,
          'font-family': family,
          'font-size': Number(size),
          'font-weight': weight,
          'text-anchor': ANCHORS[context.textAlign],
          ...shared(),
        },
        escapeXml(text),
      ),
    );
  }
  return context;
}

/** Above this many, discs of one color are one path. */
const MOST_CIRCLES = 20000;

/**
 * Discs in the order given.
 *
 * @param {Int32Array} rows far to near @param {Float32Array} xy (n, 2)
 * @param {(row: number) => string} color #rrggbb
 * @returns {string}
 */
export function discs(rows, xy, color, { radius, opacity }) {
  const isThere = (row) => !Number.isNaN(xy[2 * row]);
  const group = (children) => element('g', { 'fill-opacity': opacity, 'stroke-opacity': opacity }, children.join(''));
  if (rows.length <= MOST_CIRCLES) {
    return group(
      Array.from(rows)
        .filter(isThere)
        .map((row) => {
          const [cx, cy] = [short(xy[2 * row]), short(xy[2 * row + 1])];
          return `<circle cx="${cx}" cy="${cy}" r="${short(radius)}" fill="${color(row)}"/>`;
        }),
    );
  }
  const pen = `stroke-width="${short(2 * radius)}" stroke-linecap="round" fill="none"`;
  const paths = new Map();
  for (const row of rows) {
    if (!isThere(row)) continue;
    const key = color(row);
    if (!paths.has(key)) paths.set(key, []);
    paths.get(key).push(`M${short(xy[2 * row])} ${short(xy[2 * row + 1])}h0`);
  }
  return group([...paths].map(([key, steps]) => `<path d="${steps.join('')}" stroke="${key}" ${pen}/>`));
}

/**
 * Thumbnails: places in one picture that holds them all.
 *
 * @param {{href: string, width: number, height: number, tile: {width, height}, size: {width, height}}} sheet the
 *   picture, its tiles in its pixels, and their size on the screen
 * @param {{tiles: {x: number, y: number, at: number[], frame: string | null}[], opacity: number}[]} groups middles on
 *   the screen and corners in the picture
 * @returns {string}
 */
export function thumbnails({ href, width, height, tile, size }, groups) {
  const image = element('defs', {}, element('image', { id: 'sheet', href, width, height }));
  return (
    image +
    groups
      .map(({ tiles, opacity }) =>
        element(
          'g',
          { opacity },
          tiles
            .map(({ x, y, at, frame }) => {
              const place = { x: x - size.width / 2, y: y - size.height / 2, width: size.width, height: size.height };
              const picture = element(
                'svg',
                { ...place, viewBox: `${at[0]} ${at[1]} ${tile.width} ${tile.height}`, preserveAspectRatio: 'none' },
                '<use href="#sheet"/>',
              );
              return frame
                ? picture + element('rect', { ...place, fill: 'none', stroke: frame, 'stroke-width': 1.25 })
                : picture;
            })
            .join(''),
        ),
      )
      .join('')
  );
}

/**
 * @param {{width: number, height: number, title: string, background: string, around?: string[]}} sheet `around`: what
 *   stands around the pictures
 * @param {{left: number, top: number, clip: Area, layers: {parts: string[], clipped?: boolean}[]}[]} panes pictures,
 *   with where they begin in the sheet
 * @returns {string} the file
 */
export function svgDocument({ width, height, title, background, around = [] }, panes) {
  const id = (at) => (at ? `area-${at}` : 'area');
  const frames = panes.map(({ clip }, at) =>
    element(
      'clipPath',
      { id: id(at) },
      element('rect', { x: clip.left, y: clip.top, width: clip.width, height: clip.height }),
    ),
  );
  const drawn = panes.map(({ left, top, layers }, at) => {
    const groups = layers.map(({ parts, clipped }) =>
      element('g', { 'clip-path': clipped ? `url(#${id(at)})` : undefined }, parts.join('')),
    );
    const moved = left || top ? `translate(${short(left)} ${short(top)})` : '';
    return moved ? element('g', { transform: moved }, groups.join('\n')) : groups.join('\n');
  });
  const body = [...drawn, ...(around.length ? [element('g', {}, around.join(''))] : [])].join('\n');
  const ground = element('rect', { width, height, fill: background });
  const head = [element('title', {}, escapeXml(title)), element('defs', {}, frames.join('')), ground];
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${short(width)} ${short(height)}` },
    `\n${[...head, body].join('\n')}\n`,
  )}\n`;
}
