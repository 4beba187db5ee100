import { fill, format, h, iconButton, setText } from '#js/dom.js';
import { download } from '#js/panels/download.js';
import { metadataText } from '#js/tags.js';

/** Give the selection a value in a new or existing column, take that back, and save the metadata. */
export function createTagging(page, view) {
  const names = h('datalist', { id: 'tag-columns' });
  const column = h('input', { type: 'text', placeholder: 'new or existing', maxLength: 200, spellcheck: false, attributes: { list: 'tag-columns' }, aria: { label: 'Column of the tag' } });
  const value = h('input', { type: 'text', maxLength: 200, spellcheck: false, aria: { label: 'Value of the tag' } });
  const apply = h('button.primary', { type: 'submit' });
  const undo = h('button', { type: 'button', on: { click: () => view.set({ tags: view.get().tags.slice(0, -1) }) } }, 'Undo');
  const save = iconButton('download', 'Save the metadata of all points as TSV', () => download(metadataText(page.table), 'metadata-edited.tsv', 'text/tab-separated-values'));
  const summary = h('summary');
  const last = h('p.hint', { attributes: { role: 'status' } });
  const form = h('form', { on: { submit: (event) => { event.preventDefault(); tag(); } } },
    h('label.field', {}, h('span.field-name', {}, 'Column'), column), h('label.field', {}, h('span.field-name', {}, 'Value'), value), names,
    h('div.field', {}, apply, undo, h('span.spread'), save));
  const element = h('section.panel', { aria: { label: 'Tags' } }, h('details.tagging', {}, summary, form, last));
  let listed = null;

  function tag() {
    const { tags, selected } = view.get();
    const name = column.value.trim();
    if (!name || !selected.length) return column.focus();
    const isNew = !page.table.columns.has(name);
    view.set({ tags: [...tags, { column: name, value: value.value, rows: Array.from(selected) }], ...(isNew ? { color_by: name } : {}) });
    value.select();
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
        fill(names, ...[...page.table.columns.keys()].map((name) => h('option', { value: name })));
        const tag = state.tags.at(-1);
        setText(last, tag ? `${tag.column}: ${tag.value === '' ? 'emptied' : tag.value} (${format(tag.rows.length)} ${tag.rows.length === 1 ? 'point' : 'points'})` : '');
      }
      setText(summary, n ? `Tag ${n === 1 ? 'this point' : `these ${format(n)} points`}` : `${format(state.tags.length)} ${state.tags.length === 1 ? 'tag' : 'tags'}`);
      setText(apply, n === 1 ? 'Tag 1 point' : `Tag ${format(n)} points`);
      apply.disabled = n === 0;
      undo.disabled = state.tags.length === 0;
    },
  };
}
