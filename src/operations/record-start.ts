import * as z from 'zod';
import { define, nothing, PREPARES, type Fields } from './definition.js';
import { text } from './parts.js';

const shape = {
  kind: z.literal('record-start'),
  service: text,
  release: text,
};

export type RecordStart = Fields<typeof shape>;

/** Records that a service is to run. Written before its containers are touched. */
export const recordStart = define(shape, {
  traits: { ...PREPARES, recovery: 'intent' },
  describe: ({ service }) => `record that ${service} is to run`,
  undo: () => nothing('stopping it again is procedure stop'),
});
