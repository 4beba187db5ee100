/**
 * Pointer, wheel and keys over the plot. Plotly moves the view itself; where it is not there, the same gestures are
 * ours. Box and lasso are ours in 2D and 3D.
 */

const CLICK_REACH = 4;
const DOUBLE_CLICK_MS = 350;
const LASSO_STEP = 3;

/** @returns {'replace' | 'add' | 'remove' | 'intersect'} */
export function modeOf({ shiftKey, altKey }) {
  if (shiftKey && altKey) return 'intersect';
  return shiftKey ? 'add' : altKey ? 'remove' : 'replace';
}

/**
 * @param {HTMLElement} host @param {HTMLCanvasElement} canvas on top of it
 * @param {object} plot {isOurs, target, pan, zoom, reset, hover, click, select, redraw}; positions in host pixels
 * @returns {{setTool: (tool: string) => void, drawShape: (context, chrome) => void}}
 */
export function createGestures(host, canvas, plot) {
  let tool = 'pan';
  let press = null;
  let shape = null;
  let lastClick = { time: -Infinity, x: 0, y: 0 };

  const at = ({ clientX, clientY }) => {
    const box = host.getBoundingClientRect();
    return [clientX - box.left, clientY - box.top];
  };

  function down(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    host.focus({ preventScroll: true });
    const [x, y] = at(event);
    press = { x, y, last: [x, y], moved: false, ours: tool === 'pan' && plot.isOurs() };
    if (tool !== 'pan') shape = { kind: tool, points: [[x, y]] };
    if (tool !== 'pan' || press.ours) host.setPointerCapture(event.pointerId);
    plot.hover(-1, event);
  }

  function move(event) {
    const [x, y] = at(event);
    if (!press) {
      if (event.buttons === 0 && event.pointerType !== 'touch') plot.hover([x, y], event);
      return;
    }
    if (Math.hypot(x - press.x, y - press.y) > CLICK_REACH) press.moved = true;
    if (shape) extend(x, y);
    else if (press.ours && press.moved) {
      plot.pan(x - press.last[0], y - press.last[1], event.shiftKey);
      press.last = [x, y];
    }
  }

  function extend(x, y) {
    const { points, kind } = shape;
    const [px, py] = points[points.length - 1];
    if (kind === 'box') shape.points = [points[0], [x, y]];
    else if (Math.hypot(x - px, y - py) >= LASSO_STEP) points.push([x, y]);
    plot.redraw();
  }

  function up(event) {
    if (!press) return;
    const { moved } = press;
    const finished = shape;
    press = null;
    shape = null;
    const [x, y] = at(event);
    if (finished && moved) plot.select(finished, modeOf(event));
    else if (!moved && Math.hypot(x - lastClick.x, y - lastClick.y) <= CLICK_REACH && event.timeStamp - lastClick.time < DOUBLE_CLICK_MS && plot.isEmpty([x, y])) plot.reset();
    else if (!moved) {
      plot.click([x, y], modeOf(event));
      lastClick = { time: event.timeStamp, x, y };
    }
    if (finished) plot.redraw();
  }

  function cancel() {
    press = null;
    if (shape) {
      shape = null;
      plot.redraw();
    }
  }

  const forwarded = new WeakSet();
  function wheel(event) {
    if (forwarded.has(event)) return;
    if (plot.isOurs()) {
      event.preventDefault();
      plot.zoom(Math.exp(-Math.min(Math.max(event.deltaY, -100), 100) / 500), at(event));
    } else if (tool !== 'pan') {
      event.preventDefault();
      const copy = new WheelEvent('wheel', event);
      forwarded.add(copy);
      plot.target()?.dispatchEvent(copy);
    }
  }

  const STEP = 48;
  const keys = {
    ArrowLeft: () => plot.pan(STEP, 0), ArrowRight: () => plot.pan(-STEP, 0), ArrowUp: () => plot.pan(0, STEP), ArrowDown: () => plot.pan(0, -STEP),
    '+': () => plot.zoom(1.25), '=': () => plot.zoom(1.25), '-': () => plot.zoom(0.8), 0: () => plot.reset(),
  };
  function keydown(event) {
    if (event.key === 'Escape' && shape) {
      event.stopPropagation();
      cancel();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }

  // Plotly puts a cover over the page on mousedown, so the end of a press is heard on the window, before others.
  host.addEventListener('pointerdown', down, true);
  host.addEventListener('pointermove', move);
  host.addEventListener('pointerleave', (event) => { if (!press) plot.hover(-1, event); });
  host.addEventListener('wheel', wheel, { passive: false });
  host.addEventListener('keydown', keydown);
  window.addEventListener('pointermove', (event) => { if (press && !host.contains(event.target)) move(event); });
  window.addEventListener('pointerup', up, true);
  window.addEventListener('pointercancel', cancel);

  return {
    setTool(next) {
      tool = next;
      const selects = next !== 'pan';
      canvas.style.pointerEvents = selects ? 'auto' : 'none';
      canvas.style.cursor = selects ? 'crosshair' : '';
      host.style.touchAction = 'none';
      if (!selects) cancel();
    },
    drawShape(context, chrome) {
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
    },
  };
}
