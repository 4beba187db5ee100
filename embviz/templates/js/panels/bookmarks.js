import { BookmarkError, MOST_BYTES } from '#js/bookmarks/read.js';
import { fill, format, h, iconButton } from '#js/dom.js';
import { fileName } from '#js/data/exports.js';
import { download } from '#js/panels/download.js';

/** From so many characters on a file's size is said before it is saved. */
const LARGE = 5e6;

/** @import { BookmarkList } from '#js/bookmarks/list.js' */

/**
 * The bookmarks: add, apply, rename, reorder, delete, step, download, load.
 *
 * @param {BookmarkList} bookmarks @param {string} title of the page
 * @param {import('#js/panels/message.js').Say} say
 */
export function createBookmarksPanel(bookmarks, title, say) {
  const ui = { editing: -1, focus: null };
  const tell = (hints) => say(hints.join('. '));
  const offer = (text, action) => say(text, false, action);
  const file = h('input', {
    type: 'file',
    accept: '.json,.txt,application/json',
    hidden: true,
    tabIndex: -1,
    on: {
      change: () => {
        if (file.files[0]) void loadFile(bookmarks, file.files[0], say);
        file.value = '';
      },
    },
  });
  const actions = {
    ui,
    tell,
    offer,
    add() {
      ui.focus = bookmarks.add();
      ui.editing = ui.focus;
      render();
    },
    step: (by) => tell(bookmarks.step(by)),
  };
  const save = iconButton('download', 'Download the bookmarks', () => {
    const text = bookmarks.text();
    const write = () => {
      const isSaved = download(text, fileName(title, 'bookmarks', 'json'), 'application/json');
      if (isSaved) bookmarks.markWritten();
      const limits = bookmarks.limits();
      if (limits.length) say(limits.join('. '), true);
    };
    if (text.length < LARGE) return write();
    const size = `${format(Math.round(text.length / 1e6))} MB`;
    return say(`The file has ${size}, as it holds where the points lie, for TensorBoard too`, true, {
      label: `Save ${size}`,
      run: write,
    });
  });
  const list = h('ol.bookmarks');
  const hint = h(
    'p.hint',
    {},
    'A bookmark keeps this view: projection, camera, selection, colors. Download the list before you leave. ' +
      'Load a file of TensorBoard or of this page, or drop it here.',
  );
  const element = h(
    'section.panel.bookmarks-panel',
    { aria: { label: 'Bookmarks' } },
    h(
      'div.bookmarks-head',
      {},
      h('h2', {}, 'Bookmarks'),
      iconButton('load', 'Load bookmarks from a file', () => file.click()),
      save,
      iconButton('add', 'Bookmark this view (m)', actions.add),
    ),
    hint,
    list,
    file,
  );
  acceptDrops(element, (dropped) => loadFile(bookmarks, dropped, say));

  function render() {
    const { items, current } = bookmarks.get();
    hint.hidden = items.length > 0;
    list.hidden = items.length === 0;
    save.disabled = items.length === 0;
    fill(list, ...bookmarks.summaries().map((summary, i) => row(bookmarks, actions, summary, i, i === current)));
    if (ui.editing >= 0) list.children[ui.editing]?.querySelector('input')?.select();
    else if (ui.focus !== null)
      (list.children[ui.focus]?.querySelector('button') ?? element.querySelector('button')).focus();
    ui.focus = null;
    list.children[current]?.scrollIntoView({ block: 'nearest' });
  }
  bookmarks.subscribe(render);
  render();
  return { element, keys: { m: actions.add, ',': () => actions.step(-1), '.': () => actions.step(1) } };
}

function row(bookmarks, actions, summary, index, isCurrent) {
  const { ui, tell, offer } = actions;
  const last = bookmarks.get().items.length - 1;
  if (ui.editing === index) return h('li', {}, nameField(bookmarks, ui, summary.label, index));
  const where = [
    summary.title,
    `${summary.dims}D`,
    summary.isolated === null ? '' : `${format(summary.isolated)} points`,
  ]
    .filter(Boolean)
    .join(', ');
  const act = {
    rename() {
      ui.editing = index;
      bookmarks.rename(index, summary.label);
    },
    move(by) {
      const to = Math.min(last, Math.max(0, index + by));
      ui.focus = to;
      bookmarks.move(index, to);
    },
    remove() {
      ui.focus = Math.min(index, last - 1);
      const putBack = bookmarks.remove(index);
      const run = () => {
        ui.focus = index;
        putBack();
      };
      offer(`Deleted ${summary.label}`, { label: 'Undo', run });
    },
  };
  const onKey = (event) => {
    const keys = { F2: act.rename, Delete: act.remove };
    if (event.altKey) Object.assign(keys, { ArrowUp: () => act.move(-1), ArrowDown: () => act.move(1) });
    if (!Object.hasOwn(keys, event.key)) return;
    keys[event.key]();
    event.preventDefault();
  };
  const apply = h(
    'button.bookmark',
    {
      type: 'button',
      title: `${summary.label}\n${where}`,
      aria: { current: String(isCurrent), keyshortcuts: 'F2 Delete Alt+ArrowUp Alt+ArrowDown' },
      on: {
        click: () => {
          ui.focus = index;
          tell(bookmarks.apply(index));
        },
        dblclick: act.rename,
        keydown: onKey,
      },
    },
    h('span.bookmark-name', { dir: 'auto' }, summary.label),
    h('span.bookmark-kind', {}, summary.title),
  );
  const tool = (icon, what, run, disabled = false) =>
    iconButton(icon, `${what} ${summary.label}`, run, { disabled, title: what });
  return h(
    'li.bookmark-row',
    {},
    apply,
    h(
      'span.bookmark-tools',
      {},
      tool('up', 'Move up', () => act.move(-1), index === 0),
      tool('down', 'Move down', () => act.move(1), index === last),
      tool('rename', 'Rename', act.rename),
      tool('close', 'Delete', act.remove),
    ),
  );
}

function nameField(bookmarks, ui, label, index) {
  let over = false;
  const end = (text) => {
    if (over) return;
    over = true;
    ui.editing = -1;
    ui.focus = index;
    bookmarks.rename(index, text);
  };
  const input = h('input', {
    type: 'text',
    value: label,
    maxLength: 200,
    aria: { label: 'Name of the bookmark' },
    on: {
      keydown: (event) => {
        if (event.key === 'Enter') end(input.value);
        else if (event.key === 'Escape') end(label);
        event.stopPropagation();
      },
      blur: () => end(input.value),
    },
  });
  return input;
}

async function loadFile(bookmarks, file, say) {
  if (file.size > MOST_BYTES) return say(`${file.name}: larger than ${MOST_BYTES / 2 ** 20} MB`);
  try {
    const count = bookmarks.read(await file.text());
    return say(`${file.name}: ${count === 1 ? '1 bookmark' : `${format(count)} bookmarks`}`);
  } catch (error) {
    if (!(error instanceof BookmarkError || error instanceof DOMException)) throw error;
    return say(`${file.name}: ${error.message}`);
  }
}

/** Take a file that is dropped anywhere on the page; the browser would leave the page for it. */
function acceptDrops(element, take) {
  const carries = (event) => event.dataTransfer?.types.includes('Files');
  document.addEventListener('dragover', (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    element.classList.add('dropping');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) element.classList.remove('dropping');
  });
  document.addEventListener('drop', (event) => {
    element.classList.remove('dropping');
    if (!carries(event)) return;
    event.preventDefault();
    if (event.dataTransfer.files[0]) void take(event.dataTransfer.files[0]);
  });
}
