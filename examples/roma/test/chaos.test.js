import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createChaos, parseChaos } from '../src/chaos.js';

test('modes and their values', () => {
  const modes = parseChaos('slow-boot:1.5s, leak:2MB/s,fail-requests:25%,error-lines,ignore-sigterm');
  assert.deepEqual(Object.fromEntries(modes), {
    'slow-boot': 1500,
    leak: 2_000_000,
    'fail-requests': 0.25,
    'error-lines': 5,
    'ignore-sigterm': true,
  });
});

test('what cannot be read is refused', () => {
  assert.throws(() => parseChaos('explode'), /"explode" is none of exit-at-once/);
  assert.throws(() => parseChaos('slow-boot:soon'), /"soon"/);
  assert.throws(() => parseChaos('never-healthy:5s'), /takes no value/);
});

test('hooks', async () => {
  const none = createChaos('', () => {});
  assert.equal(none.healthy(), true);
  assert.equal(await none.allowsRequest(), true);

  const all = createChaos('never-healthy,fail-requests:100%', () => {});
  assert.equal(all.healthy(), false);
  assert.equal(await all.allowsRequest(), false);
});
