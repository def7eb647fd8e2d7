import { expect, it, vi } from 'vitest';
import { recordedImages } from '../../src/steps/build-once.js';
import type { Viewing } from '../../src/steps/session.js';

const COMMIT = 'a'.repeat(40);
const IN_REGISTRY = `ghcr.io/acme/roma@sha256:${'1'.repeat(64)}`;

function viewing(environment: string | undefined, told: boolean): Viewing {
  const request = { pushTo: 'ghcr.io/acme/roma', procedure: 'code-update', pullBase: false, image: undefined };
  return {
    request: { ...request, rollbackTo: { kind: 'previous' }, ref: undefined, deployment: { environment } },
    invocation: { ref: 'refs/heads/main' },
    codeHost: { recordedImages: () => Promise.resolve({ images: {}, told }) },
  } as unknown as Viewing;
}

const building = [{ service: 'roma', current: { history: { releases: [], events: [] } } }] as never;

it.each([
  ['nobody would have recorded it, since there is no environment', undefined, true, true],
  ['GitHub could not be asked', 'production', false, true],
  ['GitHub knows of none in an environment: it was never built', 'production', true, false],
])('the registry is looked at for a commit when %s', async (_, environment, told, looks) => {
  const look = vi.fn(() => Promise.resolve(IN_REGISTRY));
  const found = await recordedImages(viewing(environment, told), COMMIT, building, look);
  expect([...found]).toEqual(looks ? [['roma', IN_REGISTRY]] : []);
  expect(look).toHaveBeenCalledTimes(looks ? 1 : 0);
});
