import { expect, it } from 'vitest';
import type { Engine } from '../../src/model/ports/engine.js';
import { nameFiles, writtenInAHurry } from '../../src/steps/written-layer.js';

const engine = (writtenFiles: Engine['writtenFiles']) => ({ engine: { writtenFiles } as Engine });
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
  const began = performance.now();
  expect(
    await writtenInAHurry(
      engine(() => new Promise(() => undefined)),
      two,
    ),
  ).toBeUndefined();
  expect(performance.now() - began).toBeGreaterThan(1_900);
  expect(performance.now() - began).toBeLessThan(4_000);
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
