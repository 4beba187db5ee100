import { stepName } from '#js/data/steps.js';
import { fill, h, icon, iconButton } from '#js/dom.js';
import { createMotion } from '#js/panels/motion.js';
import { createStepPlayer } from '#js/panels/step_player.js';
import { LETTERS, sideNames } from '#js/state/sides.js';

/**
 * @import { Page } from '#js/data/types.js'
 * @import { View } from '#js/state/view.js'
 */

/**
 * Below the one map of a comparison: it slides from A to B and back.
 *
 * @param {Page} page @param {View} view
 */
export function createSlidePanel(page, view) {
  const names = sideNames(page);
  const player = createStepPlayer(page, view);
  const choose = (step) => view.set({ step, stepping: false });
  const swing = () => {
    if (view.get().layout === 'one') player.swing();
  };
  const slider = h('input', {
    type: 'range',
    min: 0,
    max: 1,
    step: 'any',
    aria: { label: 'From A to B' },
    on: {
      input: () => choose(Number(slider.value)),
      keydown(event) {
        const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
        if (by) player.go(by);
        else if (event.key === ' ') swing();
        else return;
        event.preventDefault();
      },
    },
  });
  const ends = names.map((name, side) =>
    h(
      'button.slide-end',
      { type: 'button', dir: 'auto', title: `Show ${LETTERS[side]}, ${name}`, on: { click: () => choose(side) } },
      h('strong', {}, LETTERS[side]),
      h('span', {}, name),
    ),
  );
  const motion = createMotion(page, view);
  const play = iconButton('play', 'Slide', swing);
  const trail = h(
    'button.steps-trail',
    {
      type: 'button',
      title: 'A line from where selected points are in A to where they are in B',
      on: { click: () => view.set({ trail: !view.get().trail }) },
    },
    'Trail',
  );
  const element = h(
    'section.slide',
    { aria: { label: 'From A to B' } },
    play,
    ends[0],
    slider,
    ends[1],
    trail,
    motion.element,
  );
  return {
    element,
    keys: {
      '<': () => choose(0),
      '>': () => choose(1),
    },
    play: swing,
    render(state) {
      element.hidden = state.layout !== 'one';
      const { step } = state;
      if (Number(slider.value) !== step) slider.value = String(step);
      slider.step = player.isCalm() ? '1' : 'any';
      slider.setAttribute('aria-valuetext', stepName(page, state));
      ends.forEach((end, side) => end.setAttribute('aria-pressed', String(step === side)));
      const to = LETTERS[step < 0.5 ? 1 : 0];
      const what = `Slide to ${to} (Space)`;
      if (play.title !== what) {
        play.title = what;
        play.setAttribute('aria-label', what);
        fill(play, icon(step < 0.5 ? 'play' : 'rewind'));
      }
      trail.setAttribute('aria-pressed', String(state.trail));
      motion.render(state);
      player.render(state);
    },
  };
}
