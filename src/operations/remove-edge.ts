import * as z from 'zod';
import { define, ENDS_A_CHANGE, nothing, PREPARES, type Fields } from './definition.js';
import { text } from './parts.js';

const shape = {
  kind: z.literal('remove-edge'),
  service: text,
};

export type RemoveEdge = Fields<typeof shape>;

/** Removes the edge of a service. */
export const removeEdge = define(shape, {
  traits: { ...PREPARES, changes: 'seen' },
  describe: ({ service }) => `remove the edge of ${service}`,
  undo: () => nothing(ENDS_A_CHANGE),
});
