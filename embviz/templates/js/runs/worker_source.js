/**
 * One module as a data: URL that holds all it imports, since a worker does not see the page's import map.
 *
 * @param {Record<string, string>} imports the page's import map: name -> data: URL in base64
 * @param {string} name such as '#js/runs/worker.js'
 * @returns {string} data: URL
 */
export function bundle(imports, name, inside = []) {
  if (!Object.hasOwn(imports, name) || inside.includes(name)) throw new Error(`${name} cannot be put in a worker`);
  const url = imports[name];
  const text = atob(url.slice(url.indexOf(',') + 1));
  // The text is UTF-8 a byte a character, which base64 takes back as it is.
  const whole = text.replace(
    /^((?:import|export|\}).*)from '(#js\/[\w./]+)'/gm,
    (_, names, other) => `${names}from '${bundle(imports, other, [...inside, name])}'`,
  );
  return `data:text/javascript;charset=utf-8;base64,${btoa(whole)}`;
}
