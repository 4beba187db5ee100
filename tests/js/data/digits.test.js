import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shortest } from '#js/data/digits.js';

test('a float is written in the fewest digits that read back as the same', () => {
  let seed = 1;
  for (let i = 0; i < 2000; i++) {
    seed = (seed * 16807) % 2147483647;
    const value = Math.fround((seed / 2147483647 - 0.5) * 10 ** ((i % 60) - 30));
    assert.equal(Math.fround(Number(shortest(value))), value);
  }
});

test('a short decimal stays short', () => {
  for (const text of ['0.1', '-2.5', '12345', '0', '1e-7', '3.14159', '-0.0625'])
    assert.equal(shortest(Math.fround(Number(text))), text);
  assert.equal(shortest(-0), '0');
});
