import { describe, expect, it } from 'vitest';
import type { ImageFacts } from '../../src/model/image.js';
import { imageOrigin } from '../../src/steps/image-origin.js';

const ID = `sha256:${'a'.repeat(64)}`;
const image = (...digests: readonly string[]): ImageFacts => ({
  id: ID,
  tags: ['app:1'],
  digests,
  fingerprint: 'sha256:1',
  sizeBytes: 1,
  createdAt: '',
  volumes: [],
});
const pulled = image(`app@${ID}`);

describe('where an image comes from', () => {
  it.each([
    { what: 'it is not here', local: undefined, origin: 'registry' },
    { what: 'it was built here and never pushed', local: image(), origin: 'engine' },
    { what: 'its tag may have moved', local: pulled, origin: 'registry' },
    {
      what: 'it may have been built here: the containerd store',
      local: pulled,
      containerdStore: true,
      origin: 'registry-or-engine',
    },
    { what: 'a digest cannot move', reference: `app@${ID}`, local: pulled, origin: 'engine' },
    { what: 'an id cannot move', reference: ID, local: pulled, containerdStore: true, origin: 'engine' },
    { what: 'the compose file is content with it', local: pulled, pullPolicy: 'missing', origin: 'engine' },
    { what: 'the compose file wants the newest', local: pulled, pullPolicy: 'always', origin: 'registry' },
    { what: 'a policy needs an image first', local: undefined, pullPolicy: 'never', origin: 'registry' },
  ])('$origin: $what', ({ local, origin, reference = 'app:1', pullPolicy, containerdStore = false }) => {
    expect(imageOrigin({ reference, local, pullPolicy, containerdStore })).toBe(origin);
  });
});
