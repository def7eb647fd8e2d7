import * as z from 'zod';
import { define, nothing, PREPARES, TOUCHES_NOTHING } from './definition.js';
import { text } from './parts.js';

const shape = {
  kind: z.literal('pull-image'),
  service: text,
  reference: text,
};

/** Pulls the image of a service. */
export const pullImage = define(shape, {
  traits: { ...PREPARES, endMatters: false },
  describe: ({ service, reference }) => `pull ${reference} for ${service}`,
  undo: () => nothing(TOUCHES_NOTHING),
});
