import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  absence,
  createSteps,
  nearestStep,
  pageAt,
  presenceAt,
  rowsThere,
  spreadVectors,
  stepName,
} from '#js/data/steps.js';
import { motionWords } from '#js/data/words.js';

const frames = (steps, unit = 'step') => ({ frames: { unit, steps, figures: {} } });
const manifest = () => ({
  steps: { kind: 'run', names: ['10', '20', '30'], spaces: ['input-0', 'input-1', 'input'], figures: {} },
  spaces: ['input', 'input-1', 'input-0'].map((key) => ({ key, vectors: null, vectors_note: 'left out' })),
  projections: [frames(['10', '20', '30']), frames(['10', '20', '30'], 'iteration'), frames(['10', '30']), {}],
});

/** Three points of which the last comes with the second step. */
function opened() {
  const steps = createSteps(manifest());
  steps.present[0] = Uint8Array.of(1, 1, 0);
  const [space] = manifest().spaces;
  return { steps, space, carried: [{ space: 'input' }, { space: 'input-1' }], vectors: null };
}

test('the projections that have the steps of the page are told so', () => {
  const found = manifest();
  createSteps(found);
  assert.deepEqual(
    found.projections.map(({ isOfSteps }) => isOfSteps),
    [true, false, false, false],
  );
  assert.equal(createSteps({ ...manifest(), steps: null }), null);
});

test('between two steps the nearest answers, and the step is called by both', () => {
  const page = opened();
  const at = (step) => [nearestStep(page, { step }), pageAt(page, { step }).space.key, stepName(page, { step })];
  assert.deepEqual(at(0), [0, 'input-0', '10']);
  assert.deepEqual(at(0.4), [0, 'input-0', '10 → 20, 40 %']);
  assert.deepEqual(at(1.5), [2, 'input', '20 → 30, 50 %']);
  assert.deepEqual(at(0.999), [1, 'input-1', '20']);
  assert.deepEqual(at(2), [2, 'input', '30']);
  assert.deepEqual(pageAt(page, { step: 1 }).carried, [{ space: 'input-1' }]);
});

test('a page of one state is the same at any time', () => {
  const page = { steps: null, vectors: {} };
  assert.equal(pageAt(page, { step: 0 }), page);
  assert.equal(stepName(page, { step: 0 }), '');
  assert.equal(presenceAt(page, { step: 0 }), null);
  assert.equal(absence(page, { step: 0 }, 3), '');
});

test('a point that is not there yet says when it comes, and one that has left says so', () => {
  const page = opened();
  assert.equal(absence(page, { step: 0 }, 2), 'This point is not there at step 10. It comes with step 20');
  assert.equal(absence(page, { step: 1 }, 2), '');
  page.steps.present[1] = Uint8Array.of(0, 1, 1);
  assert.equal(absence(page, { step: 1 }, 0), 'This point is not there at step 20. It is there at other steps');
});

test('vectors of those that are there lie at their rows', () => {
  const vectors = { data: Int8Array.of(1, 2, 3, 4), n: 2, d: 2, scale: 1, scales: Float32Array.of(5, 6) };
  const present = Uint8Array.of(1, 0, 1);
  const found = spreadVectors(vectors, present);
  assert.deepEqual(Array.from(found.data), [1, 2, 0, 0, 3, 4]);
  assert.deepEqual(Array.from(found.scales), [5, 1, 6]);
  assert.equal(found.n, 3);
  assert.equal(spreadVectors(vectors, null), vectors);
  assert.deepEqual(Array.from(rowsThere(found)), [0, 2]);
  assert.deepEqual(Array.from(rowsThere(found, Int32Array.of(2, 1))), [2]);
  assert.equal(rowsThere(vectors), null);
});

test('motion is change from a correlation of 0.5 on, in part from 0.2 on', () => {
  const rule = (all, pair = null) => motionWords({ all, pair, names: ['10', '20'] }).rule;
  assert.deepEqual(
    [0.5, 0.49, 0.2, 0.19, -0.3, null].map((r) => rule(r)),
    ['change', 'part', 'part', 'motion', 'motion', 'none'],
  );
  assert.match(
    motionWords({ all: 0.5, pair: -0.25, names: ['10', '20'] }).text,
    /0\.50: .* From 10 to 20 it is −0\.25\.$/,
  );
  assert.equal(motionWords(null), null);
});
