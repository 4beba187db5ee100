import { h, iconButton, setText } from '#js/dom.js';

const SHOWN_MS = 8000;

/** @typedef {ReturnType<typeof createMessage>['say']} Say */

/**
 * One line at the plot's lower edge that says what just happened, read out by screen readers, and a button to close it.
 */
export function createMessage() {
  const line = h('p', { attributes: { role: 'status' } });
  const close = iconButton('close', 'Close the message', () => say(''));
  const act = h('button.link', {
    type: 'button',
    on: {
      click: () => {
        const { run } = action;
        say('');
        run();
      },
    },
  });
  const element = h('div.message', {}, line, act, close);
  let timer = 0;
  /** @type {{label: string, run: () => void} | null} */
  let action = null;

  /**
   * @param {string} text; an empty one takes the line away
   * @param {boolean} stays until it is closed or the next comes
   * @param {{label: string, run: () => void} | null} [offered] what can be done about it
   */
  function say(text, stays = false, offered = null) {
    setText(line, text);
    action = offered;
    act.hidden = offered === null;
    setText(act, offered?.label ?? '');
    // The line stays in the page, so that what it says next is heard.
    element.classList.toggle('empty', text === '');
    clearTimeout(timer);
    // What may be done about it is not taken away from under a hand that is slow.
    if (text && !stays && !offered) timer = setTimeout(() => say(''), SHOWN_MS);
  }
  say('');
  return { element, say };
}
