import * as z from 'zod';
import { by, define, PREPARES, type Undo } from './definition.js';
import { text } from './parts.js';
import type { RejectRelease } from './reject-release.js';

const shape = {
  kind: z.literal('accept-release'),
  service: text,
  release: text,
};

/** Records a release as the live one. */
export const acceptRelease = define(shape, {
  traits: PREPARES,
  describe: ({ service, release }) => `record ${release} as the live release of ${service}`,
  undo: ({ service, release }): Undo<RejectRelease> =>
    by({ kind: 'reject-release', service, release, reason: 'undone' }),
});
