import { ExpressionError } from '#js/data/graph.js';

/** Visits of places while states are made: less than half a second. */
const MOST_WORK = 1e7;
/** Questions whether an atom matches a character, each of which is asked once: about a second. */
const MOST_ASKED = 1e6;
const TOO_LONG = 'it takes too long on these values; simplify it';
/** Numbers held for states, before all are forgotten and made anew. */
const MOST_KEPT = 5e5;
const DIRECT_CODES = 0x800;
const MATCH = -1;
const NO_MATCH = -2;
/** Stands for the kind of a character where a value starts and there is none. */
const START = 0;

/**
 * Search values by a graph. Each value is read once, from its end, since it is known at each place then which
 * look-aheads hold there. What the places that lead on to a match are is a state; states are made when they are met
 * (Aho, Sethi and Ullman, Compilers, section 3.7), and what one character matches is asked of the browser's own
 * expressions, so that it means the same.
 *
 * @param {import('#js/data/graph.js').Graph} graph
 * @returns {{test: (value: string) => boolean}} @throws {ExpressionError} in test, when too many states are met
 */
export function createAutomaton(graph) {
  const { kinds, kindOf } = createKinds(graph.atoms);
  const step = createStep(graph);
  let states = [];
  let known = new Map();
  let kept = 0;

  /** @param {number[]} places in their order @param {'end' | 'word' | 'other'} after what was read last */
  function enter(places, after) {
    const key = `${after} ${places.join()}`;
    if (known.has(key)) return known.get(key);
    if (kept > MOST_KEPT) {
      [states, known, kept] = [[], new Map(), 0];
      enter([], 'end');
    }
    kept += places.length + 16;
    known.set(key, states.push({ places, after, next: [] }) - 1);
    return states.length - 1;
  }

  function follow(state, kind) {
    const before = kind === START ? null : kinds[kind];
    const places = step(state, before);
    if (places === null) return MATCH;
    return before === null ? NO_MATCH : enter(places, before.word ? 'word' : 'other');
  }

  enter([], 'end');
  return {
    test(value) {
      let at = 0;
      for (let i = value.length; ;) {
        const code = i > 0 ? codeBefore(value, i) : -1;
        const kind = i > 0 ? kindOf(code) : START;
        const state = states[at];
        at = state.next[kind] ??= follow(state, kind);
        if (at < 0) return at === MATCH;
        i -= code > 0xffff ? 2 : 1;
      }
    },
  };
}

/** @returns {number} the character that ends before a place, a lone half of a pair for itself */
function codeBefore(value, i) {
  const code = value.charCodeAt(i - 1);
  const isLow = code >= 0xdc00 && code <= 0xdfff && i > 1;
  const whole = isLow ? value.codePointAt(i - 2) : 0;
  return whole > 0xffff ? whole : code;
}

/**
 * What a character is to an expression: characters that the same atoms match are one kind.
 *
 * @param {Map<string, number>} atoms
 * @returns {{kindOf: (code: number) => number, kinds: {word: boolean, atoms: boolean[]}[]}} the first kind is none;
 *   kindOf throws ExpressionError where there are too many atoms for so many characters
 */
function createKinds(atoms) {
  const tests = Array.from(atoms.keys(), (text) => new RegExp(`^${text}$`, 'iu'));
  const kinds = [{ word: false, atoms: [] }];
  const known = new Map();
  const direct = new Int32Array(DIRECT_CODES);
  const others = new Map();
  let asked = 0;
  function find(code) {
    asked += tests.length;
    if (asked > MOST_ASKED) throw new ExpressionError(TOO_LONG);
    const char = String.fromCodePoint(code);
    const kind = { word: /^\w$/iu.test(char), atoms: tests.map((test) => test.test(char)) };
    const key = JSON.stringify(kind);
    if (!known.has(key)) known.set(key, kinds.push(kind) - 1);
    return known.get(key);
  }
  return {
    kinds,
    kindOf(code) {
      if (code < DIRECT_CODES) return (direct[code] ||= find(code));
      if (!others.has(code)) others.set(code, find(code));
      return others.get(code);
    },
  };
}

/**
 * @typedef {{word: boolean, atoms: boolean[]}} Kind what a character is to the atoms
 * @returns {(state: {places: number[], after: string}, before: Kind | null) => number[] | null} the places that lead
 *   on once the character before has been read too, in their order; null where the whole matches from here on
 */
function createStep({ byAtom, byNothing, partOf, parts }) {
  const marks = new Int32Array(partOf.length);
  const rank = new Map(parts.map(({ id }, at) => [id, at]));
  const inOrder = (a, b) => rank.get(partOf[a]) - rank.get(partOf[b]) || a - b;
  const whole = parts.at(-1).start;
  let [mark, work] = [0, 0];

  function visit(place, reached) {
    if (marks[place] === mark) return;
    marks[place] = mark;
    reached.push(place);
  }

  function holds(condition, { after }, before) {
    if (condition === null) return true;
    if (condition === 'start') return before === null;
    if (condition === 'end') return after === 'end';
    if (condition === 'edge' || condition === 'inside')
      return (Boolean(before?.word) !== (after === 'word')) === (condition === 'edge');
    return (marks[condition.part.start] === mark) === condition.wanted;
  }

  /**
   * All places from which a match can be reached, part by part, so that look-aheads are known when they are asked for.
   */
  function reachable(state, before) {
    const reached = [];
    let [taken, seen] = [0, 0];
    mark++;
    for (const { id, end } of parts) {
      visit(end, reached);
      while (taken < state.places.length && partOf[state.places[taken]] === id) visit(state.places[taken++], reached);
      for (; seen < reached.length; seen++) {
        const edges = byNothing[reached[seen]];
        for (const { from, condition } of edges) if (holds(condition, state, before)) visit(from, reached);
        work += edges.length + 1;
      }
    }
    return reached;
  }

  return (state, before) => {
    if (work > MOST_WORK) throw new ExpressionError(TOO_LONG);
    const reached = reachable(state, before);
    if (marks[whole] === mark) return null;
    const places = [];
    mark++;
    for (const place of reached) {
      for (const { from, atom } of byAtom[place]) if (before?.atoms[atom]) visit(from, places);
      work += byAtom[place].length;
    }
    return places.sort(inOrder);
  };
}
