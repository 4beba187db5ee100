import { h, setText } from '#js/dom.js';

const SHOWN_MS = 8000;

/** One line at the plot's lower edge that says what just happened, read out by screen readers. */
export function createMessage() {
  const element = h('p.message', { attributes: { role: 'status' } });
  let timer = 0;
  return {
    element,
    /** @param {string} text; an empty one takes the line away @param {boolean} stays until the next */
    say(text, stays = false) {
      setText(element, text);
      clearTimeout(timer);
      if (text && !stays) timer = setTimeout(() => setText(element, ''), SHOWN_MS);
    },
  };
}
