import { expect, it } from 'vitest';
import type { Engine } from '../../src/model/ports/engine.js';
import { nameFiles, writtenInAHurry } from '../../src/steps/written-layer.js';
import { createMemoryClock } from '../support/memory/clock.js';

const clock = createMemoryClock({ automatic: true });
const engine = (writtenFiles: Engine['writtenFiles']) => ({ clock, engine: { writtenFiles } as Engine });
const two = [{ id: 'a' }, { id: 'b' }];

it('is what all of the containers have written', async () => {
  expect(
    await writtenInAHurry(
      engine((id) => Promise.resolve([`/${id}`])),
      two,
    ),
  ).toEqual(['/a', '/b']);
});

it('is not waited for where the engine never answers, and not needed where it refuses', async () => {
  const began = clock.monotonic();
  expect(
    await writtenInAHurry(
      engine(() => new Promise(() => undefined)),
      two,
    ),
  ).toBeUndefined();
  expect(clock.monotonic() - began).toBeGreaterThan(1_900);
  expect(clock.monotonic() - began).toBeLessThan(4_000);
  expect(
    await writtenInAHurry(
      engine(() => Promise.reject(new Error('no'))),
      two,
    ),
  ).toBeUndefined();
});

it('is named as far as a person reads it', () => {
  expect(nameFiles(['/a'])).toBe('/a');
  expect(nameFiles(['/a', '/b', '/c', '/d', '/e'])).toBe('/a, /b, /c and 2 more');
});
