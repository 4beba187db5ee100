import { choice, fill, format, h, icon, iconButton, setText } from '#js/dom.js';
import { chosen } from '#js/state/view.js';
import { createRunControls } from '#js/panels/run.js';
import { dimsOf } from '#js/state/tabs.js';
import { isLeading } from '#js/state/scene.js';

/** The projection panel: a tab a projection, its controls and what is known of it. */
export function createProjectionPanel(page, view) {
  const tabs = [...page.tabs.values()];
  const buttons = tabs.map((tab) =>
    h(
      'button',
      {
        type: 'button',
        id: `tab-${tab.name}`,
        attributes: { role: 'tab' },
        on: { click: () => view.set({ projection: tab.name }), keydown: (event) => step(event, tab) },
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
    pca: createComponents(page, view),
    frames: createPlayer(page, view),
    custom: createAxes(page, view),
    run: createRunControls(page, view),
    facts: createFacts(view),
  };
  const ownPlace = h('div');
  const body = h(
    'div.tab-body',
    { id: 'tab-body', attributes: { role: 'tabpanel' } },
    h('div.field', {}, h('span.field-name', {}, 'Dimensions'), dims.element),
    parts.pca.element,
    ownPlace,
    parts.custom.element,
    parts.run.element,
    parts.facts.element,
  );
  const element = h('section.panel', { aria: { label: 'Projection' } }, h('h2', {}, 'Projection'), list, body);

  function step(event, tab) {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!move) return;
    const at = (tabs.indexOf(tab) + move + tabs.length) % tabs.length;
    view.set({ projection: tabs[at].name });
    buttons[at].focus();
  }

  return {
    element,
    render(state, before) {
      tabs.forEach((tab, i) => {
        buttons[i].setAttribute('aria-selected', String(tab.name === state.projection));
        buttons[i].setAttribute('aria-controls', 'tab-body');
        buttons[i].tabIndex = tab.name === state.projection ? 0 : -1;
      });
      body.setAttribute('aria-labelledby', `tab-${state.projection}`);
      const tab = page.tabs.get(state.projection);
      const missing = [2, 3].filter((d) => !dimsOf(tab).includes(d));
      dims.render(
        state.dims,
        new Map(missing.map((d) => [d, `Not in this file; make it with --method ${tab.name} --dims ${d}`])),
      );
      // A run is played where its progress was, so that nothing moves when it is done.
      const place = state.run ? parts.run.slot : ownPlace;
      if (parts.frames.element.parentNode !== place) place.append(parts.frames.element);
      for (const part of Object.values(parts)) part.render(state, before);
    },
  };
}

function createComponents(page, view) {
  const pca = page.tabs.get('pca')?.entries[0];
  const count = pca?.n_components ?? 0;
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
      element.hidden = state.projection !== 'pca';
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
    aria: { label: 'Recorded iteration' },
    on: { input: () => view.set({ frame: Number(slider.value), playing: false }) },
  });
  const button = iconButton('play', 'Play the iterations', () => toggle());
  const loop = iconButton('loop', 'Play again from the start', () => view.set({ loop: !view.get().loop }));
  const output = h('output.count');
  const element = h('div.player', {}, button, slider, output, loop);
  let timer = 0;
  let last = null;
  const entryNow = (state) => view.entry(state);

  function toggle() {
    const state = view.get();
    const end = entryNow(state).frames.iterations.length - 1;
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
    const end = entryNow(state).frames.iterations.length - 1;
    const frame = (state.frame ?? 0) + elapsed / FRAME_SECONDS;
    if (frame < end) view.set({ frame });
    else if (state.loop) view.set({ frame: frame >= end + REST_FRAMES ? 0 : frame });
    else view.set({ frame: null, playing: false });
  }

  return {
    element,
    render(state) {
      const entry = entryNow(state);
      element.hidden = !entry?.frames;
      if (element.hidden) return;
      const { iterations, losses } = entry.frames;
      const at = state.frame ?? iterations.length - 1;
      slider.max = iterations.length - 1;
      if (Number(slider.value) !== at) slider.value = at;
      const near = Math.min(iterations.length - 1, Math.round(at));
      loop.setAttribute('aria-pressed', String(state.loop));
      slider.setAttribute('aria-valuetext', `iteration ${iterations[near]}`);
      setText(output, String(iterations[near]));
      output.title = losses[near] === null ? '' : `KL divergence ${format(losses[near])}`;
      const name = state.playing ? 'Pause' : 'Play the iterations';
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
  const names = ['Horizontal', 'Vertical', 'Depth'];
  const groups = names.map((name, at) => createAxisFields(page, view, name, at));
  const element = h('div', {}, ...groups.map((group) => group.element));
  return {
    element,
    render(state) {
      element.hidden = state.projection !== 'custom';
      if (element.hidden) return;
      const { error } = view.scene(state);
      groups.forEach((group, at) => {
        group.element.hidden = at >= state.dims;
        group.render(state, error);
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
      placeholder: 'text, =exact, /regex/',
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
  const hint = h('p.hint', {}, 'Empty: the direction in which what is left varies most');
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
        setText(
          count,
          axis[end] === ''
            ? hint.hidden
              ? 'Say where the axis ' + (end === 'from' ? 'begins' : 'ends')
              : ''
            : error && !carried
              ? error
              : n === 1
                ? '1 point'
                : `${format(n)} points`,
        );
        count.classList.toggle('wrong', axis[end] !== '' && !carried && (Boolean(error) || n === 0));
      }
    },
  };
}

const SHOWN = [
  ['perplexity', 'Perplexity'],
  ['n_neighbors', 'Neighbors'],
  ['min_dist', 'Minimal distance'],
  ['metric', 'Metric'],
  ['normalize', 'Normalized'],
  ['iterations', 'Iterations'],
  ['epochs', 'Epochs'],
  ['supervised_by', 'Supervised by'],
  ['supervise_factor', 'Strength'],
  ['perturbed', 'Times perturbed'],
  ['seed', 'Seed'],
];

const QUALITY = [
  [
    'neighbors_kept',
    'Neighbors kept',
    (q) =>
      `The share of each point’s ${q.k} nearest in this picture that are among its ${q.k} nearest in the original space`,
  ],
  [
    'trustworthiness',
    'Trustworthiness',
    (q) =>
      `Near 1 where points that are near here are near in the original space too; by the ranks of ${format(q.sample)} points`,
  ],
  [
    'rank_correlation',
    'Distances agree',
    () => 'Spearman’s correlation of the distances here with those in the original space, of 20,000 pairs',
  ],
];

/** How faithful the picture is, where that was measured: of the first components, not of others or of typed axes. */
function qualityFacts(entry, state) {
  const leading = state.projection !== 'pca' || isLeading(state);
  const found = state.projection !== 'custom' && leading ? entry.stats.quality?.[state.dims] : null;
  return found
    ? QUALITY.map(([key, label, title]) => [
        label,
        key === 'neighbors_kept' ? `${Math.round(100 * found[key])} %` : found[key].toFixed(2),
        title(found),
      ])
    : [];
}

function createFacts(view) {
  const element = h('div.facts');
  let shown = '';
  return {
    element,
    render(state) {
      const entry = view.entry(state);
      const facts =
        state.projection === 'pca' || state.projection === 'custom'
          ? []
          : SHOWN.filter(
              ([key]) => entry.params[key] !== undefined && entry.params[key] !== null && entry.params[key] !== 'none',
            ).map(([key, label]) => [label, entry.params[key]]);
      if (entry.stats.kl_divergence !== undefined)
        facts.push(['KL divergence', Number(entry.stats.kl_divergence.toPrecision(4))]);
      facts.push(...qualityFacts(entry, state));
      const key = JSON.stringify(facts);
      if (key === shown) return;
      shown = key;
      fill(
        element,
        ...facts.map(([label, value, title]) =>
          h(
            'p.fact',
            { title },
            h('span', {}, label),
            h('span', {}, typeof value === 'number' ? format(value) : String(value)),
          ),
        ),
      );
    },
  };
}
