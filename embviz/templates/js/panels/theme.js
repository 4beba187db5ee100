import { h, iconButton } from '#js/dom.js';

/** Light and dark: away from what the system has, to the other, and back to what the system has. */

const SAID = { system: 'As the system has it', light: 'Light', dark: 'Dark' };

/** @typedef {'system' | 'light' | 'dark'} Theme */

/** @param {Theme} theme @param {boolean} systemDark @returns {Theme} the next */
export function nextTheme(theme, systemDark) {
  const [same, other] = systemDark ? ['dark', 'light'] : ['light', 'dark'];
  return /** @type {any} */ ({ system: other, [other]: same, [same]: 'system' }[theme]);
}

/**
 * @param {import('#js/state/view.js').View} view @param {() => boolean} isSystemDark
 * @param {(text: string) => void} say
 */
export function createTheme(view, isSystemDark, say) {
  function turn() {
    const theme = nextTheme(view.get().theme, isSystemDark());
    view.set({ theme });
    say(`${SAID[theme]}${theme === 'system' ? `: ${isSystemDark() ? 'dark' : 'light'}` : ''}`);
  }
  return { element: iconButton('theme', 'Light or dark, or as the system has it (d)', turn), turn };
}

/** What leads past the panels for whoever goes by the Tab key. @param {() => HTMLElement} plot */
export const createSkipLink = (plot) =>
  h('button.skip', { type: 'button', on: { click: () => plot().focus() } }, 'Skip to the plot');
