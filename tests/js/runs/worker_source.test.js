import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundle } from '#js/runs/worker_source.js';

const url = (text) => `data:text/javascript;charset=utf-8,${encodeURIComponent(text)}`;
const text = (data) => Buffer.from(data.slice(data.indexOf(',') + 1), 'base64').toString();

test('a module is bundled with what it imports, letters of any script too', async () => {
  const imports = {
    '#js/a.js': url("import { b } from '#js/b.js';\nimport { c } from '#js/c.js';\nexport const a = `ä ${b} ${c}`;"),
    '#js/b.js': url("import { c } from '#js/c.js';\nexport const b = `β${c}`;"),
    '#js/c.js': url("export const c = '字';\nexport const rest = 100 % 7;"),
  };
  const whole = bundle(imports, '#js/a.js');
  assert.ok(!text(whole).includes("'#js/"));
  assert.equal((await import(whole)).a, 'ä β字 字');
});

test('types that a comment names are not bundled', () => {
  const imports = { '#js/a.js': url("/** @import { B } from '#js/types.js' */\nexport const a = 1;") };
  assert.equal(imports['#js/a.js'], url(text(bundle(imports, '#js/a.js'))));
});

test('a module that is not there or imports itself is refused', () => {
  assert.throws(() => bundle({}, '#js/a.js'), /#js\/a.js cannot be put in a worker/);
  const ring = {
    '#js/a.js': url("import '#js/b.js';\nimport { x } from '#js/b.js';"),
    '#js/b.js': url("import { y } from '#js/a.js';"),
  };
  assert.throws(() => bundle(ring, '#js/a.js'), /cannot be put/);
});
