import * as z from 'zod';
import { define, nothing, PREPARES } from './definition.js';
import { text } from './parts.js';

const shape = {
  kind: z.literal('remove-networks'),
  project: text,
};

/** Removes the networks that Compose created for the project and that nobody is on any more. */
export const removeNetworks = define(shape, {
  traits: { ...PREPARES, changes: 'unseen' },
  describe: ({ project }) => `remove the networks of ${project}`,
  undo: () => nothing('they are made again with the first service that is on them'),
});
