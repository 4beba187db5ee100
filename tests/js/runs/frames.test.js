import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFrames } from '#js/runs/frames.js';

const frame = (iteration) => ({ iteration, kl: 1 / iteration, data: Float32Array.of(iteration, -iteration) });

test('the frames of a run are given in their order, once', () => {
  const frames = createFrames(2, 'iteration');
  for (const iteration of [1, 10, 20]) frames.add(frame(iteration));
  assert.deepEqual(frames.take(), {
    frameData: Float32Array.of(1, -1, 10, -10, 20, -20),
    frames: { unit: 'iteration', steps: ['1', '10', '20'], figures: { kl_divergence: [1, 0.1, 0.05] } },
  });
  assert.deepEqual(frames.take(), {});
});

test('one frame does not play', () => {
  const frames = createFrames(2, 'iteration');
  assert.deepEqual(frames.take(), {});
  frames.add(frame(1));
  assert.deepEqual(frames.take(), {});
});

test('frames that would hold too many numbers are dropped, those before stay', () => {
  const frames = createFrames(3e6, 'epoch');
  const data = new Float32Array(3e6);
  for (const iteration of [1, 2, 3]) frames.add({ iteration, kl: null, data });
  assert.deepEqual(frames.take().frames, { unit: 'epoch', steps: ['1', '2'], figures: {} });
});
