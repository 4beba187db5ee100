/** What is too large or too slow to be run. */
export class ExpressionError extends Error {}

const MOST_PLACES = 20000;

/** The fragment of what is empty. However often it is repeated, it takes no time. @param {number} to */
const nothing = (to) => to;

/**
 * A regular expression as a graph of places and of what leads from one to the next (Thompson 1968). It is built from
 * its end: a fragment puts itself before a place and returns the place where it begins.
 *
 * @typedef {(to: number) => number} Fragment
 * @typedef {object} Graph
 * @property {Map<string, number>} atoms what one character may be, as written -> number
 * @property {{from: number, atom: number}[][]} byAtom of each place, from where a character leads to it
 * @property {{from: number, condition: string | object | null}[][]} byNothing of each place, from where it is reached
 *   without a character, if the condition holds there: 'start', 'end', 'edge' and 'inside' of a word, or {part, wanted}
 * @property {number[]} partOf of each place
 * @property {{start: number, end: number}[]} parts the look-aheads and, last, the whole; those inside come before
 */
export function createGraph() {
  const graph = { atoms: new Map(), byAtom: [], byNothing: [], partOf: [], parts: [] };
  let [opened, current] = [0, 0];

  function add() {
    if (graph.partOf.length === MOST_PLACES) throw new ExpressionError('it is too large');
    graph.byAtom.push([]);
    graph.byNothing.push([]);
    return graph.partOf.push(current) - 1;
  }

  function join(from, to, condition = null) {
    graph.byNothing[to].push({ from, condition });
    return from;
  }

  /** Build a fragment as a part of its own. @returns {object} the part */
  function close(fragment) {
    const outer = current;
    current = opened++;
    const end = add();
    const part = { id: current, end, start: fragment(end) };
    current = outer;
    graph.parts.push(part);
    return part;
  }

  const optional = (fragment, to, at) => {
    const from = join(add(), to);
    return join(from, fragment(at));
  };

  function repeat(fragment, least, most, to) {
    let at = to;
    if (most === Infinity) {
      at = join(add(), to);
      join(at, fragment(at));
    } else for (let count = least; count < most; count++) at = optional(fragment, to, at);
    for (let count = 0; count < least; count++) at = fragment(at);
    return at;
  }

  function either(fragments, to) {
    const from = add();
    for (const fragment of fragments) join(from, fragment(to));
    return from;
  }

  return Object.assign(graph, {
    close,
    /** @returns {Fragment} one character */
    atom(text) {
      if (!graph.atoms.has(text)) graph.atoms.set(text, graph.atoms.size);
      const atom = graph.atoms.get(text);
      return (to) => {
        const from = add();
        graph.byAtom[to].push({ from, atom });
        return from;
      };
    },
    /** @returns {Fragment} nothing, where a condition holds */
    condition: (condition) => (to) => join(add(), to, condition),
    /** @returns {Fragment} nothing, where a fragment matches what follows, or does not */
    look: (fragment, wanted) => (to) => join(add(), to, { part: close(fragment), wanted }),
    sequence(fragments) {
      const parts = fragments.filter((fragment) => fragment !== nothing);
      return parts.length ? (to) => parts.reduceRight((at, fragment) => fragment(at), to) : nothing;
    },
    either: (fragments) => (fragments.length === 1 ? fragments[0] : (to) => either(fragments, to)),
    /** @returns {Fragment} a fragment so many times, one after the other; most may be Infinity */
    repeat: (fragment, least, most) =>
      fragment === nothing || most === 0 ? nothing : (to) => repeat(fragment, least, most, to),
  });
}
