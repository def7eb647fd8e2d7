import * as z from 'zod';
import { formatDuration } from '../model/units.js';
import { by, CHANGES, define, type Undo } from './definition.js';
import { ms, router, text } from './parts.js';
import type { ReleaseTraffic } from './release-traffic.js';

const shape = {
  kind: z.literal('hold-traffic'),
  service: text,
  router,
  maxMs: ms,
  maxQueue: z.number(),
};

/** Lets new requests wait while nothing of the service runs. */
export const holdTraffic = define(shape, {
  traits: { ...CHANGES, interrupts: true },
  describe: ({ service, maxMs, maxQueue }) =>
    `hold new requests to ${service} (at most ${formatDuration(maxMs)}, ${maxQueue} at a time)`,
  undo: ({ service, router: spec }): Undo<ReleaseTraffic> => by({ kind: 'release-traffic', service, router: spec }),
});
