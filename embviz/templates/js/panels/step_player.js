/**
 * @import { Page } from '#js/data/types.js'
 * @import { View } from '#js/state/view.js'
 */

/** How long a single step slides, and one from end to end; how long a loop rests on its end. */
const GLIDE_MS = 300;
const SWING_MS = 900;
const REST_MS = 1200;

/**
 * What moves the step: playing, a step back or forth, a loop. Where the system asks for less motion, the picture jumps
 * from step to step.
 *
 * @param {Page} page with steps @param {View} view
 */
export function createStepPlayer(page, view) {
  const last = page.steps.names.length - 1;
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
  let timer = 0;
  /** When the picture before was drawn. @type {number | null} */
  let before = null;
  /** Where it is played to, which is not shown where it jumps. */
  let at = 0;
  let rested = 0;
  /** @type {{from: number, to: number, shown: number, since: number | null, ms: number} | null} */
  let glide = null;

  const ask = () => {
    timer ||= requestAnimationFrame(tick);
  };

  function start(to, ms) {
    const { step } = view.get();
    if (to === step) return;
    glide = calm.matches ? null : { from: step, to, shown: step, since: null, ms };
    view.set(glide ? { stepping: false } : { stepping: false, step: to });
    if (glide) ask();
  }

  function tick(now) {
    timer = 0;
    if (glide) slide(now);
    else if (view.get().stepping) play(now);
  }

  function slide(now) {
    // Someone else has moved it.
    if (view.get().step !== glide.shown) {
      glide = null;
      return;
    }
    glide.since ??= now;
    const part = Math.min(1, (now - glide.since) / glide.ms);
    glide.shown = part === 1 ? glide.to : glide.from + (glide.to - glide.from) * part;
    const { shown } = glide;
    if (part === 1) glide = null;
    else ask();
    view.set({ step: shown });
  }

  function play(now) {
    const { step, speed, loop } = view.get();
    // Asked for before, so that a render in between starts no second loop.
    ask();
    const elapsed = before === null ? 0 : Math.min(500, Math.max(0, now - before));
    before = now;
    const isMoved = calm.matches ? Math.floor(at) !== step : at !== step;
    at = Math.min(last, (isMoved ? step : at) + (elapsed / 1000) * speed);
    if (at < last) {
      rested = 0;
      view.set({ step: calm.matches ? Math.floor(at) : at });
    } else if (!loop) view.set({ step: last, stepping: false });
    else {
      rested += elapsed;
      view.set({ step: rested < REST_MS ? last : 0 });
    }
  }

  return {
    isCalm: () => calm.matches,
    toggle() {
      const { stepping, step } = view.get();
      glide = null;
      view.set(stepping ? { stepping: false } : { stepping: true, step: step >= last ? 0 : step });
    },
    /** @param {number} by -1 or 1 */
    go(by) {
      const { step } = view.get();
      const from = glide ? glide.to : step;
      const to = Math.min(last, Math.max(0, by > 0 ? Math.floor(from) + 1 : Math.ceil(from) - 1));
      start(to, GLIDE_MS);
    },
    /** Slide to the other end; on the way there, back. */
    swing() {
      const { step } = view.get();
      const goal = glide ? glide.to : step;
      start(goal < last / 2 ? last : 0, SWING_MS);
    },
    render({ stepping }) {
      if (!stepping) before = null;
      else if (!timer) ask();
    },
  };
}
