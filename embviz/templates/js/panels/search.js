import { fill, format, h, setText } from '#js/dom.js';
import { roughly } from '#js/state/estimates.js';
import { estimateTitle } from '#js/data/sample_words.js';
import { byCloseness } from '#js/data/query.js';
import { arrowKeys, rowButton } from '#js/panels/row_button.js';
import { combined, modeOf } from '#js/state/select.js';

const LISTED = 100;
const NONE = new Int32Array(0);

/**
 * The search: a field, what it found, and the list of that, which stays while its entries are looked at one after
 * another. The down arrow goes from the field to the list.
 */
export function createSearch(page, view, thumbnail) {
  const columns = () => [...view.table().columns.keys()];
  let before = NONE;
  const selectAll = () => view.set({ query: view.get().query });
  const input = h('input.search', {
    type: 'search',
    placeholder: 'Search labels',
    spellcheck: false,
    aria: { label: 'Search' },
    on: {
      input() {
        if (view.get().query.trim() === '') before = view.get().selected;
        view.set({ query: input.value });
      },
      keydown: (event) => {
        if (event.key === 'Escape') {
          view.set({ query: '' });
          input.blur();
        } else if (event.key === 'Enter') {
          if (modeOf(event) === 'replace') selectAll();
          else take(modeOf(event));
        } else if (event.key === 'ArrowDown' && !matches.element.hidden) {
          matches.focus();
          event.preventDefault();
        }
      },
    },
  });
  /** Put the matches together with what was selected before the search began. */
  function take(mode) {
    const { rows, error } = view.found();
    if (!error) view.set({ query: '', selected: combined(before, rows, mode) });
  }
  const column = h('select.small', {
    aria: { label: 'Column searched' },
    on: { change: () => view.set({ column: columns()[column.selectedIndex], query: view.get().query }) },
  });
  /** Of how many of all points that may be, in a page of a sample. */
  function ofAll(rows) {
    const sum = rows.length ? view.estimate(rows) : null;
    return sum === null ? '' : ` ≈ ${format(roughly(sum))} of all`;
  }
  let listed = null;
  const message = h('span.hint', { attributes: { role: 'status' } });
  const matches = createMatches(view, thumbnail, { back: () => input.focus(), selectAll });
  const element = h(
    'section.panel',
    { aria: { label: 'Search' } },
    input,
    h('div.field.under', {}, message, column),
    matches.element,
  );
  return {
    element,
    focus: () => input.focus(),
    render(state) {
      if (input.value !== state.query) input.value = state.query;
      if (listed !== state.tags) fill(column, ...columns().map((name) => h('option', {}, `in ${name}`)));
      listed = state.tags;
      column.hidden = !columns().length;
      if (state.column !== null) column.selectedIndex = columns().indexOf(state.column);
      const asked = state.query.trim() !== '';
      const { rows, error } = view.found(state);
      setText(message, !asked ? 'text  =exact  /regex/' : error || `${countText(rows)}${ofAll(rows)}`);
      message.title = asked && !error && page.manifest.sample ? estimateTitle(page.manifest) : '';
      message.classList.toggle('wrong', asked && (error !== '' || rows.length === 0));
      input.setAttribute('aria-invalid', String(error !== ''));
      matches.render(state, rows);
    },
  };
}

const countText = ({ length }) => (length === 1 ? '1 match' : `${format(length)} matches`);

/** The list of what was found, nearest to the text first. */
function createMatches(view, thumbnail, { back, selectAll }) {
  const list = h('ul.rows.matches', { aria: { label: 'Matches' }, on: { keydown: (event) => arrowKeys(event, back) } });
  const more = h('span.hint');
  const all = h(
    'button.link',
    { type: 'button', title: 'Select them again: Enter in the search does it too', on: { click: selectAll } },
    'Select all',
  );
  const element = h('div', {}, list, h('div.field.under', {}, more, all));
  let shown = [];
  return {
    element,
    focus: () => list.querySelector('button')?.focus(),
    render(state, rows) {
      const isOne = rows.length === 1 && state.selected.length === 1 && state.selected[0] === rows[0];
      element.hidden = rows.length === 0 || isOne;
      if (element.hidden) return;
      const isWhole = sameRows(state.selected, rows);
      const key = [rows, state.label_by, state.tags, state.dark, state.arrived];
      if (key.some((item, i) => item !== shown[i])) {
        const near = byCloseness(view.table(state), state.query, state.column, rows).subarray(0, LISTED);
        fill(list, ...Array.from(near, (row) => drawMatch(view, row, thumbnail)));
        list.scrollTop = 0;
        setText(more, rows.length > LISTED ? `and ${format(rows.length - LISTED)} more` : '');
      }
      shown = key;
      // One of them and what lies near it need the room that the list takes by itself.
      list.classList.toggle('short', state.selected.length === 1);
      all.hidden = isWhole;
      more.parentElement.hidden = isWhole && more.textContent === '';
      const chosen = isWhole ? new Set() : new Set(state.selected.subarray(0, LISTED));
      for (const button of list.querySelectorAll('button'))
        button.setAttribute('aria-current', String(chosen.has(Number(button.dataset.row))));
    },
  };
}

function drawMatch(view, row, thumbnail) {
  const button = rowButton(view, row, thumbnail);
  button.dataset.row = String(row);
  return h('li', {}, button);
}

/** @returns {boolean} whether a selection is just what was found */
export const sameRows = (a, b) => a === b || (a.length === b.length && a.every((row, i) => row === b[i]));
