import { iconButton } from '#js/dom.js';

/** Up to this width a panel is a sheet over the plot, closed at first; Escape closes it. */
const narrow = window.matchMedia('(max-width: 800px)');
/** Up to this width one panel is open at a time, so that the plot keeps most of the page. */
const crowded = window.matchMedia('(max-width: 1000px)');

const isSearching = (target) => target instanceof HTMLInputElement && target.type === 'search' && target.value !== '';

/**
 * Fold the panels beside the plot away and open them again.
 *
 * @param {HTMLElement} app
 * @param {Record<'left' | 'right', {panel: HTMLElement, label: string}>} sides
 * @returns {{buttons: HTMLElement[], open: (side: string) => void, closeSheets: () => boolean}}
 */
export function createFolds(app, sides) {
  const buttons = {};
  const isOpen = (side) => !app.classList.contains(`no-${side}`);
  /** Panels that the reader closed, where they are no sheets that are closed at first. */
  const closed = new Set();

  function choose(side, wanted) {
    if (wanted) closed.delete(side);
    else if (!narrow.matches) closed.add(side);
    show(side, wanted);
  }

  function show(side, wanted) {
    if (crowded.matches && wanted) for (const other of Object.keys(sides)) if (other !== side) show(other, false);
    app.classList.toggle(`no-${side}`, !wanted);
    buttons[side].setAttribute('aria-expanded', String(wanted));
  }

  for (const [side, { panel, label }] of Object.entries(sides)) {
    panel.id ||= `${side}-panel`;
    buttons[side] = iconButton(side, label, () => choose(side, !isOpen(side)), { aria: { controls: panel.id } });
    panel.addEventListener('keydown', (event) => {
      // A field with a text in it has its own use for Escape.
      if (event.key !== 'Escape' || !narrow.matches || isSearching(event.target)) return;
      show(side, false);
      buttons[side].focus();
      event.stopPropagation();
    });
  }
  /** Where there is room for a panel it is as the reader left it. */
  const settle = () => {
    for (const side of Object.keys(sides))
      show(side, !narrow.matches && !closed.has(side) && (side === 'left' || !crowded.matches));
  };
  for (const query of [narrow, crowded]) query.addEventListener('change', settle);
  settle();
  return {
    buttons: Object.values(buttons),
    open: (side) => choose(side, true),
    /** @returns {boolean} whether a sheet was open */
    closeSheets() {
      const open = narrow.matches ? Object.keys(sides).filter(isOpen) : [];
      for (const side of open) show(side, false);
      return open.length > 0;
    },
  };
}
