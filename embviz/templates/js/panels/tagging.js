import { fill, format, h, iconButton, setText } from '#js/dom.js';
import { download } from '#js/panels/download.js';
import { categories, countDistinct } from '#js/data/table.js';
import { fileName } from '#js/data/exports.js';
import { isTags, metadataText } from '#js/data/tags.js';
import { markWritten } from '#js/data/written.js';

/** A column of more values is not listed: a name is typed sooner than it is found. */
const MOST_LISTED = 50;

/** Give the selection a value in a new or existing column, take that back, and save the metadata. */
export function createTagging(page, view) {
  const names = h('datalist', { id: 'tag-columns' });
  const column = h('input', {
    type: 'text',
    placeholder: 'new or existing',
    maxLength: 200,
    spellcheck: false,
    attributes: { list: 'tag-columns' },
    aria: { label: 'Column of the tag' },
    on: { input: () => values.render(view.get(), column.value) },
  });
  const value = h('input', { type: 'text', maxLength: 200, spellcheck: false, aria: { label: 'Value of the tag' } });
  const values = createValues(view, tag);
  const summary = h('summary');
  const last = h('p.hint', { attributes: { role: 'status' } });
  const buttons = createButtons(page, view);
  const form = h(
    'form',
    {
      on: {
        submit: (event) => {
          event.preventDefault();
          tag(value.value);
        },
      },
    },
    h('label.field', {}, h('span.field-name', {}, 'Column'), column),
    h('label.field', {}, h('span.field-name', {}, 'Value'), value),
    names,
    values.element,
    buttons.element,
  );
  const element = h('section.panel', { aria: { label: 'Tags' } }, h('details.tagging', {}, summary, form, last));
  let listed = null;

  function tag(text) {
    const { tags, selected } = view.get();
    const name = column.value.trim();
    if (!name || !selected.length) return column.focus();
    const isNew = !view.table().columns.has(name);
    const more = [...tags, { column: name, value: text, rows: Array.from(selected) }];
    const verdict = isTags(more, page.table.n_points);
    if (verdict !== true) return setText(last, `No more tags: they ${verdict}`);
    view.set({ tags: more, ...(isNew ? { color_by: name } : {}) });
    if (document.activeElement === value) value.select();
    return undefined;
  }

  return {
    element,
    render(state) {
      const n = state.selected.length;
      element.hidden = n === 0 && state.tags.length === 0;
      if (element.hidden) return;
      if (listed !== state.tags) {
        listed = state.tags;
        fill(names, ...[...view.table(state).columns.keys()].map((name) => h('option', { value: name })));
        setText(last, told(state.tags.at(-1)));
      }
      setText(
        summary,
        n
          ? `Tag ${n === 1 ? 'this point' : `these ${format(n)} points`}`
          : `${format(state.tags.length)} ${state.tags.length === 1 ? 'tag' : 'tags'}`,
      );
      values.render(state, column.value);
      buttons.render(state);
    },
  };
}

function told(tag) {
  if (!tag) return '';
  const { length } = tag.rows;
  const value = tag.value === '' ? 'emptied' : tag.value;
  return `${tag.column}: ${value} (${format(length)} ${length === 1 ? 'point' : 'points'})`;
}

function createButtons(page, view) {
  const apply = h('button.primary', { type: 'submit' });
  const undo = h(
    'button',
    { type: 'button', on: { click: () => view.set({ tags: view.get().tags.slice(0, -1) }) } },
    'Undo',
  );
  const save = iconButton('download', 'Save the metadata of all points as TSV', () => {
    const name = fileName(page.manifest.title, 'metadata', 'tsv');
    if (download(metadataText(view.table()), name, 'text/tab-separated-values')) markWritten(view.get().tags);
  });
  return {
    element: h('div.field', {}, apply, undo, h('span.spread'), save),
    render({ selected: { length: n }, tags }) {
      setText(apply, n === 1 ? 'Tag 1 point' : `Tag ${format(n)} points`);
      apply.disabled = n === 0;
      undo.disabled = tags.length === 0;
    },
  };
}

/** @returns {HTMLButtonElement[]} */
const buttonsOf = (list) => Array.from(list.querySelectorAll('button'));

/** The values that a column has, each a button that gives it to the selection. */
function createValues(view, tag) {
  const element = h('ul.tag-values', { aria: { label: 'Values of the column' } });
  let shown = { column: null, tags: null };
  return {
    element,
    render({ selected, tags }, name) {
      const column = view.table().columns.get(name.trim());
      if (column !== shown.column || tags !== shown.tags) {
        shown = { column, tags };
        const few = column && countDistinct(column, MOST_LISTED) <= MOST_LISTED ? categories(column).names : [];
        const focused = element.contains(document.activeElement) ? document.activeElement.textContent : null;
        fill(
          element,
          ...few.map((text) =>
            h(
              'li',
              {},
              h(
                'button',
                {
                  type: 'button',
                  dir: 'auto',
                  title: `Give it to the selected points: ${text}`,
                  on: { click: () => tag(text) },
                },
                text,
              ),
            ),
          ),
        );
        element.hidden = few.length === 0;
        if (focused !== null) buttonsOf(element)[few.indexOf(focused)]?.focus();
      }
      for (const button of buttonsOf(element)) button.disabled = selected.length === 0;
    },
  };
}
