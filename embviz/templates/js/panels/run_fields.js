import { format, h } from '#js/dom.js';

/** @import { Page } from '#js/data/types.js' */

/**
 * The fields of a method that the page can run.
 *
 * @param {Page} page @param {{fields: Record<string, any>, isSupervised: boolean}} run see runs/methods.js
 * @returns {{element: HTMLElement, read: () => object, render: (n: number, fits: boolean) => void}} `read` gives the
 *   options that are asked for, `render` takes the number of points and whether they can be run on
 */
export function createFields(page, { fields, isSupervised }) {
  const numbers = Object.fromEntries(
    Object.entries(fields).map(([key, { label, title, input }]) => [key, number(label, title, input)]),
  );
  const supervise = isSupervised ? createSupervision(page) : null;
  const all = [...Object.values(numbers), ...(supervise ? [supervise] : [])];
  return {
    element: h('div', {}, ...all.map((field) => field.element)),
    read: () => ({ ...given(numbers), ...supervise?.read() }),
    render(n, fits) {
      for (const [key, { usual }] of Object.entries(fields)) {
        if (usual) numbers[key].input.placeholder = format(usual(n));
      }
      for (const { input } of all) input.disabled = !fits;
    },
  };
}

/** A run that a column of labels pulls at: which, how much, and the label that means none. */
function createSupervision(page) {
  const columns = [...page.table.columns.keys()];
  const factor = number('Strength', '0 to 100', { min: 0, max: 100, step: 'any', value: 10 });
  const ignore = h('input', { type: 'text', placeholder: 'no label' });
  const hint = h(
    'p.hint',
    {},
    'Points of one label are drawn together, others apart: ' +
      'the picture then shows the labels, too, not the vectors alone.',
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

function number(label, title = '', props = {}) {
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
