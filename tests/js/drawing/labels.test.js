import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanLabel, createOccupied, labelBox, placeLabels, SIDES } from '#js/drawing/labels.js';

const BOUNDS = { left: 0, top: 0, width: 400, height: 300 };
const label = (x, y, rest = {}) => ({ x, y, width: 50, height: 16, gap: 6, ...rest });
const overlap = (a, b) => a[0] < b[2] && a[2] > b[0] && a[1] < b[3] && a[3] > b[1];

test('labels that are placed never overlap and stay in bounds', () => {
  const labels = Array.from({ length: 500 }, (_, i) => label((i * 7919) % 400, (i * 104729) % 300));
  const sides = placeLabels(labels, BOUNDS);
  const boxes = labels.flatMap((l, i) =>
    sides[i] < 0 ? [] : [labelBox(l.x, l.y, l.width, l.height, l.gap, sides[i])],
  );
  assert.ok(boxes.length > 30);
  boxes.forEach((a, i) => {
    assert.ok(a[0] >= 0 && a[1] >= 0 && a[2] <= 400 && a[3] <= 300);
    for (const b of boxes.slice(i + 1)) assert.ok(!overlap(a, b));
  });
});

test('a lone label stands to the right of its point, at the right edge to the left', () => {
  assert.deepEqual([...placeLabels([label(100, 100), label(390, 200)], BOUNDS)], [SIDES.right, SIDES.left]);
});

test('the more important of two labels at one place is kept beside its point', () => {
  const sides = placeLabels(
    Array.from({ length: 5 }, () => label(100, 100, { gap: 10 })),
    BOUNDS,
  );
  assert.deepEqual([...sides], [0, 1, 2, 3, -1]);
});

test('labels keep clear of points, but an important one may cover them', () => {
  const obstacles = [[0, 0, 400, 300]];
  assert.deepEqual([...placeLabels([label(100, 100)], BOUNDS, obstacles)], [-1]);
  assert.deepEqual([...placeLabels([label(100, 100, { strength: 1 })], BOUNDS, obstacles)], [SIDES.right]);
});

test('the label of the one selected point is always there', () => {
  const labels = [
    ...Array.from({ length: 60 }, (_, i) => label(100 + (i % 6), 100 + i, { strength: 1 })),
    label(100, 110, { strength: 2 }),
  ];
  assert.notEqual(placeLabels(labels, BOUNDS).at(-1), -1);
});

test('a label is one short line without control characters', () => {
  assert.equal(cleanLabel('a\n\tb\u0000\u202ec'), 'a b c');
  assert.equal(cleanLabel('x'.repeat(10000)), `${'x'.repeat(39)}…`);
  assert.equal(cleanLabel('😀'.repeat(50), 5), '😀😀😀😀…');
  assert.equal(cleanLabel('שלום'), 'שלום');
  assert.equal(cleanLabel('<b>&amp;'), '<b>&amp;');
  assert.equal(cleanLabel(null), '');
});

test('what lies very far outside takes no more room than what lies near', () => {
  for (const far of [1e9, 1e16, 1e300, Infinity]) {
    const occupied = createOccupied();
    occupied.add([far, far, far * 1.5, far * 1.5]);
    occupied.add([-far, -far, far, far]);
    assert.equal(occupied.hits([10, 10, 20, 20]), true);
  }
});
