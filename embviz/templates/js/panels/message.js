import { h, iconButton, setText } from '#js/dom.js';

const SHOWN_MS = 8000;

/**
 * One line at the plot's lower edge that says what just happened, read out by screen readers, and a button to close it.
 */
export function createMessage() {
  const line = h('p', { attributes: { role: 'status' } });
  const close = iconButton('close', 'Close the message', () => say(''));
  const element = h('div.message', {}, line, close);
  let timer = 0;

  /**
   * @param {string} text; an empty one takes the line away
   * @param {boolean} stays until it is closed or the next comes
   */
  function say(text, stays = false) {
    setText(line, text);
    // The line stays in the page, so that what it says next is heard.
    element.classList.toggle('empty', text === '');
    clearTimeout(timer);
    if (text && !stays) timer = setTimeout(() => say(''), SHOWN_MS);
  }
  say('');
  return { element, say };
}
