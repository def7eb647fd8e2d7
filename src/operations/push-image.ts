import * as z from 'zod';
import { define, nothing, PREPARES, TOUCHES_NOTHING } from './definition.js';
import { text } from './parts.js';

const shape = {
  kind: z.literal('push-image'),
  service: text,
  image: text,
  reference: text,
};

/** Pushes a built image to the registry that later deploys of its commit pull it from. */
export const pushImage = define(shape, {
  traits: { ...PREPARES, endMatters: false },
  describe: ({ service, reference }) => `push the image of ${service} as ${reference}`,
  undo: () => nothing(TOUCHES_NOTHING),
});
