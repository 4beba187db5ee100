import { h } from '#js/dom.js';

/** What the place that shows this page lets it do: a frame of another page may be sandboxed, and refuses silently. */

/**
 * Whether the frames around this page let it do something.
 *
 * @param {string} token of the frames' `sandbox` attribute, such as `allow-downloads`
 * @returns {'yes' | 'no' | 'unsure'} unsure: a frame of another origin cannot be asked
 */
export function isAllowed(token) {
  for (let view = window; view !== view.parent; view = /** @type {Window & typeof globalThis} */ (view.parent)) {
    const frame = frameOf(view);
    if (!frame) return 'unsure';
    if (frame.hasAttribute('sandbox') && !frame.sandbox.contains(token)) return 'no';
  }
  // A server can sandbox a page that stands in no frame. A file's origin is always null.
  return window.origin === 'null' && !hasPlaceOnDisk() ? 'unsure' : 'yes';
}

/** @returns {HTMLIFrameElement | null} */
function frameOf(view) {
  try {
    return view.frameElement;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return null;
  }
}

const hasPlaceOnDisk = () => window.location.protocol === 'file:';

/** Whether the page has an address that leads to it, and to files beside it: text in a frame and blobs have none. */
export const hasAddress = () => /^(https?|file):$/.test(window.location.protocol);

/** Whether the policy of the place forbids the clipboard; asking for it then fails, and is told in the console. */
export function isClipboardBarred() {
  const { featurePolicy } = /** @type {Document & {featurePolicy?: {allowsFeature: (name: string) => boolean}}} */ (
    document
  );
  return !navigator.clipboard || (featurePolicy ? !featurePolicy.allowsFeature('clipboard-write') : false);
}

/** Copy a text, however long. @param {string} text @returns {Promise<boolean>} whether that was possible */
export async function copyText(text) {
  // The old way first: it is allowed where the clipboard's own interface is barred.
  return copiedAsSelection(text) || written((clipboard) => clipboard.writeText(text));
}

/** Copy what is selected, and give the clipboard a text in its place. */
function copiedAsSelection(text) {
  const before = document.activeElement;
  const field = h('textarea.unseen-field', { value: '.', readOnly: true, tabIndex: -1, aria: { hidden: 'true' } });
  let isTaken = false;
  const give = (event) => {
    event.clipboardData.setData('text/plain', text);
    event.preventDefault();
    event.stopImmediatePropagation();
    isTaken = true;
  };
  // Beside an open dialog nothing can be selected.
  (document.querySelector('dialog[open]') ?? document.body).append(field);
  field.select();
  document.addEventListener('copy', give, { capture: true });
  const isDone = document.execCommand('copy');
  document.removeEventListener('copy', give, { capture: true });
  field.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  return isDone && isTaken;
}

/** @param {Blob} image a PNG @returns {Promise<boolean>} whether it could be copied */
export const copyImage = (image) =>
  written((clipboard) => clipboard.write([new ClipboardItem({ [image.type]: image })]));

/** @returns {Promise<boolean>} whether the clipboard's own interface took it */
async function written(write) {
  if (isClipboardBarred()) return false;
  try {
    await write(navigator.clipboard);
    return true;
  } catch (error) {
    if (!(error instanceof DOMException || error instanceof TypeError || error instanceof ReferenceError)) throw error;
    return false;
  }
}
