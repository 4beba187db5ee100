import { h } from '#js/dom.js';

/** @import { Picture } from '#js/drawing/types.js' */

const REST_MS = 120;
const FILL = { position: 'absolute', inset: '0', width: '100%', height: '100%' };

/** @typedef {ReturnType<typeof createSurface>} Surface */

/** The Plotly div, the canvas on screen, and one behind it that keeps all but what follows the pointer. */
export function createSurface(host) {
  const div = h('div.plot-axes', { style: FILL });
  const canvas = h('canvas.plot-points', { style: { ...FILL, 'pointer-events': 'none' }, aria: { hidden: 'true' } });
  const back = h('canvas');
  host.append(div, canvas);
  let ratio = 1;
  const context = canvas.getContext('2d');
  const behind = back.getContext('2d');
  return {
    div,
    canvas,
    /**
     * @param {Picture} picture
     * @param {{below: (context) => void, above: (context) => void}} draw under and over it, in CSS pixels
     */
    put(picture, { below, above }) {
      ratio = picture.scale;
      for (const target of [canvas, back]) {
        if (target.width !== picture.width) target.width = picture.width;
        if (target.height !== picture.height) target.height = picture.height;
      }
      behind.setTransform(1, 0, 0, 1, 0, 0);
      behind.putImageData(imageOf(picture), 0, 0);
      behind.setTransform(ratio, 0, 0, ratio, 0, 0);
      behind.globalCompositeOperation = 'destination-over';
      below(behind);
      behind.globalCompositeOperation = 'source-over';
      above(behind);
    },
    /** Show what was put, and over it what `decorate` draws. */
    compose(decorate) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.drawImage(back, 0, 0);
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      decorate(context, ratio);
    },
  };
}

/** @returns {ImageData} of a picture, without a copy */
export const imageOf = ({ bytes, width, height }) => new ImageData(bytes, width, height);

/** @typedef {ReturnType<typeof createFrames>} Timing */

/**
 * When to draw: at once while Plotly moves, else once before the next paint, and finely once things rest.
 *
 * @param {(moving: boolean) => void} draw @param {() => void} settled called after the fine picture
 */
export function createFrames(draw, settled) {
  let pending = null;
  let rest = 0;
  const count = { frames: 0, lastDrawMs: 0 };
  function run(moving) {
    pending = null;
    const start = performance.now();
    draw(moving);
    count.frames += 1;
    count.lastDrawMs = performance.now() - start;
    clearTimeout(rest);
    // A fine picture that something else asked for ends the motion as well.
    const settles = !moving && rest !== 0;
    rest = moving ? setTimeout(finish, REST_MS) : 0;
    if (settles) settled();
  }
  function finish() {
    rest = 0;
    run(false);
    settled();
  }
  return {
    now: () => run(true),
    request(moving) {
      if (pending === null)
        requestAnimationFrame(() => {
          if (pending !== null) run(pending.moving);
        });
      pending = { moving: moving && (pending?.moving ?? true) };
    },
    flush(force = false) {
      if (pending !== null || force) run(pending?.moving ?? false);
    },
    isMoving: () => rest !== 0,
    stats: () => ({ ...count }),
  };
}

/** @returns {boolean} whether Plotly can have its 3D scene */
export function hasWebGL() {
  known ??= canDrawWebGL();
  return known;
}

let known;
function canDrawWebGL() {
  const context = h('canvas').getContext('webgl');
  context?.getExtension('WEBGL_lose_context')?.loseContext();
  return context !== null;
}

export const afterPaint = (then) => requestAnimationFrame(() => setTimeout(then));

/** Call when the page moves to a screen of another resolution, or is zoomed. */
export function watchPixelRatio(changed) {
  const query = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
  query.addEventListener(
    'change',
    () => {
      changed();
      watchPixelRatio(changed);
    },
    { once: true },
  );
}
