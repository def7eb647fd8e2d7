import * as z from 'zod';
import { define, nothing, PREPARES } from './definition.js';
import { strings, text } from './parts.js';

const shape = {
  kind: z.literal('remove-leftovers'),
  service: text,
  containers: strings,
  names: strings,
};

/** Removes containers that an interrupted recreate of Compose left. They serve nobody. */
export const removeLeftovers = define(shape, {
  traits: PREPARES,
  describe: ({ service, names }) => `remove ${names.join(', ')}, left by an interrupted recreate of ${service}`,
  undo: () => nothing('they served nobody'),
});
