import { format, h, iconButton, setText } from '#js/dom.js';
import { copyImage, copyText, isClipboardBarred } from '#js/panels/host.js';

/** From so many characters on a field of text would hold the page up: its beginning is shown, all of it is copied. */
const MOST_SHOWN = 1 << 20;
const BY_HAND = 'This place forbids copying by a button: press Ctrl+C, or ⌘C, while the text is selected';
const NO_PICTURE = 'This place forbids copying by a button: the context menu of the picture copies it';

/** @typedef {{label: string, run: () => void}} Attempt a button and what it does */

/**
 * Show what cannot be saved or opened from here, to be copied: a text, selected, or a picture, to be saved by its menu.
 *
 * @param {string} title
 * @param {{reason: string, text?: string, picture?: Blob | null, attempt?: Attempt | null}} what the reason why it is
 *   shown; the attempt may work all the same
 */
export function showToCopy(title, { reason, text = '', picture = null, attempt = null }) {
  const told = h('p.hint', { attributes: { role: 'status' } });
  const field = text ? textField(text) : null;
  const close = () => dialog.close();
  const copy = h('button.primary', { type: 'button' }, 'Copy');
  copy.addEventListener('click', () => {
    void (picture && !text ? copyImage(picture) : copyText(text)).then((isCopied) => {
      if (isCopied) setText(told, text ? `Copied ${format(text.length)} characters` : 'Copied the picture');
      else setText(told, text ? BY_HAND : NO_PICTURE);
      if (!isCopied && field) selectAll(field);
    });
  });
  const canCopy = text !== '' || !isClipboardBarred();
  const dialog = h(
    'dialog.help.shown',
    {
      aria: { label: title },
      on: {
        close: () => dialog.remove(),
        click: (event) => {
          if (event.target === dialog) close();
        },
      },
    },
    h('div.help-head', {}, h('h2', {}, title), iconButton('close', 'Close', close)),
    h(
      'div.help-body',
      {},
      h('p', {}, reason),
      h(
        'div.shown-actions',
        {},
        canCopy && copy,
        attempt && h('button', { type: 'button', on: { click: attempt.run } }, attempt.label),
        told,
      ),
      picture && h('p', {}, 'Save the picture by its context menu: right click it, or press long.'),
      picture && pictureBox(picture, title),
      field,
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  if (field) selectAll(field);
}

/** Select a text and show where it begins. @param {HTMLTextAreaElement} field */
function selectAll(field) {
  field.focus();
  field.setSelectionRange(0, field.value.length, 'backward');
  field.scrollTop = 0;
}

/** @returns {HTMLTextAreaElement} the text, or as much of it as a field can hold */
function textField(text) {
  const end = text.length > MOST_SHOWN ? text.lastIndexOf('\n', MOST_SHOWN) + 1 || MOST_SHOWN : text.length;
  const isWhole = end === text.length;
  return h('textarea.shown-text', {
    value: isWhole ? text : `${text.slice(0, end)}… ${format(text.length - end)} more characters`,
    readOnly: true,
    rows: Math.min(16, text.slice(0, 4096).split('\n').length + 1),
    wrap: 'off',
    dir: 'auto',
    spellcheck: false,
    aria: { label: 'What is to be copied' },
    on: {
      // What is copied by hand while all is selected is all of it, too.
      copy: (event) => {
        const { selectionStart, selectionEnd, value } = event.target;
        if (isWhole || selectionEnd - selectionStart < value.length) return;
        event.clipboardData.setData('text/plain', text);
        event.preventDefault();
      },
    },
  });
}

/** A picture as a data: URL: a menu of the browser saves it where a blob of this page is out of its reach. */
function pictureBox(picture, title) {
  const image = h('img.shown-picture', { alt: title });
  const reader = new FileReader();
  reader.addEventListener('load', () => {
    image.src = String(reader.result);
  });
  reader.readAsDataURL(picture);
  return image;
}
