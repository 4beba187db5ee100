import { stepName } from '#js/data/steps.js';
import { choice, fill, h, icon, iconButton, setText } from '#js/dom.js';
import { createMotion } from '#js/panels/motion.js';
import { createStepChart } from '#js/panels/step_chart.js';
import { createStepPlayer } from '#js/panels/step_player.js';
import { MOST_TRAILS } from '#js/state/trails.js';

/**
 * @import { Page } from '#js/data/types.js'
 * @import { View } from '#js/state/view.js'
 */

/**
 * Below the plot, where the points have several states: the slider, what plays it, and what changed from step to step.
 *
 * @param {Page} page @param {View} view
 * @returns {{element: HTMLElement, render: (state: any) => void, keys: Record<string, () => void>,
 *   play: () => void} | null} null where there is one state only
 */
export function createStepsPanel(page, view) {
  if (!page.steps) return null;
  const { names } = page.steps;
  const last = names.length - 1;
  const player = createStepPlayer(page, view);
  const choose = (step) => view.set({ step, stepping: false });
  const slider = createSlider(last, choose, player);
  const play = iconButton('play', 'Play', player.toggle);
  const back = iconButton('back', 'Step before (<)', () => player.go(-1));
  const forth = iconButton('forth', 'Next step (>)', () => player.go(1));
  const name = { step: h('strong'), place: h('span') };
  const output = h('output.steps-name', {}, name.step, ' ', name.place);
  const options = createOptions(view);
  const chart = createStepChart(page.steps, choose);
  const motion = createMotion(page, view);
  const element = h(
    'section.steps',
    { aria: { label: 'Steps' } },
    h('div.steps-buttons', {}, back, play, forth),
    slider,
    output,
    options.element,
    ...(chart ? [chart.element, chart.told] : []),
    motion.element,
  );
  return {
    element,
    keys: { '<': () => player.go(-1), '>': () => player.go(1) },
    play: player.toggle,
    render(state) {
      const { step, stepping } = state;
      if (Number(slider.value) !== step) slider.value = String(step);
      slider.step = player.isCalm() ? '1' : 'any';
      // While it plays, a screen reader would not come to an end.
      output.setAttribute('aria-live', stepping ? 'off' : 'polite');
      setText(name.step, `${called(stepName(page, state))},`);
      setText(name.place, `${Math.round(step) + 1} of ${last + 1}`);
      slider.setAttribute('aria-valuetext', output.textContent);
      back.disabled = step <= 0;
      forth.disabled = step >= last;
      const what = stepping ? 'Pause (Space)' : 'Play (Space)';
      if (play.title !== what) {
        play.title = what;
        play.setAttribute('aria-label', what);
        fill(play, icon(stepping ? 'pause' : 'play'));
      }
      options.render(state);
      chart?.render(step);
      motion.render(state);
      player.render(state);
    },
  };
}

/** A number alone does not say what it counts. */
const called = (name) => (/^[\d.]/.test(name) ? `step ${name}` : name);

function createSlider(last, choose, player) {
  const slider = h('input', {
    type: 'range',
    min: 0,
    max: last,
    step: 'any',
    aria: { label: 'Step' },
    on: {
      input: () => choose(Number(slider.value)),
      keydown(event) {
        const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 1, PageDown: -1 }[event.key];
        if (by) player.go(by);
        else if (event.key === ' ') player.toggle();
        else return;
        event.preventDefault();
      },
    },
  });
  return slider;
}

const SPEEDS = [0.5, 1, 2, 4].map((speed) => [speed, `${speed}×`, `${speed} steps a second`]);

function createOptions(view) {
  const speed = choice('Speed', SPEEDS, (value) => view.set({ speed: value }));
  const loop = iconButton('loop', 'Play again from the start', () => view.set({ loop: !view.get().loop }));
  const trail = h(
    'button.steps-trail',
    {
      type: 'button',
      title: `A line through the places where selected points were at the steps before; of ${MOST_TRAILS} at most`,
      on: { click: () => view.set({ trail: !view.get().trail }) },
    },
    'Trail',
  );
  return {
    element: h('div.steps-options', {}, speed.element, loop, trail),
    render(state) {
      speed.render(state.speed);
      loop.setAttribute('aria-pressed', String(state.loop));
      trail.setAttribute('aria-pressed', String(state.trail));
    },
  };
}
