import { createAutomaton } from '#js/data/automaton.js';
import { createGraph, ExpressionError } from '#js/data/graph.js';

export { ExpressionError };

/**
 * Regular expressions of the shared dialect without backtracking: the time for a value grows with its length only.
 */

const DEEPEST = 200;
const SIMPLE = { '*': [0, Infinity], '+': [1, Infinity], '?': [0, 1] };

/**
 * @param {string} source of an expression that `new RegExp(source, 'iu')` takes, without back references, look-behind
 *   and flags
 * @returns {{test: (value: string) => boolean}} whether it is found anywhere in a value, without regard to case; test
 *   throws ExpressionError when it takes too long
 * @throws {ExpressionError} when the expression is too large
 */
export function createExpression(source) {
  const graph = createGraph();
  graph.close(parse(source, graph));
  return createAutomaton(graph);
}

/** @returns {import('#js/data/graph.js').Fragment} of an expression whose syntax is right */
function parse(source, graph) {
  const chars = Array.from(source);
  let at = 0;

  function alternatives(depth) {
    if (depth > DEEPEST) throw new ExpressionError('its groups are nested too deep');
    const found = [sequence(depth)];
    while (chars[at] === '|') {
      at++;
      found.push(sequence(depth));
    }
    return graph.either(found);
  }

  function sequence(depth) {
    const found = [];
    while (at < chars.length && chars[at] !== '|' && chars[at] !== ')') found.push(repeated(term(depth)));
    return graph.sequence(found);
  }

  function term(depth) {
    const char = chars[at++];
    if (char === '^') return graph.condition('start');
    if (char === '$') return graph.condition('end');
    if (char === '(') return group(depth);
    if (char === '[') return graph.atom(characterClass());
    return char === '\\' ? escape() : graph.atom(char);
  }

  function group(depth) {
    const kind = chars[at] === '?' ? chars[at + 1] : '';
    if (kind) at += 2;
    const inner = alternatives(depth + 1);
    at++;
    return kind === '=' || kind === '!' ? graph.look(inner, kind === '=') : inner;
  }

  function characterClass() {
    const begin = at - 1;
    while (chars[at] !== ']') at += chars[at] === '\\' ? 2 : 1;
    at++;
    return chars.slice(begin, at).join('');
  }

  function escape() {
    const begin = at - 1;
    const char = chars[at++];
    if (char === 'b') return graph.condition('edge');
    if (char === 'B') return graph.condition('inside');
    if (char === 'x') at += 2;
    else if (char === 'u') at = chars[at] === '{' ? chars.indexOf('}', at) + 1 : at + 4;
    return graph.atom(chars.slice(begin, at).join(''));
  }

  function repeated(fragment) {
    const range = SIMPLE[chars[at]] ?? (chars[at] === '{' ? count() : null);
    if (!range) return fragment;
    at++;
    // Whether as much or as little as can be is tried first makes no difference to whether there is a match.
    if (chars[at] === '?') at++;
    return graph.repeat(fragment, ...range);
  }

  function count() {
    const begin = at + 1;
    at = chars.indexOf('}', begin);
    const [least, most = least] = chars.slice(begin, at).join('').split(',');
    return [Number(least), most === '' ? Infinity : Number(most)];
  }

  return alternatives(0);
}
