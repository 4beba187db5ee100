import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { test } from 'node:test';
import { decode, fromFloat16, fromSteps, openPayload, unshuffle } from '#js/data/payload.js';

const shuffled = (array) => {
  const bytes = new Uint8Array(array.buffer);
  const size = array.BYTES_PER_ELEMENT;
  const n = array.length;
  return Uint8Array.from(bytes, (_, i) => bytes[(i % n) * size + Math.floor(i / n)]);
};

test('unshuffle(data, size) puts byte planes back into items', () => {
  const values = new Float32Array([1.5, -2.25, 3e30]);
  assert.deepEqual(new Float32Array(unshuffle(shuffled(values), 4).buffer), values);
});

test('decode reads every kind of block', () => {
  const ints = new Int32Array([-1, 0, 2 ** 31 - 1]);
  assert.deepEqual(decode(shuffled(ints), { dtype: 'int32', shape: [3] }), ints);
  assert.deepEqual(decode(new Uint8Array([1, 255]), { dtype: 'int8', shape: [2] }), new Int8Array([1, -1]));
  assert.deepEqual(decode(new TextEncoder().encode('["é"]'), { dtype: 'json' }), ['é']);
});

test('decode reads texts that come again, in one byte or two', () => {
  const texts = (list, places) =>
    decode(new Uint8Array([...new TextEncoder().encode(JSON.stringify(list)), 10, ...places]), {
      dtype: 'texts',
      shape: [3],
    });
  assert.deepEqual(texts(['é\n', '字'], [1, 0, 1]), ['字', 'é\n', '字']);
  const many = Array.from({ length: 300 }, (_, i) => `t${i}`);
  assert.deepEqual(texts(many, [...shuffled(Uint16Array.of(299, 10, 256))]), ['t299', 't10', 't256']);
  assert.throws(() => texts(['a'], [0, 0]), /holds 1 texts where 3/);
});

test('decode puts axes that travel one after the other into points', () => {
  const axes = Uint16Array.of(0, 1, 2, 65535, 300, 7);
  const entry = { dtype: 'uint16', shape: [3, 2], by_axis: true, offset: [0, 1], step: [1, 1] };
  assert.deepEqual([...decode(shuffled(axes), entry)], [0, 65536, 1, 301, 2, 8]);
});

test('decode refuses a block of another length than its shape', () => {
  assert.throws(() => decode(new Uint8Array(3), { dtype: 'uint8', shape: [4] }), /3 values where 4/);
});

test('fromFloat16 knows subnormal, largest and infinite numbers', () => {
  const bits = new Uint16Array([0x0001, 0x3c00, 0xc000, 0x7bff, 0x7c00, 0x8000]);
  assert.deepEqual([...fromFloat16(bits)], [2 ** -24, 1, -2, 65504, Infinity, -0]);
});

test('fromSteps spreads 16-bit steps over the span of each column', () => {
  assert.deepEqual([...fromSteps(new Uint16Array([0, 0, 65535, 2]), [-1, 5], [2 / 65535, 0.5])], [-1, 5, 1, 6]);
});

test('openPayload inflates a block once and names one that is missing', async () => {
  const manifest = { version: 2, blocks: { x: { dtype: 'uint8', shape: [2] } } };
  let reads = 0;
  const payload = openPayload((id) => {
    if (id === 'manifest') return JSON.stringify(manifest);
    reads++;
    return gzipSync(Buffer.from([7, 8])).toString('base64');
  });
  assert.deepEqual([...(await payload.block('x'))], [7, 8]);
  await payload.block('x');
  assert.equal(reads, 1);
  await assert.rejects(payload.block('y'), /no block y/);
  for (const [text, found] of [
    ['{"version": 1}', 'version 1'],
    ['{"version": 3}', 'version 3'],
    ['{}', 'an unknown version'],
  ])
    assert.throws(() => openPayload(() => text), new RegExp(`${found} and its script reads version 2`));
});

test('frames that travel as differences are added up, modulo 65,536', () => {
  const frames = Uint16Array.of(10, 65535, 65535, 2, 5, 0);
  const bytes = new Uint8Array([...frames].map((x) => x & 255).concat([...frames].map((x) => x >> 8)));
  const entry = { dtype: 'uint16', shape: [3, 1, 2], offset: [0, -1], step: [1, 0.5], delta: true };
  assert.deepEqual(Array.from(decode(bytes, entry)), [10, 32766.5, 9, -0.5, 14, -0.5]);
});

test('the upper 16 bits of a number stand for it', () => {
  const bytes = Uint8Array.of(0x80, 0x00, 0x3f, 0x40);
  assert.deepEqual(Array.from(decode(bytes, { dtype: 'bfloat16', shape: [2] })), [1, 2]);
  const steps = Uint8Array.of(0x80, 0x80, 0x3f, 0x00);
  assert.deepEqual(Array.from(decode(steps, { dtype: 'bfloat16', shape: [2], delta: true })), [1, 2]);
});
