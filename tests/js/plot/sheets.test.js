import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinedTile } from '#js/plot/sheets.js';

test('small sheets are joined as they are', () => {
  assert.deepEqual(joinedTile({ tile_width: 28, tile_height: 20, columns: 100 }, 200), { width: 28, height: 20 });
});

test('joined sheets stay within what a canvas can be', () => {
  for (const [width, height, columns, sheets] of [
    [81, 81, 101, 2],
    [512, 512, 16, 40],
    [64, 128, 64, 9],
    [1, 8000, 1, 30],
    [128, 128, 64, 200],
  ]) {
    const tile = joinedTile({ tile_width: width, tile_height: height, columns }, columns * sheets);
    const [w, h] = [tile.width * columns, tile.height * columns * sheets];
    assert.ok(w * h <= 2 ** 26 && w <= 16384 && h <= 16384, `${w} x ${h}`);
    assert.ok(tile.width >= 1 && tile.height >= 1);
  }
});
