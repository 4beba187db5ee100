import { format, h, setText } from '#js/dom.js';
import { FEWEST_POINTS, MOST_POINTS } from '#js/tsne.js';

/** Run t-SNE anew on the points shown: its parameters, run, pause, resume, and how far it is. */
export function createRunControls(page, view) {
  const perplexity = number('Perplexity', { min: 1, step: 'any' });
  const rate = number('Learning rate', { min: 0, step: 'any', placeholder: 'auto' });
  const iterations = number('Iterations', { min: 1, max: 100000, step: 1, value: 300 });
  const seed = number('Seed', { min: 0, max: 4294967295, step: 1, value: 0 });
  const start = h('button.primary', { type: 'button', on: { click: () => run() } }, 'Run');
  const hold = h('button', { type: 'button', on: { click: () => (view.get().run?.status === 'paused' ? view.computed.resume() : view.computed.pause()) } });
  const discard = h('button', { type: 'button', on: { click: () => view.set({ run: null }) } }, 'Discard');
  const bar = h('progress.run-bar', { max: 1, aria: { label: 'Iterations done' } });
  const status = h('p.hint', { attributes: { role: 'status' } });
  const problem = h('p.hint.wrong', { attributes: { role: 'alert' } });
  const fields = h('div', {}, perplexity.element, rate.element, iterations.element, seed.element);
  const summary = h('summary', {}, 'Run on these points');
  const element = h('details.run', {}, summary, fields, h('div.run-buttons', {}, start, hold, discard), bar, status, problem);
  const shownPoints = (state) => state.isolated?.length ?? page.table.n_points;
  let opened = '';

  function run() {
    setText(problem, '');
    const options = { seed: Number(seed.input.value) || 0, iterations: Number(iterations.input.value) };
    if (perplexity.input.value !== '') options.perplexity = Number(perplexity.input.value);
    if (rate.input.value !== '') options.learning_rate = Number(rate.input.value);
    try {
      view.computed.run(options);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      setText(problem, `${error.message}.`);
    }
  }

  /** Open where nothing is there yet, once a view, so that the reader can close it. */
  function unfold(state) {
    const wanted = view.entry(state).pending === true || state.run !== null;
    const key = `${state.dims} ${wanted} ${state.run?.id}`;
    if (key !== opened && wanted) element.open = true;
    opened = key;
  }

  return {
    element,
    render(state) {
      element.hidden = state.projection !== 'tsne' || !page.manifest.vectors;
      if (element.hidden) return;
      unfold(state);
      const n = shownPoints(state);
      const fits = n >= FEWEST_POINTS && n <= MOST_POINTS && Boolean(page.vectors);
      const now = state.run;
      const going = now && now.status !== 'done';
      perplexity.input.placeholder = format(Number(Math.min(30, (n - 1) / 3).toPrecision(3)));
      for (const { input } of [perplexity, rate, iterations, seed]) input.disabled = !fits;
      setText(summary, state.isolated ? `Run on the ${format(n)} isolated points` : `Run on all ${format(n)} points`);
      setText(start, now ? 'Re-run' : 'Run');
      start.disabled = !fits;
      start.classList.toggle('primary', !going);
      hold.hidden = !going;
      setText(hold, now?.status === 'paused' ? 'Resume' : 'Pause');
      hold.disabled = Boolean(now?.doing);
      discard.hidden = !now;
      bar.hidden = !going;
      if (going) bar.value = now.iteration / now.iterations;
      setText(status, fits || now ? statusText(now) : limitText(n));
      status.hidden = status.textContent === '';
    },
  };
}

function statusText(run) {
  if (!run) return '';
  if (run.doing) return `${run.doing} …`;
  const kl = run.kl === null ? '' : ` · KL ${run.kl.toFixed(3)}`;
  const of = run.status === 'done' ? `${format(run.iteration)} iterations` : `Iteration ${format(run.iteration)} of ${format(run.iterations)}`;
  return `${of}${kl} · ${format(run.points)} points in ${run.dims}D`;
}

const limitText = (n) => (n < FEWEST_POINTS ? `t-SNE needs ${FEWEST_POINTS} points or more.` : `Isolate at most ${format(MOST_POINTS)} of these ${format(n)} points to run t-SNE in this page.`);

function number(label, props) {
  const input = h('input.count-input', { type: 'number', ...props });
  return { input, element: h('label.field', {}, h('span.field-name', {}, label), input) };
}
