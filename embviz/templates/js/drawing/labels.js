/** Placing labels beside their points so that none overlaps another. All numbers are CSS pixels. */

export const SIDES = Object.freeze({ right: 0, left: 1, above: 2, below: 3 });
const CELL = 48;
/** Cells on each side of the corner: no plot is wider, and what lies beyond is not written. */
const MOST_CELLS = 200;

/** @returns {string} one line of at most `most` characters, without control and direction characters */
export function cleanLabel(text, most = 40) {
  const plain = String(text ?? '')
    .slice(0, 8 * most)
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]+/g, ' ')
    .trim();
  const characters = Array.from(plain);
  return characters.length > most
    ? `${characters
        .slice(0, most - 1)
        .join('')
        .trimEnd()}…`
    : plain;
}

/** @returns {number[]} left, top, right, bottom of a label on a side of its point */
export function labelBox(x, y, width, height, gap, side) {
  if (side === SIDES.right) return [x + gap, y - height / 2, x + gap + width, y + height / 2];
  if (side === SIDES.left) return [x - gap - width, y - height / 2, x - gap, y + height / 2];
  const top = side === SIDES.above ? y - gap - height : y + gap;
  return [x - width / 2, top, x + width / 2, top + height];
}

/** A set of boxes that answers whether another one hits any, by a grid of cells. */
export function createOccupied() {
  const cells = new Map();
  const each = (box, visit) => {
    // Where points land far outside, whole numbers are too far apart to be counted up.
    const [left, top, right, bottom] = box.map((x) =>
      Math.max(-MOST_CELLS, Math.min(MOST_CELLS, Math.floor(x / CELL))),
    );
    for (let v = top; v <= bottom; v++) for (let u = left; u <= right; u++) if (visit(u * 65536 + v)) return true;
    return false;
  };
  return {
    add: (box) =>
      each(box, (key) => {
        if (cells.has(key)) cells.get(key).push(box);
        else cells.set(key, [box]);
        return false;
      }),
    hits: (box) =>
      each(
        box,
        (key) => cells.get(key)?.some((o) => box[0] < o[2] && box[2] > o[0] && box[1] < o[3] && box[3] > o[1]) ?? false,
      ),
  };
}

/**
 * Place labels, the most important first: right of the point, else left, above, below, else not at all.
 *
 * @param {{x: number, y: number, width: number, height: number, gap: number, strength?: 0 | 1 | 2}[]} labels in order
 *   of importance; gap is the distance from the point's middle; strength 1 may cover obstacles, 2 other labels too
 * @param {{left, top, width, height}} bounds labels stay within
 * @param {number[][]} obstacles boxes [left, top, right, bottom] to keep clear of
 * @param {number[][]} taken boxes of what is written already, covered by none but strength 2
 * @returns {Int8Array} the side of each label, -1 where it is left out
 */
export function placeLabels(labels, bounds, obstacles = [], taken = []) {
  const discs = createOccupied();
  for (const box of obstacles) discs.add(box);
  const placed = createOccupied();
  for (const box of taken) placed.add(box);
  // Points that stand out are not covered by the labels of others.
  for (const { x, y, gap, strength = 0 } of labels)
    if (strength >= 1) placed.add([x - 0.6 * gap, y - 0.6 * gap, x + 0.6 * gap, y + 0.6 * gap]);
  const within = (box) =>
    box[0] >= bounds.left &&
    box[1] >= bounds.top &&
    box[2] <= bounds.left + bounds.width &&
    box[3] <= bounds.top + bounds.height;
  return Int8Array.from(labels, ({ x, y, width, height, gap, strength = 0 }) => {
    const boxes = Object.values(SIDES).map((side) => labelBox(x, y, width, height, gap, side));
    const free = (box) => within(box) && !placed.hits(box);
    let side = boxes.findIndex((box) => free(box) && !discs.hits(box));
    if (side < 0 && strength >= 1) side = boxes.findIndex(free);
    if (side < 0 && strength >= 2) side = Math.max(0, boxes.findIndex(within));
    if (side >= 0) placed.add(boxes[side]);
    return side;
  });
}
