import * as z from 'zod';
import { define, ENDS_A_CHANGE, nothing, PREPARES, type Fields } from './definition.js';
import { router, text } from './parts.js';

const shape = {
  kind: z.literal('release-traffic'),
  service: text,
  router,
};

export type ReleaseTraffic = Fields<typeof shape>;

/** Sends on the requests that were held. */
export const releaseTraffic = define(shape, {
  traits: PREPARES,
  describe: ({ service }) => `send on the held requests to ${service}`,
  undo: () => nothing(ENDS_A_CHANGE),
});
