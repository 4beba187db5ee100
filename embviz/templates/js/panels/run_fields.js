import { format, h } from '#js/dom.js';
import { usualIterations } from '#js/numbers/tsne.js';

/**
 * The fields of a method that the page can run.
 *
 * @param {'tsne' | 'umap'} name
 * @returns {{element: HTMLElement, read: () => object, render: (n: number, fits: boolean) => void}} `read` gives the
 *   options that are asked for, `render` takes the number of points and whether they can be run on
 */
export const createFields = (page, name) => ({ tsne: createTsneFields, umap: createUmapFields })[name](page);

function createTsneFields(page) {
  const perplexity = number('Perplexity', { min: 1, step: 'any' });
  const rate = number('Learning rate', { min: 0, step: 'any', placeholder: 'auto' });
  const iterations = number('Iterations', { min: 1, max: 100000, step: 1 });
  const seed = number('Seed', { min: 0, max: 4294967295, step: 1, value: 0 });
  const supervise = createSupervision(page);
  const all = [perplexity, rate, iterations, seed, supervise];
  return {
    element: h('div', {}, ...all.map((field) => field.element)),
    read: () => ({ ...given({ perplexity, learning_rate: rate, iterations, seed }), ...supervise.read() }),
    render(n, fits) {
      iterations.input.placeholder = String(usualIterations(n));
      perplexity.input.placeholder = format(Number(Math.min(30, Math.max(1, (n - 1) / 3)).toPrecision(3)));
      enable(all, fits);
    },
  };
}

function createUmapFields() {
  const neighbors = number('Neighbors', {
    min: 2,
    step: 1,
    title: 'How many nearest points shape the map around each one, itself among them: few show detail, many the whole',
  });
  const distance = number('Minimal distance', {
    min: 0,
    max: 1,
    step: 'any',
    value: 0.1,
    title: 'How near points may come in the map',
  });
  const rate = number('Learning rate', { min: 0, step: 'any', value: 1 });
  const epochs = number('Epochs', { min: 1, max: 100000, step: 1, value: 500 });
  const seed = number('Seed', { min: 0, max: 4294967295, step: 1, value: 0 });
  const all = [neighbors, distance, rate, epochs, seed];
  return {
    element: h('div', {}, ...all.map((field) => field.element)),
    read: () => given({ neighbors, min_distance: distance, learning_rate: rate, epochs, seed }),
    render(n, fits) {
      neighbors.input.placeholder = format(Math.min(15, Math.max(2, n - 1)));
      enable(all, fits);
    },
  };
}

/** t-SNE that a column of labels pulls at: which, how much, and the label that means none. */
function createSupervision(page) {
  const columns = [...page.table.columns.keys()];
  const factor = number('Strength', { min: 0, max: 100, step: 'any', value: 10, title: '0 to 100' });
  const ignore = h('input', { type: 'text', placeholder: 'no label' });
  const hint = h(
    'p.hint',
    {},
    'Points of one label are drawn together, others apart: the picture then shows the labels, too, not the vectors alone.',
  );
  const more = h(
    'div',
    { hidden: true },
    factor.element,
    h(
      'label.field',
      { title: 'A label that stands for none: its points are left as their vectors have them' },
      h('span.field-name', {}, 'Ignore'),
      ignore,
    ),
    hint,
  );
  const input = h(
    'select',
    {
      on: {
        change: () => {
          more.hidden = input.value === '';
        },
      },
    },
    h('option', { value: '' }, 'by no label'),
    ...columns.map((name) => h('option', { value: name }, name)),
  );
  return {
    input,
    element: h(
      'div',
      { hidden: columns.length === 0 },
      h('label.field', {}, h('span.field-name', {}, 'Supervise'), input),
      more,
    ),
    read: () =>
      input.value === ''
        ? {}
        : { supervise: { column: input.value, factor: Number(factor.input.value || NaN), ignore: ignore.value } },
  };
}

function number(label, { title = '', ...props }) {
  const input = h('input.count-input', { type: 'number', ...props });
  return { input, element: h('label.field', { title }, h('span.field-name', {}, label), input) };
}

/** What is typed in some fields; an empty one leaves its default. */
const given = (fields) =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, { input }]) => input.value !== '' || input.validity.badInput)
      .map(([key, { input }]) => [key, input.value === '' ? NaN : Number(input.value)]),
  );

function enable(fields, fits) {
  for (const { input } of fields) input.disabled = !fits;
}
