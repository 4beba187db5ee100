/**
 * One module as a data: URL that holds all it imports, since a worker does not see the page's import map.
 *
 * @param {Record<string, string>} imports the page's import map: name -> data: URL, percent-encoded
 * @param {string} name such as '#js/runs/worker.js'
 * @returns {string} data: URL, in base64
 */
export function bundle(imports, name, inside = []) {
  if (!Object.hasOwn(imports, name) || inside.includes(name)) throw new Error(`${name} cannot be put in a worker`);
  const url = imports[name];
  const text = decodeURIComponent(url.slice(url.indexOf(',') + 1));
  const whole = text.replace(
    /^((?:import|export|\}).*)from '(#js\/[\w./]+)'/gm,
    (_, names, other) => `${names}from '${bundle(imports, other, [...inside, name])}'`,
  );
  const bytes = Array.from(new TextEncoder().encode(whole), (byte) => String.fromCharCode(byte));
  return `data:text/javascript;charset=utf-8;base64,${btoa(bytes.join(''))}`;
}
