import { AXES, nameOf } from '#js/data/words.js';
import { choice, fill, format, h, icon, iconButton, setText } from '#js/dom.js';
import { chosen } from '#js/state/view.js';
import { createRunControls } from '#js/panels/run.js';
import { createSeries } from '#js/panels/series.js';
import { factsOf, isOfRun } from '#js/state/figures.js';
import { countComponents, dimsOf, isBeyondRuns, stepOf } from '#js/state/tabs.js';
import { MOST_POINTS } from '#js/runs/options.js';

/** The projection panel: a tab a projection, its controls and what is known of it. */
export function createProjectionPanel(page, view) {
  const tabs = [...page.tabs.values()];
  const buttons = tabs.map((tab) =>
    h(
      'button',
      {
        type: 'button',
        id: `tab-${tab.key}`,
        title: tab.title,
        attributes: { role: 'tab' },
        on: { click: () => view.set({ projection: tab.key }), keydown: (event) => step(event, tab) },
      },
      tab.title,
    ),
  );
  const list = h('div.choice.tabs', { attributes: { role: 'tablist' }, aria: { label: 'Projection' } }, ...buttons);
  const dims = choice(
    'Dimensions',
    [
      [2, '2D'],
      [3, '3D'],
    ],
    (value) => view.set({ dims: value }),
  );
  const parts = {
    series: createSeries(page, view),
    components: createComponents(page, view),
    frames: createPlayer(page, view),
    axes: createAxes(page, view),
    run: createRunControls(page, view),
    facts: createFacts(page, view),
  };
  const ownPlace = h('div');
  const body = h(
    'div.tab-body',
    { id: 'tab-body', attributes: { role: 'tabpanel' } },
    h('div.field', {}, h('span.field-name', {}, 'Dimensions'), dims.element),
    parts.components.element,
    ownPlace,
    parts.axes.element,
    parts.run.element,
    parts.facts.element,
  );
  const element = h(
    'section.panel',
    { aria: { label: 'Projection' } },
    h('h2', {}, 'Projection'),
    list,
    parts.series.element,
    body,
  );

  function step(event, tab) {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!move) return;
    const at = (tabs.indexOf(tab) + move + tabs.length) % tabs.length;
    view.set({ projection: tabs[at].key });
    buttons[at].focus();
  }

  return {
    element,
    render(state) {
      tabs.forEach((tab, i) => {
        buttons[i].setAttribute('aria-selected', String(tab.key === state.projection));
        buttons[i].setAttribute('aria-controls', 'tab-body');
        buttons[i].tabIndex = tab.key === state.projection ? 0 : -1;
      });
      body.setAttribute('aria-labelledby', `tab-${state.projection}`);
      const tab = page.tabs.get(state.projection);
      dims.render(state.dims, missingDims(page, tab, state));
      // A run is played where its progress was, so that nothing moves when it is done; the file's own above.
      const place = isOfRun(state, view.entry(state)) ? parts.run.slot : ownPlace;
      if (parts.frames.element.parentNode !== place) place.append(parts.frames.element);
      for (const part of Object.values(parts)) part.render(state);
    },
  };
}

/** @returns {Map<number, string>} the dimensions that a tab has no picture of, with the reason */
function missingDims(page, tab, state) {
  const shown = state.isolated?.length ?? page.table.n_points;
  const made = (d) => `Not in this file; make it with --method ${tab.method} --dims ${d}`;
  const missing = new Map();
  for (const d of [2, 3]) {
    if (!dimsOf(tab).includes(d)) missing.set(d, made(d));
    else if (d !== state.dims && isBeyondRuns(tab, d, shown))
      missing.set(d, `${made(d)}, or isolate at most ${format(MOST_POINTS)} points and run it here`);
  }
  return missing;
}

function createComponents(page, view) {
  const count = countComponents(page.tabs);
  const percent = (share) => `${format(Number((100 * share).toPrecision(3)))} %`;
  const selects = [0, 1, 2].map((at) =>
    h(
      'select',
      {
        aria: { label: `Component on axis ${'XYZ'[at]}` },
        on: { change: (event) => view.set({ components: replaced(view.get(), at, event.target.selectedIndex) }) },
      },
      ...Array.from({ length: count }, (_, i) => h('option', {}, String(i + 1))),
    ),
  );
  const rows = selects.map((select, at) => h('label.field', {}, h('span.field-name', {}, `Axis ${'XYZ'[at]}`), select));
  const total = h('p.fact', {}, h('span', {}, 'Variance shown'), h('span'));
  const note = h('p.hint');
  const element = h('div', {}, ...rows, total, note);
  const replaced = (state, at, component) => {
    const components = chosen(state.components, 3 <= count ? 3 : count);
    const other = components.indexOf(component);
    if (other >= 0) components[other] = components[at];
    components[at] = component;
    return components;
  };
  return {
    element,
    render(state) {
      element.hidden = page.tabs.get(state.projection)?.role !== 'components';
      if (element.hidden) return;
      const shown = chosen(state.components, state.dims);
      const entry = view.entry(state);
      const shares = entry.stats.variance_shares ?? [];
      for (const select of selects)
        [...select.options].forEach((option, i) => setText(option, `${i + 1} · ${percent(shares[i] ?? 0)}`));
      setText(note, entry.note ?? '');
      rows.forEach((row, at) => {
        row.hidden = at >= state.dims;
        if (at < state.dims) selects[at].selectedIndex = shown[at];
      });
      setText(total.lastChild, percent(shown.reduce((sum, c) => sum + (shares[c] ?? 0), 0)));
    },
  };
}

const FRAME_SECONDS = 0.12;
/** How long a loop rests on its end. */
const REST_FRAMES = 8;

function createPlayer(page, view) {
  const slider = h('input', {
    type: 'range',
    min: 0,
    step: 'any',
    on: { input: () => view.set({ frame: Number(slider.value), playing: false }) },
  });
  const button = iconButton('play', 'Play', () => toggle());
  const loop = iconButton('loop', 'Play again from the start', () => view.set({ loop: !view.get().loop }));
  const output = h('output.count');
  const element = h('div.player', {}, button, slider, output, loop);
  let timer = 0;
  let last = null;
  const entryNow = (state) => view.entry(state);

  function toggle() {
    const state = view.get();
    const end = entryNow(state).frames.steps.length - 1;
    view.set(
      state.playing
        ? { playing: false }
        : { playing: true, frame: state.frame === null || state.frame >= end ? 0 : state.frame },
    );
  }

  /** One picture of the animation; the next is asked for first, so that a render in between starts no second loop. */
  function tick(now) {
    timer = 0;
    const state = view.get();
    if (!state.playing) return;
    timer = requestAnimationFrame(tick);
    const elapsed = last === null ? 0 : Math.min(0.5, Math.max(0, now - last) / 1000);
    last = now;
    const end = entryNow(state).frames.steps.length - 1;
    const frame = (state.frame ?? 0) + elapsed / FRAME_SECONDS;
    if (frame < end) view.set({ frame });
    else if (state.loop) view.set({ frame: frame >= end + REST_FRAMES ? 0 : frame });
    else view.set({ frame: null, playing: false });
  }

  return {
    element,
    render(state) {
      const entry = entryNow(state);
      element.hidden = !entry?.frames || Boolean(entry.isOfSteps);
      if (element.hidden) return;
      const { steps, unit, figures } = entry.frames;
      const at = state.frame ?? steps.length - 1;
      slider.max = String(steps.length - 1);
      if (Number(slider.value) !== at) slider.value = String(at);
      const near = stepOf(entry, state)?.index ?? steps.length - 1;
      loop.setAttribute('aria-pressed', String(state.loop));
      slider.setAttribute('aria-label', `Recorded ${unit}`);
      slider.setAttribute('aria-valuetext', `${unit} ${steps[near]}`);
      setText(output, steps[near]);
      output.title = Object.entries(figures)
        .filter(([, values]) => values[near] !== null)
        .map(([name, values]) => `${nameOf(name)} ${format(values[near])}`)
        .join('\n');
      const name = state.playing ? 'Pause' : `Play the ${unit}s`;
      if (button.title !== name) {
        button.title = name;
        button.setAttribute('aria-label', name);
        fill(button, icon(state.playing ? 'pause' : 'play'));
      }
      if (state.playing && !timer) {
        last = null;
        timer = requestAnimationFrame(tick);
      }
    },
  };
}

function createAxes(page, view) {
  const groups = AXES.names.map((name, at) => createAxisFields(page, view, name, at));
  const element = h('div', {}, ...groups.map((group) => group.element));
  return {
    element,
    render(state) {
      element.hidden = page.tabs.get(state.projection)?.role !== 'axes';
      if (element.hidden) return;
      groups.forEach((group, at) => {
        group.element.hidden = at >= state.dims;
        group.render(state);
      });
    },
  };
}

function createAxisFields(page, view, name, at) {
  const change = (end, value) =>
    view.set({ axes: view.get().axes.map((axis, i) => (i === at ? { ...axis, [end]: value } : axis)) });
  const fields = ['from', 'to'].map((end) => {
    const input = h('input', {
      type: 'text',
      placeholder: AXES.query,
      spellcheck: false,
      aria: { label: `${name} axis ${end}` },
      on: { input: () => change(end, input.value) },
    });
    const count = h('span.hint');
    return {
      end,
      input,
      count,
      element: h('div.axis-field', {}, h('label.field', {}, h('span.field-name', {}, end), input), count),
    };
  });
  const swap = iconButton('swap', `Swap the ends of the ${name.toLowerCase()} axis`, () => {
    const { from, to } = view.get().axes[at];
    view.set({ axes: view.get().axes.map((axis, i) => (i === at ? { from: to, to: from } : axis)) });
  });
  const clear = iconButton('close', `Clear the ${name.toLowerCase()} axis`, () => {
    view.set({ axes: view.get().axes.map((axis, i) => (i === at ? { from: '', to: '' } : axis)) });
    fields[0].input.focus();
  });
  const hint = h('p.hint', {}, AXES.empty);
  const element = h(
    'div.axis',
    {},
    h('div.field', {}, h('h3', {}, name), swap, clear),
    ...fields.map((field) => field.element),
    hint,
  );
  return {
    element,
    render(state) {
      const axis = state.axes[at] ?? { from: '', to: '' };
      hint.hidden = axis.from !== '' || axis.to !== '';
      for (const button of [swap, clear]) button.disabled = !hint.hidden ? true : !page.vectors;
      const carried = page.carried.find((item) => item.from === axis.from && item.to === axis.to);
      for (const { end, input, count } of fields) {
        if (input.value !== axis[end]) input.value = axis[end];
        input.disabled = !page.vectors;
        const { rows, error } = axis[end] === '' ? { rows: [], error: '' } : view.search(axis[end], state.column);
        const n = carried ? carried[`n_${end}`] : rows.length;
        const unsaid = end === 'from' ? AXES.begins : AXES.ends;
        const told = error && !carried ? error : n === 1 ? '1 point' : `${format(n)} points`;
        setText(count, axis[end] !== '' ? told : hint.hidden ? capital(unsaid) : '');
        count.classList.toggle('wrong', axis[end] !== '' && !carried && (Boolean(error) || n === 0));
      }
    },
  };
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

function createFacts(page, view) {
  const element = h('div.facts');
  let shown = '';
  const fact = ([label, value, title]) =>
    h(
      'p.fact',
      { title },
      h('span', {}, label),
      h('span', {}, typeof value === 'number' ? format(value) : String(value)),
    );
  return {
    element,
    render(state) {
      const parts = factsOf(page, view, state);
      const key = JSON.stringify(parts);
      if (key === shown) return;
      shown = key;
      const said = parts.flatMap(({ remark, facts }, i) => [
        remark === '' || remark === parts[i - 1]?.remark
          ? null
          : h('p.hint', {}, facts.length ? `${remark}:` : `${remark}.`),
        ...facts.map(fact),
      ]);
      fill(element, ...said.filter(Boolean));
    },
  };
}
