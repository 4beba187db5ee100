/**
 * Build elements; text only ever becomes textContent.
 *
 * @template {string} T
 * @typedef {T extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[T]
 *   : T extends `${infer Name}.${string}` ? Name extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Name]
 *   : HTMLElement : HTMLElement} Made the element of a tag
 */

/**
 * @template {string} T
 * @param {T} tag such as `button` or `button.primary`
 * @param {Record<string, any>} [props] properties, `on` with listeners, `aria` and `attributes` with attributes
 * @param {...(Node | string | null | false)} children
 * @returns {Made<T>}
 */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(' ');
  for (const [key, value] of Object.entries(props)) {
    if (key === 'on') for (const [event, fn] of Object.entries(value)) element.addEventListener(event, fn);
    else if (key === 'aria') for (const [k, v] of Object.entries(value)) element.setAttribute(`aria-${k}`, v);
    else if (key === 'attributes') for (const [k, v] of Object.entries(value)) element.setAttribute(k, v);
    else if (key === 'style') for (const [k, v] of Object.entries(value)) element.style.setProperty(k, v);
    else if (value !== undefined) element[key] = value;
  }
  element.append(...children.filter(isThere));
  return /** @type {Made<T>} */ (element);
}

/** @returns {child is Node | string} */
const isThere = (child) => child !== null && child !== false && child !== undefined;

/** Put new children in an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.filter(isThere));
  return element;
}

/** Set a text only where it changed, so that screen readers and selections are left alone. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const ICONS = {
  move: 'M8 1v14M1 8h14M8 1 6 3M8 1l2 2M8 15l-2-2M8 15l2-2M1 8l2-2M1 8l2 2M15 8l-2-2M15 8l-2 2',
  box: 'M2.5 2.5h11v11h-11z',
  lasso: 'M8 3c4 0 6.5 1.8 6.5 4S12 11 8 11 1.500 9.200 1.500 7 4 3 8 3M5 10.500c0 2-1 3-2.500 3.500',
  tiles: 'M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 9h5v5H9z',
  sphere:
    'M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13M1.500 8c0 3.300 13 3.300 13 0M8 7.400v1.200M7.400 8h1.200',
  loop: 'M3 8a5 4 0 0 1 5-4h4M10 1.500 12.500 4 10 6.500M13 8a5 4 0 0 1-5 4H4M6 14.500 3.500 12 6 9.500',
  letter: 'M3 14 8 2l5 12M5 10h6',
  caption: 'M2 2.500h12v11H2zM4.500 9h7M4.500 11.500h4',
  columns: 'M2 3h12v10H2zM8 3v10',
  frame: 'M2 3h12v10H2z',
  isolate: 'M8 4.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7M2 5V2h3M11 2h3v3M14 11v3h-3M5 14H2v-3',
  fit: 'M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4',
  theme:
    'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  help: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M6 6.2c0-2.6 4-2.6 4 0 0 1.5-2 1.6-2 3.3M8 11.7v.1',
  play: 'M4 2.500 13 8l-9 5.500z',
  rewind: 'M12 2.500 3 8l9 5.500z',
  pause: 'M4 2.500h2.500v11H4zM9.500 2.500H12v11H9.500z',
  download: 'M8 2v8M4.500 7 8 10.500 11.500 7M2.500 13.500h11',
  left: 'M2 3h12v10H2zM6 3v10',
  right: 'M2 3h12v10H2zM10 3v10',
  close: 'M3 3l10 10M13 3 3 13',
  add: 'M8 2.500v11M2.500 8h11',
  load: 'M8 10.500v-8M4.500 6 8 2.500 11.500 6M2.500 13.500h11',
  up: 'M3.500 10 8 5.500 12.500 10',
  down: 'M3.500 6 8 10.500 12.500 6',
  rename: 'M2.500 13.500l.8-3.300 7.700-7.700 2.500 2.500-7.700 7.700zM9.500 4l2.500 2.500',
  back: 'M12 2.500v11L5 8zM4 2.500v11',
  forth: 'M4 2.500v11L11 8zM12 2.500v11',
  swap: 'M3 5h10M10 2l3 3-3 3M13 11H3M6 8l-3 3 3 3',
};

/** @param {string} name of an icon @returns {SVGElement} a 16 pixel line drawing, without a name of its own */
export function icon(name) {
  const box = { viewBox: '0 0 16 16', width: '16', height: '16', 'aria-hidden': 'true', class: `icon icon-${name}` };
  return svg('svg', box, svg('path', { d: ICONS[name] }));
}

/**
 * @param {string} name of an element of SVG
 * @param {Record<string, string | number>} attributes
 * @param {...SVGElement} children
 * @returns {SVGElement}
 */
export function svg(name, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [k, v] of Object.entries(attributes)) element.setAttribute(k, String(v));
  element.append(...children);
  return element;
}

/**
 * @param {string} name of an icon
 * @returns {HTMLButtonElement} a square button with an icon and a name
 */
export function iconButton(name, label, onClick, props = {}) {
  return h(
    'button.icon-button',
    { type: 'button', title: label, ...props, aria: { label, ...props.aria }, on: { click: onClick } },
    icon(name),
  );
}

/** A row of buttons of which one is on. @returns {{element: HTMLElement, render: (value, disabled?: Map) => void}} */
export function choice(label, options, onChoose) {
  const buttons = options.map(([value, text, title]) =>
    h('button', { type: 'button', title: title ?? '', on: { click: () => onChoose(value) } }, text),
  );
  return {
    element: h('div.choice', { attributes: { role: 'group' }, aria: { label } }, ...buttons),
    render(value, disabled = new Map()) {
      options.forEach(([option], i) => {
        buttons[i].setAttribute('aria-pressed', String(option === value));
        buttons[i].disabled = disabled.has(option);
        if (disabled.has(option)) buttons[i].title = disabled.get(option);
        else buttons[i].title = options[i][2] ?? '';
      });
    },
  };
}

/** @returns {string} a number in a form for reading: 12,345 or 0.0123 or 1.2e-7 */
export function format(x) {
  if (x === null || x === undefined || Number.isNaN(x)) return '–';
  if (Number.isInteger(x) && Math.abs(x) < 1e15) return x.toLocaleString('en');
  const size = Math.abs(x);
  if (size >= 1e6 || size < 1e-4) return x.toExponential(2);
  return size >= 1000 ? x.toLocaleString('en', { maximumFractionDigits: 1 }) : String(Number(x.toPrecision(4)));
}
