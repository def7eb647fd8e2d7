import * as z from 'zod';
import { by, define, PREPARES, type Undo } from './definition.js';
import { text } from './parts.js';
import type { RecordStart } from './record-start.js';

const shape = {
  kind: z.literal('record-stop'),
  service: text,
  release: text,
  reason: text,
};

/** Records that a service is stopped on purpose. Written before its containers are touched, so that a killed run is finished from it. */
export const recordStop = define(shape, {
  traits: { ...PREPARES, recovery: 'intent' },
  describe: ({ service, reason }) => `record that ${service} is stopped on purpose: ${reason}`,
  undo: ({ service, release }): Undo<RecordStart> => by({ kind: 'record-start', service, release }),
});
