import * as z from 'zod';
import { define, maybe, NOT_KEPT, nothing, PREPARES } from './definition.js';
import { backup, consistency, places, text } from './parts.js';

const shape = {
  kind: z.literal('save-data'),
  ...backup,
  /** Release that runs and wrote the data. */
  release: maybe(text),
  reason: z.enum(['asked', 'before', 'safety']),
  consistency,
  places,
};

/** Backs up the data of a service. */
export const saveData = define(shape, {
  traits: { ...PREPARES, beforeReleaseCommand: true },
  describe: ({ service, backup: id, places: from }) =>
    `back up ${from.map(({ source }) => source).join(', ')} of ${service} as ${id}`,
  undo: () => nothing(NOT_KEPT),
});
