import * as z from 'zod';
import { formatDuration } from '../model/units.js';
import { define, nothing, PREPARES } from './definition.js';
import { containerSet, ms, router, text } from './parts.js';
import { describeSet } from './words.js';

const shape = {
  kind: z.literal('drain-containers'),
  service: text,
  router,
  containers: containerSet,
  timeoutMs: ms,
};

/** Sends containers no new requests and waits until those in flight have ended. */
export const drainContainers = define(shape, {
  traits: PREPARES,
  describe: ({ service, containers, timeoutMs }) =>
    `drain ${describeSet(containers)} of ${service}: no new requests, those in flight end (at most ${formatDuration(timeoutMs)})`,
  undo: () => nothing('they run on, and get traffic again when it is shifted back'),
});
