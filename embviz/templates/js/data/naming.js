/**
 * Names of groups by what sets the labels of their members apart: as embviz/clusters/names.py; docs/clusters.md defines
 * it for both. Lengths are in code points.
 */

const LONGEST = 40;
const MOST_PARTS = 3;
/** A label that one of so many members has is common. */
const COMMON = 10;
const BLANKS = /[\u0000- \u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/gu;
const UNSEEN = /[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/gu;
const ASCII = /^[\u0000-\u007f]*$/u;
const WORDS = /[\p{L}\p{M}\p{N}]+/gu;
const ASCII_WORDS = /[0-9A-Za-z]+/gu;
/** What parts words: a label without it has one at most. */
const BLANK = /[^\p{L}\p{M}\p{N}]/u;
const MARK = /^\p{M}/u;
const JOINER = '\u200d';

/** @returns {string} a label on one line, without what is not seen or turns the direction of texts */
export const tidy = (text) => text.replace(UNSEEN, '').replace(BLANKS, ' ').replace(/^ | $/g, '');

/** @returns {Map<string, string>} its words in lower case, in their order, each as it is first spelled */
export function findWords(label) {
  const found = new Map();
  const spelled = ASCII.test(label) ? label.match(ASCII_WORDS) : label.normalize('NFC').match(WORDS);
  for (const word of spelled ?? []) {
    const key = word.toLowerCase();
    if (!found.has(key)) found.set(key, word);
  }
  return found;
}

const lengthOf = (text) => Array.from(text).length;

function canName(word) {
  const length = lengthOf(word);
  return (length > 1 && length <= LONGEST) || (length === 1 && !ASCII.test(word));
}

/** @returns {string} a text that is no longer than a name may be, with an ellipsis where it was */
export function cut(text) {
  const characters = Array.from(text);
  if (characters.length <= LONGEST) return text;
  let end = LONGEST - 1;
  while (end > 1 && (MARK.test(characters[end]) || characters.slice(end - 1, end + 1).includes(JOINER))) end--;
  return `${characters.slice(0, end).join('')}…`;
}

/**
 * @typedef {{labels: string[], rows: number[], members: number[], counts: Map<string, number>, telling: Set<string>,
 *   middle: number[]}} Look of a group: labels of the members that have one, those members, all members
 */

/**
 * @param {string[] | null} labels tidied, '' where a point has none; null where no point has one
 * @param {Int32Array} codes group of each point, -1 for none
 * @param {number} n_groups each with a member that is shown
 * @param {{places: Float32Array, dims: number, visible?: Uint8Array | null, rowNumber?: (row: number) => number}} of
 *   where points lie in the map, (n, dims), which of them are looked at, and their numbers in the source
 * @returns {string[]} a name for each group, no two the same
 */
export function nameGroups(labels, codes, n_groups, { places, dims, visible = null, rowNumber = (row) => row }) {
  const shared = new Map();
  let total = 0;
  /** @type {number[][]} */
  const members = Array.from({ length: n_groups }, () => []);
  for (let i = 0; i < codes.length; i++) {
    if (visible && !visible[i]) continue;
    if (codes[i] >= 0) members[codes[i]].push(i);
    const text = labels?.[i];
    if (!text) continue;
    shared.set(text, (shared.get(text) ?? 0) + 1);
    total++;
  }
  const known = { labels, shared, total, places, dims };
  const groups = members.map((rows) => lookAt(known, rows));
  const wordsOf = createWords(known, groups);
  return toldApart(
    groups.map((group) => {
      const tried = [() => values(group), () => wordsOf(group), () => central(known, group)];
      for (const parts of tried) {
        const found = parts();
        if (found.length) return joined(found);
      }
      return joined([`row ${rowNumber(group.members[byDistance(known, group.members, group.middle)[0]])}`]);
    }),
  );
}

/** @returns {Look} */
function lookAt({ labels, shared, total, places, dims }, members) {
  const rows = labels ? members.filter((row) => labels[row]) : [];
  const own = rows.map((row) => labels[row]);
  const counts = new Map();
  for (const text of own) counts.set(text, (counts.get(text) ?? 0) + 1);
  const telling = [...counts].filter(([text, k]) => 5 * k * total >= 6 * shared.get(text) * own.length);
  const middle = Array.from({ length: dims }, (_, j) => median(members, (row) => places[row * dims + j]));
  return {
    labels: own,
    rows,
    members,
    counts,
    telling: new Set((telling.length ? telling : [...counts]).map(first)),
    middle,
  };
}

/** @param {[string, number]} pair */
const first = ([text]) => text;

function median(rows, value) {
  const sorted = Float64Array.from(rows, value).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * @param {Map<string, number>} counts
 * @returns {[string, number][]} the commonest first, equal ones as they were met
 */
const commonest = (counts) => [...counts].sort((a, b) => b[1] - a[1]);

/** The fewest of the commonest labels that half of the members have, else none. */
function values({ labels, counts, telling }) {
  const found = [];
  let covered = 0;
  for (const [value, k] of commonest(counts)) {
    if (k < 2 || found.length === MOST_PARTS) break;
    if (!telling.has(value)) continue;
    found.push(value);
    covered += k;
    if (2 * covered >= labels.length) return found;
  }
  return [];
}

/** @returns {(group: Look) => string[]} the words that set a group apart, the heaviest first, where there are some */
function createWords({ shared, total }, groups) {
  const kept = new Map();
  const find = (text) => {
    if (!kept.has(text)) kept.set(text, findWords(text));
    return kept.get(text);
  };
  let all = null;
  /** How many labels have each word, and how many words a group has; only looked at where a group has several words. */
  const weighing = () => {
    if (all) return all;
    const frequency = new Map();
    let words = 0;
    for (const [text, k] of shared) {
      for (const word of find(text).keys()) {
        frequency.set(word, (frequency.get(word) ?? 0) + k);
        words += k;
      }
    }
    const labelled = groups.reduce((sum, { labels }) => sum + labels.length, 0);
    all = { frequency, mean: words / Math.max(1, groups.length + (labelled < total ? 1 : 0)) };
    return all;
  };
  return (group) => {
    const n = group.labels.length;
    let several = 0;
    for (const [text, k] of group.counts) if (BLANK.test(text) && find(text).size > 1) several += k;
    if (!n || 2 * several < n) return [];
    const { frequency, mean } = weighing();
    const weights = [];
    for (const [word, t] of countWords(group, find)) {
      const f = frequency.get(word);
      if (t >= 2 && 50 * t >= n && t * (total - n) >= 2 * (f - t) * n && canName(word))
        weights.push([word, t * Math.log(1 + mean / f)]);
    }
    weights.sort((a, b) => b[1] - a[1]);
    return weights
      .slice(0, MOST_PARTS)
      .filter(([, weight]) => 4 * weight >= weights[0][1])
      .map(([word]) => spelled(word, group, find));
  };
}

function countWords({ counts }, find) {
  const found = new Map();
  for (const [text, k] of counts) for (const word of find(text).keys()) found.set(word, (found.get(word) ?? 0) + k);
  return found;
}

/** A word as most of the group's labels have it. */
function spelled(word, { counts }, find) {
  const spellings = new Map();
  for (const [text, k] of counts) {
    const found = find(text).get(word);
    if (found !== undefined) spellings.set(found, (spellings.get(found) ?? 0) + k);
  }
  return commonest(spellings)[0][0];
}

/** The commonest label, where it is common, and labels from the middle of the group. */
function central(known, { labels, rows, counts, telling, middle }) {
  const found = new Set();
  const [value, k] = commonest(counts).find(([text]) => telling.has(text)) ?? ['', 0];
  if (k >= 2 && COMMON * k >= labels.length) found.add(value);
  const some = [...rows.keys()].filter((i) => telling.has(labels[i]));
  const nearest = byDistance(
    known,
    some.map((i) => rows[i]),
    middle,
  );
  const near = nearest.slice(0, Math.max(MOST_PARTS, Math.ceil(some.length / 2))).sort((a, b) => a - b);
  // Signs alone say little, where a label of letters or digits is there.
  for (const isTaken of [(label) => findWords(label).size > 0, () => true]) {
    for (const i of near) {
      if (found.size === MOST_PARTS) break;
      if (isTaken(labels[some[i]])) found.add(labels[some[i]]);
    }
    if (found.size) break;
  }
  return [...found];
}

/** @returns {number[]} places in a list of rows, those nearest to the middle first, equal ones in their order */
function byDistance({ places, dims }, rows, middle) {
  const squares = Float64Array.from(rows, (row) => {
    let sum = 0;
    for (let j = 0; j < dims; j++) sum += (places[row * dims + j] - middle[j]) ** 2;
    return sum;
  });
  return [...rows.keys()].sort((a, b) => squares[a] - squares[b] || a - b);
}

/** As many parts as a name has room for, the first in any case. */
function joined(parts) {
  let name = '';
  for (const part of parts) {
    if (!name) name = cut(part);
    else if (lengthOf(name) + 2 + lengthOf(part) <= LONGEST) name = `${name}, ${part}`;
    else break;
  }
  return name;
}

/** Names with a number behind each that another one before has. */
function toldApart(names) {
  const taken = new Set();
  for (const name of names) {
    let [each, i] = [name, 2];
    while (taken.has(each)) each = `${name} (${i++})`;
    taken.add(each);
  }
  return [...taken];
}
