import { fill, h } from '#js/dom.js';

/**
 * A tree to walk with the arrow keys, as the ARIA Authoring Practices have it, with the focus on the part itself. Parts
 * are built when what holds them is unfolded, and forgotten when it is folded.
 *
 * @import { Part } from '#js/state/outline.js'
 * @typedef {{part: Part, level: number, element: HTMLElement}} Item
 */

const TYPED_MS = 700;
/** What of the keys that print something is the page's. */
const KEPT = /^[/?<>[\]]$/;

/**
 * @param {string} label
 * @param {{focused: (part: Part) => void, left: () => void, chosen: (part: Part, event: MouseEvent | KeyboardEvent) =>
 *   boolean}} on `chosen` tells whether there was something to choose
 */
export function createTree(label, on) {
  const element = h('div.tree', { attributes: { role: 'tree' }, aria: { label } });
  /** @type {Map<Element, Item>} */
  const items = new Map();
  /** @type {Item | null} */
  let active = null;
  let typed = { text: '', at: -Infinity };

  const itemOf = (target) => items.get(target);
  const isOpen = ({ element: own }) => own.getAttribute('aria-expanded') === 'true';
  const list = () => [...element.children].map(itemOf);

  function build(part, level, at, size) {
    const mark = h('span.tree-mark', { aria: { hidden: 'true' } });
    const own = h(
      'div.tree-item',
      {
        tabIndex: -1,
        title: part.name,
        attributes: { role: 'treeitem', style: `--level: ${Math.min(level, 8)}` },
        aria: { label: part.name, level, posinset: at + 1, setsize: size },
      },
      mark,
      h('span.tree-name', { dir: 'auto' }, part.name),
    );
    if (part.children) own.setAttribute('aria-expanded', 'false');
    /** @type {Item} */
    const item = { part, level, element: own };
    items.set(own, item);
    return item;
  }

  function unfold(item) {
    if (!item.part.children || isOpen(item)) return;
    const parts = item.part.children();
    if (!parts.length) {
      item.element.removeAttribute('aria-expanded');
      item.part.children = null;
      return;
    }
    const built = parts.map((part, i) => build(part, item.level + 1, i, parts.length));
    item.element.after(...built.map((each) => each.element));
    item.element.setAttribute('aria-expanded', 'true');
  }

  /** Those below it go, whatever level they are of. */
  function fold(item) {
    if (!isOpen(item)) return;
    const below = [];
    for (let next = item.element.nextElementSibling; next; next = next.nextElementSibling) {
      if (itemOf(next).level <= item.level) break;
      below.push(next);
    }
    const had = below.some((each) => each.contains(document.activeElement));
    if (below.includes(active?.element)) activate(item);
    if (had) item.element.focus();
    for (const each of below) {
      items.delete(each);
      each.remove();
    }
    item.element.setAttribute('aria-expanded', 'false');
  }

  function activate(item) {
    if (active) active.element.tabIndex = -1;
    active = item;
    active.element.tabIndex = 0;
  }

  function parentOf(item) {
    let before = item.element.previousElementSibling;
    while (before && itemOf(before).level >= item.level) before = before.previousElementSibling;
    return before ? itemOf(before) : null;
  }

  const go = (target) => (target ? itemOf(target)?.element.focus() : undefined);

  const moves = {
    ArrowDown: ({ element: own }) => go(own.nextElementSibling),
    ArrowUp: ({ element: own }) => go(own.previousElementSibling),
    Home: () => go(element.firstElementChild),
    End: () => go(element.lastElementChild),
    ArrowRight(item) {
      if (isOpen(item)) go(item.element.nextElementSibling);
      else unfold(item);
    },
    ArrowLeft(item) {
      if (isOpen(item)) fold(item);
      else go(parentOf(item)?.element);
    },
    '*'(item) {
      const above = parentOf(item);
      const siblings = list().filter((each) => each.level === item.level && parentOf(each) === above);
      // Each point's neighbors take time: only what needs none is unfolded at once.
      for (const each of siblings) if (each.part.row < 0) unfold(each);
    },
  };

  function type(item, key, now) {
    typed = { text: (now - typed.at < TYPED_MS ? typed.text : '') + key.toLowerCase(), at: now };
    const all = list();
    const at = all.indexOf(item);
    // The same letter again goes on to the next one; a longer text may still be of this one.
    const isOneLetter = [...typed.text].every((letter) => letter === typed.text[0]);
    const text = isOneLetter ? typed.text[0] : typed.text;
    const from = isOneLetter ? at + 1 : at;
    const found = [...all.slice(from), ...all.slice(0, from)].find(({ part }) =>
      part.name.toLowerCase().startsWith(text),
    );
    if (found) found.element.focus();
  }

  element.addEventListener('keydown', (event) => {
    const item = itemOf(event.target);
    if (!item || event.ctrlKey || event.metaKey) return;
    const { key } = event;
    const isChoice = key === 'Enter' || key === ' ';
    const isTyped = !event.altKey && key.length === 1 && !KEPT.test(key);
    if (isChoice) {
      if (!on.chosen(item.part, event)) moves[isOpen(item) ? 'ArrowLeft' : 'ArrowRight'](item);
    } else if (Object.hasOwn(moves, key) && !event.altKey) moves[key](item);
    else if (isTyped) type(item, key, event.timeStamp);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // The focus changes what is said below, which may move the tree: not between the press and the click.
  element.addEventListener('mousedown', (event) => event.preventDefault());
  element.addEventListener('click', (event) => {
    const target = /** @type {Element} */ (event.target);
    const item = itemOf(target.closest('.tree-item'));
    if (!item) return;
    item.element.focus();
    if (target.closest('.tree-mark') || item.part.row < 0) isOpen(item) ? fold(item) : unfold(item);
    else on.chosen(item.part, event);
  });
  element.addEventListener('focusin', (event) => {
    const item = itemOf(event.target);
    if (!item) return;
    activate(item);
    on.focused(item.part);
  });
  element.addEventListener('focusout', (event) => {
    if (!element.contains(/** @type {Node | null} */ (event.relatedTarget))) on.left();
  });

  /** @returns {string[]} the ids from the picture down to what is active */
  function path() {
    const ids = [];
    for (let item = active; item; item = parentOf(item)) ids.unshift(item.part.id);
    return ids;
  }

  return {
    element,
    isEmpty: () => items.size === 0,
    /** Show another outline; as far as it has what was active, that stays so. @param {Part} root */
    show(root) {
      const ids = path();
      const hadFocus = element.contains(document.activeElement);
      items.clear();
      active = null;
      const top = build(root, 1, 0, 1);
      fill(element, top.element);
      unfold(top);
      let item = top;
      for (const id of ids.slice(1)) {
        unfold(item);
        const found = list().find((each) => each.part.id === id && parentOf(each) === item);
        if (!found) break;
        item = found;
      }
      activate(item);
      if (hadFocus) item.element.focus();
    },
    /** @param {(part: Part) => boolean | null} isSelected null where it cannot be */
    mark(isSelected) {
      for (const { part, element: own } of items.values()) {
        const found = isSelected(part);
        if (found !== null) own.setAttribute('aria-selected', String(found));
      }
    },
    focus: () => active?.element.focus(),
  };
}
