import { fill, format, h, setText } from '#js/dom.js';
import { createFields } from '#js/panels/run_fields.js';
import { METHODS } from '#js/runs/methods.js';
import { MOST_POINTS } from '#js/runs/options.js';
import { nearestStep } from '#js/data/steps.js';
import { LETTERS, sideNames } from '#js/state/sides.js';
import { isOfRun } from '#js/state/figures.js';
import { stepOf } from '#js/state/tabs.js';

/** @import { RunStatus } from '#js/data/types.js' */

/** How often a held button acts. */
const HELD_MS = 100;

/** Run a method anew on the points shown: parameters, run, pause, resume, and how far it is. */
export function createRunControls(page, view) {
  const running = [...page.tabs.values()].filter(({ role }) => role === 'run');
  const methods = Object.fromEntries(running.map(({ key, method }) => [key, METHODS[method]]));
  const fields = Object.fromEntries(running.map(({ key }) => [key, createFields(page, methods[key].run)]));
  const host = h('div');
  const problem = h('p.hint.wrong', { attributes: { role: 'alert' } });
  const buttons = createButtons(view, run);
  const progress = createProgress(view, (run) => methods[run.name].run);
  const summary = h('summary', {}, 'Run on these points');
  const element = h('details.run', {}, summary, buttons.element, problem, progress.element, host);
  const shownPoints = (state) => state.isolated?.length ?? page.table.n_points;
  let opened = '';
  let shown = null;

  function run() {
    setText(problem, '');
    try {
      view.computed.runs.start(shown, fields[shown].read());
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      setText(problem, `${error.message}.`);
    }
  }

  /** Open where nothing is there yet, once a view, so that the reader can close it. */
  function unfold(state) {
    const wanted = view.entry(state).pending === true || state.run !== null;
    const key = `${state.projection} ${state.dims} ${wanted} ${state.run?.id}`;
    if (key !== opened && wanted) element.open = true;
    opened = key;
  }

  function turnTo(name) {
    if (name === shown) return;
    shown = name;
    fill(host, fields[name].element);
    setText(problem, '');
  }

  return {
    element,
    /** Where the recorded steps of a finished run are played, in place of its progress. */
    slot: progress.slot,
    render(state) {
      element.hidden = !(state.projection in methods) || !page.space.vectors;
      if (element.hidden) return;
      turnTo(state.projection);
      unfold(state);
      const n = shownPoints(state);
      const { title, least } = methods[shown];
      const fits = n >= least && n <= MOST_POINTS && Boolean(page.vectors);
      fields[shown].render(n, fits);
      const side = sideNames(page) ? ` of ${LETTERS[nearestStep(page, state)]}` : '';
      const what = state.isolated ? `the ${format(n)} isolated points` : `all ${format(n)} points`;
      setText(summary, `Run on ${what}${side}`);
      buttons.render(state.run, fits);
      const isTheirs = state.run === null || isOfRun(state, view.entry(state)) || state.run.iteration === 0;
      progress.render(
        state.run,
        isOfRun(state, view.entry(state)) ? stepOf(view.entry(state), state) : null,
        state.run || fits
          ? isTheirs
            ? ''
            : ` · on ${format(state.run.points)} other points`
          : limitText(title, least, n),
      );
    },
  };
}

const isGoing = (run) => run !== null && run.status !== 'done';

function createButtons(view, run) {
  const start = h('button.primary', { type: 'button', on: { click: run } }, 'Run');
  const discard = h('button', { type: 'button', on: { click: () => view.set({ run: null }) } }, 'Discard');
  return {
    element: h('div.run-buttons', {}, start, discard),
    render(now, fits) {
      setText(start, now ? 'Run again' : 'Run');
      start.disabled = !fits;
      start.classList.toggle('primary', !isGoing(now));
      discard.hidden = !now;
    },
  };
}

/** How far a run is, and what can be done with one that is going. Its height never changes. */
function createProgress(view, methodOf) {
  const { runs } = view.computed;
  const bar = h('progress.run-bar', { max: 1 });
  const perturb = h(
    'button',
    {
      type: 'button',
      title:
        'Push every point a little to where chance has it, as long as the button is held: ' +
        'what comes back is no accident',
    },
    'Perturb',
  );
  whileHeld(perturb, () => runs.perturb());
  const hold = h('button', {
    type: 'button',
    on: { click: () => (view.get().run?.status === 'paused' ? runs.resume() : runs.pause()) },
  });
  const slot = h('div.run-slot', {}, bar, perturb, hold);
  const status = h('p.hint', { attributes: { role: 'status' } });
  return {
    element: h('div', {}, slot, status),
    slot,
    /**
     * @param {RunStatus | null} run @param {ReturnType<typeof stepOf>} step that is looked at, null for the end
     * @param {string} note what is to be said with it, or where there is none
     */
    render(run, step, note) {
      bar.hidden = run?.status === 'done';
      bar.value = run ? run.iteration / run.iterations : 0;
      bar.setAttribute('aria-label', run ? `${capital(methodOf(run).count)} done` : '');
      hold.hidden = !isGoing(run);
      perturb.hidden = hold.hidden || !methodOf(run).isPerturbed;
      perturb.disabled = hold.disabled = Boolean(run?.doing);
      setText(hold, run?.status === 'paused' ? 'Resume' : 'Pause');
      // Who listens is told of beginning, pause and end, not of every step.
      status.setAttribute('aria-live', step || (run?.status === 'running' && !run.doing) ? 'off' : 'polite');
      setText(status, run ? statusText(step ? atStep(run, step) : run, methodOf(run)) + note : note || 'Not run yet');
    },
  };
}

/** Act when a button is pressed, and again and again while the pointer holds it. */
function whileHeld(button, act) {
  let timer = 0;
  const end = () => {
    clearInterval(timer);
    timer = 0;
  };
  button.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    act();
    end();
    timer = setInterval(() => (button.hidden || button.disabled ? end() : act()), HELD_MS);
  });
  for (const name of ['pointerup', 'pointerleave', 'pointercancel']) button.addEventListener(name, end);
  // A press by keyboard, or by what reads the page aloud, is a click without a pointer.
  button.addEventListener('click', (event) => {
    if (event.detail === 0) act();
  });
}

/** @returns {RunStatus} a run as it was at a recorded step */
const atStep = (run, { name, figures }) => ({
  ...run,
  status: 'running',
  iteration: Number(name),
  kl: figures.kl_divergence ?? null,
});

const capital = (word) => word[0].toUpperCase() + word.slice(1);

function statusText(run, { step, count }) {
  if (run.doing) return `${run.doing} …`;
  const kl = run.kl === null ? '' : ` · KL ${run.kl.toFixed(3)}`;
  const of =
    run.status === 'done'
      ? `${format(run.iteration)} ${count}`
      : `${capital(step)} ${format(run.iteration)} of ${format(run.iterations)}`;
  return `${of}${kl}`;
}

const limitText = (title, least, n) =>
  n < least
    ? `${title} needs ${least} points or more.`
    : `Isolate at most ${format(MOST_POINTS)} of these ${format(n)} points to run ${title} in this page.`;
