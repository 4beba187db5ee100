import { pinched } from '#js/drawing/fingers.js';

/** @import { GestureTargets } from '#js/plot/targets.js' @import { Chrome } from '#js/plot/types.js' */

/**
 * Pointer, wheel and keys over the plot. Plotly moves the view itself; where it is not there, the same gestures are
 * ours. Box and lasso are ours in 2D and 3D; with the keys a cross-hair draws them. Fingers are ours always, as Plotly
 * does not zoom by two of them.
 */

const CLICK_REACH = 4;
const DOUBLE_CLICK_MS = 350;
/** The most that Plotly's wheel does at once in 2D. */
const NOTCH = Math.exp(0.1);
const LASSO_STEP = 3;
const KEY_STEP = 48;
const CROSS_STEP = 8;
const CROSS_REACH = 14;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = {
  ArrowLeft: (plot) => plot.pan(KEY_STEP, 0),
  ArrowRight: (plot) => plot.pan(-KEY_STEP, 0),
  ArrowUp: (plot) => plot.pan(0, KEY_STEP),
  ArrowDown: (plot) => plot.pan(0, -KEY_STEP),
  '+': (plot) => plot.zoom(1.25),
  '=': (plot) => plot.zoom(1.25),
  '-': (plot) => plot.zoom(0.8),
  0: (plot) => plot.reset(),
};

/** @returns {'replace' | 'add' | 'remove' | 'intersect'} */
export function modeOf({ shiftKey, altKey }) {
  if (shiftKey && altKey) return 'intersect';
  return shiftKey ? 'add' : altKey ? 'remove' : 'replace';
}

/** @typedef {ReturnType<typeof createGestures>} Gestures */

/**
 * @param {HTMLElement} host @param {HTMLCanvasElement} canvas on top of it
 * @param {GestureTargets} plot positions are [x, y] in pixels from the host's corner
 * @returns {{setTool: (tool: string) => void, drawShape: (context: any, chrome: Chrome) => void}}
 */
export function createGestures(host, canvas, plot) {
  const hand = {
    tool: 'pan',
    press: null,
    shape: null,
    cross: null,
    last: { time: -Infinity, x: 0, y: 0 },
    forwarded: new WeakSet(),
    fingers: new Map(),
  };
  /** @returns {[number, number]} */
  const at = ({ clientX, clientY }) => {
    const box = host.getBoundingClientRect();
    return [clientX - box.left, clientY - box.top];
  };
  host.addEventListener(
    'pointerdown',
    (event) => {
      if (event.button !== 0 || !event.isPrimary) return;
      host.focus({ preventScroll: true, focusVisible: false });
      if (begin(hand, plot, at(event), isFinger(event))) host.setPointerCapture(event.pointerId);
      plot.hover(null, event);
    },
    true,
  );
  host.addEventListener('pointermove', (event) => {
    if (!hand.press && event.buttons === 0 && event.pointerType !== 'touch') plot.hover(at(event), event);
  });
  host.addEventListener('pointerleave', (event) => {
    if (!hand.press) plot.hover(null, event);
  });
  // Before Plotly hears of it, which knows no limits.
  host.addEventListener('wheel', (event) => stopAtLimit(plot, event, at(event)), { passive: false, capture: true });
  host.addEventListener('wheel', (event) => wheel(hand, plot, event, at(event)), { passive: false });
  host.addEventListener('keydown', (event) => keydown(hand, plot, event, host));
  host.addEventListener('blur', () => {
    if (hand.cross) cancel(hand, plot);
  });
  // Plotly puts a cover over the page on mousedown, so the rest of a press is heard on the window, before others.
  window.addEventListener(
    'pointermove',
    (event) => {
      if (hand.press && event.isPrimary) drag(hand, plot, at(event));
    },
    true,
  );
  window.addEventListener(
    'pointerup',
    (event) => {
      if (!hand.press || !event.isPrimary) return;
      const isClick = !hand.press.moved;
      end(hand, plot, event, at(event));
      // The pointer is where it was, over the same point.
      if (isClick && event.pointerType !== 'touch') plot.hover(at(event), event);
    },
    true,
  );
  window.addEventListener('pointercancel', () => cancel(hand, plot));
  followFingers(hand, host, plot, at);
  host.style.touchAction = 'none';
  return {
    setTool(tool) {
      if (tool === hand.tool) return;
      hand.tool = tool;
      canvas.style.pointerEvents = tool === 'pan' ? 'none' : 'auto';
      canvas.style.cursor = tool === 'pan' ? '' : 'crosshair';
      cancel(hand, plot);
    },
    drawShape(context, chrome) {
      drawShape(hand.shape, context, chrome);
      drawCross(hand.cross, context, chrome);
    },
  };
}

/** A pen is heard as a finger is, by browsers too. */
const isFinger = ({ pointerType }) => pointerType === 'touch' || pointerType === 'pen';

/** Two fingers move and zoom, whatever the tool; one that is left of them does nothing until it is lifted. */
function followFingers(hand, host, plot, at) {
  const { fingers } = hand;
  /** Where they were in the picture that is seen, until the next one follows both. */
  let before = null;
  const follow = () => {
    if (before && fingers.size === 2) plot.touch.pinch(pinched(before, [...fingers.values()]));
    before = null;
  };
  const isDown = (event) => isFinger(event) && fingers.has(event.pointerId);
  // Plotly hears of no finger.
  const mute = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  host.addEventListener('touchstart', mute, { capture: true, passive: false });
  host.addEventListener(
    'pointerdown',
    (event) => {
      if (!isFinger(event) || fingers.size === 2) return;
      fingers.set(event.pointerId, at(event));
      if (fingers.size === 2) cancel(hand, plot);
    },
    true,
  );
  window.addEventListener(
    'pointermove',
    (event) => {
      if (!isDown(event)) return;
      if (!before && fingers.size === 2) {
        before = [...fingers.values()];
        requestAnimationFrame(follow);
      }
      fingers.set(event.pointerId, at(event));
    },
    true,
  );
  const lift = (event) => {
    if (!isDown(event)) return;
    const wasTwo = fingers.size === 2;
    follow();
    fingers.delete(event.pointerId);
    if (wasTwo) plot.touch.rest();
  };
  window.addEventListener('pointerup', lift, true);
  window.addEventListener('pointercancel', lift, true);
}

/** @returns {boolean} whether the press is ours to the end */
function begin(hand, plot, [x, y], isTouch) {
  const selects = hand.tool !== 'pan';
  const ours = !selects && (isTouch || plot.isOurs());
  hand.press = { x, y, before: [x, y], moved: false, ours, isTouch };
  hand.shape = selects ? { kind: hand.tool, points: [[x, y]] } : null;
  hand.cross = null;
  return selects || hand.press.ours;
}

function drag({ press, shape }, plot, [x, y]) {
  if (Math.hypot(x - press.x, y - press.y) > CLICK_REACH) press.moved = true;
  if (shape) {
    const { points } = shape;
    const [px, py] = points[points.length - 1];
    if (shape.kind === 'box') shape.points = [points[0], [x, y]];
    else if (Math.hypot(x - px, y - py) >= LASSO_STEP) points.push([x, y]);
    plot.redraw();
  } else if (press.ours && press.moved) {
    (press.isTouch ? plot.touch : plot).pan(x - press.before[0], y - press.before[1]);
    press.before = [x, y];
  }
}

function end(hand, plot, event, [x, y]) {
  const {
    press: { moved, ours, isTouch },
    shape,
    last,
  } = hand;
  Object.assign(hand, { press: null, shape: null });
  if (moved) {
    if (shape) plot.select(shape, modeOf(event));
    else if (ours && isTouch) plot.touch.rest();
  } else {
    const again = Math.hypot(x - last.x, y - last.y) <= CLICK_REACH && event.timeStamp - last.time < DOUBLE_CLICK_MS;
    hand.last = { time: event.timeStamp, x, y };
    if (again && plot.isEmpty([x, y])) plot.reset();
    else if (!again) plot.click([x, y], modeOf(event));
  }
  if (shape) plot.redraw();
}

function cancel(hand, plot) {
  const { shape, cross } = hand;
  Object.assign(hand, { press: null, shape: null, cross: null });
  if (shape || cross) plot.redraw();
}

function stopAtLimit(plot, event, at) {
  if (plot.canZoom(event.deltaY < 0 ? NOTCH : 1 / NOTCH, at)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** While box or lasso hold the pointer, the wheel is still Plotly's. */
function wheel(hand, plot, event, at) {
  if (hand.forwarded.has(event)) return;
  if (plot.isOurs()) {
    event.preventDefault();
    plot.zoom(Math.exp(-Math.min(Math.max(event.deltaY, -100), 100) / 500), at);
  } else if (hand.tool !== 'pan') {
    event.preventDefault();
    const copy = new WheelEvent('wheel', event);
    hand.forwarded.add(copy);
    plot.target()?.dispatchEvent(copy);
  }
}

function keydown(hand, plot, event, host) {
  if (event.key === 'Escape' && (hand.shape || hand.cross)) {
    event.stopPropagation();
    cancel(hand, plot);
  } else if (
    hand.tool !== 'pan' &&
    !event.ctrlKey &&
    !event.metaKey &&
    (Object.hasOwn(ARROWS, event.key) || event.key === ' ' || event.key === 'Enter')
  ) {
    event.preventDefault();
    event.stopPropagation();
    if (!hand.press) aim(hand, plot, event, host);
  } else if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    plot.pickMiddle(modeOf(event));
  } else if (!event.ctrlKey && !event.metaKey && !event.altKey && Object.hasOwn(KEYS, event.key)) {
    event.preventDefault();
    event.stopPropagation();
    KEYS[event.key](plot);
    plot.pointAtMiddle();
  }
}

/**
 * What a drag is with the pointer, with the keys: the arrows move a cross-hair, Space sets a corner. The second one of
 * a box ends it, as Enter ends a lasso, which goes from corner to corner.
 */
function aim(hand, plot, event, host) {
  const { clientWidth: width, clientHeight: height } = host;
  const [x, y] = hand.cross ?? [width / 2, height / 2];
  const [dx, dy] = ARROWS[event.key] ?? [0, 0];
  const step = event.shiftKey ? 6 * CROSS_STEP : CROSS_STEP;
  const cross = [Math.min(width, Math.max(0, x + step * dx)), Math.min(height, Math.max(0, y + step * dy))];
  const corners = hand.shape?.points.slice(0, -1) ?? [];
  const sets = !Object.hasOwn(ARROWS, event.key);
  hand.cross = cross;
  if (sets && (hand.tool === 'box' ? corners.length === 1 : corners.length >= 2 && event.key === 'Enter')) {
    plot.select({ kind: hand.tool, points: [...corners, cross] }, modeOf(event));
    hand.shape = null;
  } else {
    if (sets) corners.push(cross);
    hand.shape = corners.length ? { kind: hand.tool, points: [...corners, cross] } : null;
  }
  plot.hover(cross, event);
  plot.redraw();
}

function drawCross(cross, context, chrome) {
  if (!cross) return;
  const [x, y] = cross;
  context.beginPath();
  for (const [dx, dy] of Object.values(ARROWS)) {
    context.moveTo(x + 3 * dx, y + 3 * dy);
    context.lineTo(x + CROSS_REACH * dx, y + CROSS_REACH * dy);
  }
  for (const [color, width] of [
    [chrome.background, 5],
    [chrome.accent, 2],
  ]) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.stroke();
  }
}

function drawShape(shape, context, chrome) {
  if (!shape || shape.points.length < 2) return;
  const [[x0, y0], [x1, y1]] = [shape.points[0], shape.points[shape.points.length - 1]];
  context.beginPath();
  if (shape.kind === 'box') context.rect(x0, y0, x1 - x0, y1 - y0);
  else shape.points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
  context.globalAlpha = 0.08;
  context.fillStyle = chrome.accent;
  context.fill('evenodd');
  context.globalAlpha = 1;
  context.setLineDash([4, 3]);
  context.lineWidth = 1.25;
  context.strokeStyle = chrome.accent;
  context.stroke();
  context.setLineDash([]);
}
